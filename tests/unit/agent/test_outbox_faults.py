"""An outbox that is held, full, read-only, damaged, or of another version: nothing is ever lost."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_agent.outbox import Outbox
from offchain import sqlite_file
from offchain.errors import StoreBusy, StoreDamaged, StoreFull, StoreVersion
from offchain.types import MeterSample
from tests.disks import TinyDisk, tiny_disk

KIB = 1024


def sample(number: int) -> MeterSample:
    return MeterSample(
        time_s=1_000 + number, import_wh=number, export_wh=0, power_w=5, temperature_dc=200
    )


def write(path: Path, *numbers: int) -> None:
    with Outbox(path) as outbox:
        for number in numbers:
            outbox.add_sample(sample(number))


def held(path: Path) -> list[int]:
    with Outbox(path) as outbox:
        assert outbox.put_aside is None
        return [one.import_wh for one in outbox.samples()]


def put_aside(path: Path) -> list[str]:
    return [file.name for file in path.parent.iterdir() if "damaged" in file.name]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[TinyDisk]:
    with tiny_disk(tmp_path / "disk", size_kib=400) as made:
        yield made


@pytest.mark.parametrize("room_kib", [*range(0, 72, 4), 80, 96, 128])
def test_open__on_a_disk_with_little_room__is_full_or_works_and_never_damaged(
    disk: TinyDisk, room_kib: int
) -> None:
    path = disk.folder / "outbox.sqlite"
    write(path, 1, 2, 3)
    before = path.read_bytes()
    disk.leave(room_kib * KIB)
    try:
        write(path, 4)
    except StoreFull as error:
        assert "free room" in str(error)
        assert path.read_bytes() == before
    assert put_aside(path) == []
    disk.free()
    assert held(path) in ([1, 2, 3], [1, 2, 3, 4])


def test_open__new_on_a_full_disk__is_full_and_made_later(disk: TinyDisk) -> None:
    path = disk.folder / "outbox.sqlite"
    disk.leave(0)
    with pytest.raises(StoreFull):
        Outbox(path)
    disk.free()
    write(path, 1)
    assert held(path) == [1]


def test_add_sample__on_a_disk_that_runs_full__stores_all_or_nothing_and_goes_on(
    disk: TinyDisk,
) -> None:
    path, stored = disk.folder / "outbox.sqlite", 0
    with Outbox(path) as outbox:
        disk.leave(48 * KIB)
        with pytest.raises(StoreFull):
            while True:
                outbox.add_sample(sample(stored))
                stored += 1
        with pytest.raises(StoreFull):
            outbox.add_sample(sample(stored))
        disk.free()
        outbox.add_sample(sample(stored))
        assert len(outbox.samples()) == stored + 1
    assert held(path) == list(range(stored + 1))


def test_open__on_a_read_only_disk__is_full_and_left_as_it_is(disk: TinyDisk) -> None:
    path = disk.folder / "outbox.sqlite"
    write(path, 1)
    disk.read_only(True)
    with pytest.raises(StoreFull, match="make it writable"):
        Outbox(path)
    disk.read_only(False)
    assert put_aside(path) == [] and held(path) == [1]


def test_add_sample__while_another_program_holds_the_file__waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with Outbox(path) as outbox:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        freed = threading.Timer(0.5, other.execute, ["ROLLBACK"])
        freed.start()
        outbox.add_sample(sample(1))
        assert freed.finished.is_set() and outbox.samples() == [sample(1)]
        freed.join()
        other.close()


@pytest.mark.parametrize("how", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_open_and_write__held_too_long__is_busy_and_never_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.3)
    path = tmp_path / "outbox.sqlite"
    write(path, 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(how)
    with pytest.raises(StoreBusy, match="another program holds"):
        write(path, 2)
    other.execute("ROLLBACK")
    other.close()
    write(path, 2)
    assert put_aside(path) == [] and held(path) == [1, 2]


def test_open__with_damaged_pages__puts_the_file_aside_whole(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    write(path, *range(500))
    damaged = bytearray(path.read_bytes())
    damaged[4096 : 4 * 4096] = b"\xa5" * (3 * 4096)
    path.write_bytes(damaged)
    with Outbox(path) as outbox:
        assert outbox.put_aside == path.with_name("outbox.sqlite.damaged-1")
        assert outbox.samples() == []
    assert path.with_name("outbox.sqlite.damaged-1").read_bytes() == damaged


def test_read__damaged_while_open__is_damaged_and_left_for_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    write(path, *range(2_000))
    with Outbox(path) as outbox:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (len(path.read_bytes()) - 4096))
        with pytest.raises(StoreDamaged, match="restore a copy"):
            outbox.samples()
    assert put_aside(path) == []
    with Outbox(path) as outbox:
        assert outbox.put_aside is not None


@pytest.mark.parametrize("layout", [2, 4])
def test_open__of_another_version__is_refused_in_one_sentence(tmp_path: Path, layout: int) -> None:
    path = tmp_path / "outbox.sqlite"
    write(path, 1)
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version={layout}")
    database.close()
    with pytest.raises(StoreVersion, match=f"layout {layout} and this program knows 3"):
        Outbox(path)
    with pytest.raises(StoreVersion):  # the first try has let the file go
        Outbox(path)
    assert put_aside(path) == []
