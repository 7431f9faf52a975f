"""The directory store: damage is found, writers do not disturb each other, files are whole."""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from offchain.storage import Cid
from offchain.storage.directory import DirectoryStore
from offchain.storage.errors import ObjectCorrupt, StoreUnavailable


def _file_of(store: DirectoryStore, cid: Cid) -> Path:
    (path,) = store.folder.rglob(str(cid))
    return path


@pytest.mark.parametrize("damage", [b"", b"other bytes of any length", b"dat\x00"])
def test_get__damaged_file__is_refused_by_name_and_put_repairs_it(tmp_path, damage):
    store = DirectoryStore(tmp_path)
    cid = store.put(b"data")
    _file_of(store, cid).write_bytes(damage)
    with pytest.raises(ObjectCorrupt, match=str(cid)):
        store.get(cid, max_bytes=100)
    assert store.put(b"data") == cid
    assert store.get(cid, max_bytes=4) == b"data"


def test_put__the_disk_changes_the_bytes__is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "offchain.storage.directory._write_atomically",
        lambda path, data: path.write_bytes(b"x" + data[1:]),
    )
    with pytest.raises(ObjectCorrupt):
        DirectoryStore(tmp_path).put(b"data")


def test_put__the_rename_fails__leaves_no_file_behind(tmp_path, monkeypatch):
    def fail(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(StoreUnavailable, match="no space left"):
        DirectoryStore(tmp_path).put(b"data")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_open__folder_cannot_be_made__is_unavailable(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreUnavailable, match="file"):
        DirectoryStore(tmp_path / "file" / "store")


def _put_all(folder: str, seed: int) -> list[str]:
    store = DirectoryStore(folder)
    order = range(20) if seed % 2 else reversed(range(20))
    return sorted(store.put(bytes([number]) * 5000) for number in order)


def test_put__four_processes_on_one_folder__agree_and_leave_only_whole_files(tmp_path):
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        results = list(pool.map(_put_all, [str(tmp_path)] * 4, range(4)))
    assert all(result == results[0] for result in results)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == results[0]
    assert all(Cid.of_block(path.read_bytes()) == path.name for path in files)


def test_get__folder_unreadable__is_unavailable(tmp_path):
    store = DirectoryStore(tmp_path)
    cid = store.put(b"data")
    path = _file_of(store, cid)
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreUnavailable, match=os.path.basename(path)):
        store.get(cid, max_bytes=10)


def test_renew__power_fails_before_anything_is_written__loses_nothing_that_was_sound(
    tmp_path, monkeypatch
):
    store = DirectoryStore(tmp_path)
    sound, damaged = store.put_all([b"sound", b"damaged"])
    _file_of(store, damaged).write_bytes(b"rot")

    def no_power(path: Path, data: bytes) -> None:
        raise OSError("no power")

    monkeypatch.setattr("offchain.storage.directory._write_atomically", no_power)
    with pytest.raises(StoreUnavailable, match="no power"):
        store.renew([b"damaged", b"sound"])
    assert store.get(sound, max_bytes=9) == b"sound"
    monkeypatch.undo()
    assert store.renew([b"damaged", b"sound"]) == [damaged, sound]
    assert store.get(damaged, max_bytes=9) == b"damaged"
