"""Several stores as one: folders stand for the nodes; one is down when its folder is gone."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.errors import StoreDamaged
from offchain.storage import Cid, ContentStore, open_copied_store
from offchain.storage.blocks import BLOCK_BYTES
from offchain.storage.copies import HERE, CopiedStore, parcel_name
from offchain.storage.directory import DirectoryStore
from offchain.storage.errors import (
    CopiesMissing,
    ObjectCorrupt,
    ObjectNotFound,
    ObjectTooLarge,
    StoreUnavailable,
)
from offchain.storage.upkeep import DAY_S, due_stores, look_after

KEEP_S = 100 * DAY_S
START = 1_800_000_000


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


class Site:
    """Two nodes a and b, and a member with its own copies."""

    def __init__(self, folder: Path, *, copies: int = 2) -> None:
        self.folder, self.clock, self.copies = folder, Clock(), copies
        self.store = self.open()

    def open(self) -> CopiedStore:
        stores = {name: DirectoryStore(self.folder / name) for name in ("a", "b")}
        return CopiedStore(
            stores, self.folder / "own", copies=self.copies, keep_s=KEEP_S, clock=self.clock
        )

    def take_down(self, name: str) -> None:
        (self.folder / name).rename(self.folder / f"{name}.away")
        (self.folder / name).write_text("no folder")

    def bring_back(self, name: str) -> None:
        (self.folder / name).unlink()
        (self.folder / f"{name}.away").rename(self.folder / name)

    def file(self, name: str, cid: Cid) -> Path:
        return next((self.folder / name).rglob(str(cid)))

    def owed(self) -> list[tuple[str, str]]:
        return [(one.name, one.url) for one in self.store.kept.owed(urls=["a", "b"])]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.store.close()


def holds(site: Site, name: str, *cids: Cid) -> bool:
    return not site.store.stores[name].examine(*cids)


def test_put__both_answer__each_has_it_and_nothing_is_owed(site):
    cid = site.store.put(b"data")
    assert isinstance(site.store, ContentStore)
    assert holds(site, "a", cid) and holds(site, "b", cid)
    assert site.store.here.get(cid, max_bytes=4) == b"data"
    assert site.store.is_pinned(cid)
    assert site.owed() == []


def test_put__one_is_down__says_so_and_is_sent_when_it_is_back(site):
    site.take_down("b")
    with pytest.raises(CopiesMissing, match=r"1 of the 2 stores .*\bb\b"):
        site.store.put(b"data")
    cid = Cid.of_block(b"data")
    assert site.owed() == [(cid, "b")]
    assert site.store.pay_owed()
    site.bring_back("b")
    assert site.store.pay_owed(), "it is asked again after a pause only"
    site.clock.now += 30
    assert site.store.pay_owed() == []
    assert holds(site, "b", cid)
    assert site.store.put(b"data") == cid


def test_put__one_is_down_longer_than_the_grace__goes_on_without_it(site, caplog):
    site.take_down("b")
    with pytest.raises(CopiesMissing):
        site.store.put(b"first")
    site.clock.now += 599
    with pytest.raises(CopiesMissing):
        site.store.put(b"first")
    site.clock.now += 1
    with caplog.at_level(logging.WARNING):
        cid = site.store.put(b"first")
    assert "only 1 of 2 copies" in caplog.text
    assert site.owed() == [(cid, "b")]


def test_put__none_is_up_for_long__is_never_done(site):
    site.take_down("a")
    site.take_down("b")
    for _ in range(3):
        with pytest.raises(CopiesMissing, match="0 of the"):
            site.store.put(b"data")
        site.clock.now += 1_000
    assert site.store.get(Cid.of_block(b"data"), max_bytes=4) == b"data"


def test_put__process_ends_before_the_stores_are_asked__is_owed_to_both(site):
    def lose_power(*_: object) -> None:
        raise KeyboardInterrupt

    site.store.stores["a"].put = lose_power
    with pytest.raises(KeyboardInterrupt):
        site.store.put(b"data", lasting=True)
    site.store.close()
    site.store = site.open()
    cid = Cid.of_block(b"data")
    assert site.owed() == [(cid, "a"), (cid, "b")]
    assert site.store.pay_owed() == []
    assert holds(site, "a", cid) and holds(site, "b", cid)


def test_put_all__objects__are_one_parcel(site):
    objects = [b"one", os.urandom(BLOCK_BYTES + 1)]
    cids = site.store.put_all(objects, lasting=True)
    (parcel,) = site.store.kept.parcels()
    assert parcel.cids == tuple(cids)
    assert parcel.lengths == (3, BLOCK_BYTES + 1)
    assert parcel.keep_until is None
    assert parcel.name == parcel_name(cids)
    assert site.store.put_all([]) == []


def test_stage__objects__reaches_no_store(site):
    (cid,) = site.store.stage([b"data"])
    assert site.store.get(cid, max_bytes=4) == b"data"
    assert not holds(site, "a", cid)
    assert site.store.kept.parcels() == []


def test_get__a_store_serves_wrong_bytes__names_it_and_takes_the_next(site, caplog):
    cid = site.store.put(b"right bytes")
    site.file("own/objects", cid).unlink()
    site.file("a", cid).write_bytes(b"wrong bytes")
    assert site.store.get(cid, max_bytes=11) == b"right bytes"
    assert "a served wrong bytes" in caplog.text


def test_get__longer_than_allowed_at_one__takes_the_next(site):
    cid = site.store.put(b"right bytes")
    site.file("own/objects", cid).unlink()
    site.file("a", cid).write_bytes(bytes(1000))
    assert site.store.get(cid, max_bytes=11) == b"right bytes"


@pytest.mark.parametrize(
    ("damage", "error"),
    [(b"wrong", ObjectCorrupt), (bytes(50), ObjectTooLarge), (None, ObjectNotFound)],
)
def test_get__nobody_has_the_true_bytes__says_which_way(site, damage, error):
    cid = site.store.put(b"right")
    for name in ("own/objects", "a", "b"):
        path = site.file(name, cid)
        path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(error):
        site.store.get(cid, max_bytes=5)


def test_get__nobody_who_answers_has_it__is_unavailable_until_the_grace_is_over(site):
    site.take_down("b")
    cid = Cid.of_block(b"elsewhere")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            site.store.get(cid, max_bytes=9)
    site.clock.now += 599
    with pytest.raises(StoreUnavailable):
        site.store.get(cid, max_bytes=9)
    site.clock.now += 1
    with pytest.raises(ObjectNotFound):
        site.store.get(cid, max_bytes=9)


def test_put__what_lies_at_a_store_is_damaged__replaces_it(site):
    cid = site.store.put(b"right bytes")
    site.file("b", cid).write_bytes(b"wrong bytes")
    assert site.store.put(b"right bytes") == cid
    assert holds(site, "b", cid)


def test_pay_owed__a_store_keeps_other_bytes_each_time__tries_less_and_less_often(site):
    store, sent = site.store.stores["b"], []
    honest = store.put

    def corrupting(data: bytes, **_: object) -> Cid:
        sent.append(site.clock.now)
        cid = honest(data)
        site.file("b", cid).write_bytes(b"dust")
        return store._checked_block(cid, 100) and cid

    store.put = corrupting
    with pytest.raises(CopiesMissing, match="other bytes"):
        site.store.put(b"data")
    for _ in range(600):
        site.clock.now += 1
        site.store.pay_owed()
    rounds = sorted({at - START for at in sent})
    assert rounds == [0, 5, 15, 35, 75, 155, 315]
    site.store.pay_owed(at_once=True)
    assert sent[-1] == site.clock.now
    store.put = honest
    site.store.pay_owed(at_once=True)
    assert site.owed() == []


def test_look_after__a_store_lost_everything__puts_it_again(site):
    cids = site.store.put_all([b"one", b"two"], lasting=True)
    for cid in cids:
        site.file("b", cid).unlink()
    seen = look_after(site.store)
    assert {(one.url, one.cid, one.what, one.is_mended) for one in seen.findings} == {
        ("b", cid, "missing", True) for cid in cids
    }
    assert seen.is_whole
    assert (seen.parcels, seen.objects) == (1, 2)
    assert holds(site, "b", *cids)
    assert look_after(site.store).findings == ()


def test_look_after__own_copy_and_one_store_lost__restores_both_from_the_other(site):
    cid = site.store.put(b"data")
    for name in ("own/objects", "a"):
        site.file(name, cid).write_bytes(b"dust")
    seen = look_after(site.store)
    assert [(one.url, one.what, one.is_mended) for one in seen.findings] == [("a", "damaged", True)]
    assert site.store.here.get(cid, max_bytes=4) == b"data"
    assert holds(site, "a", cid)


def test_look_after__nobody_has_it_any_more__says_so_and_keeps_it_owed(site):
    cid = site.store.put(b"data")
    for name in ("own/objects", "a", "b"):
        site.file(name, cid).unlink()
    seen = look_after(site.store)
    assert not seen.is_whole
    assert {(one.url, one.is_mended) for one in seen.findings} == {("a", False), ("b", False)}
    assert "nobody has it" in site.store.kept.owed(urls=["a"])[0].reason


def test_look_after__a_store_is_down__is_named_and_due_again(site):
    site.store.put(b"data")
    assert due_stores(site.store) == ["a", "b"]
    site.take_down("b")
    seen = look_after(site.store)
    assert seen.silent == ("b",)
    assert not seen.is_whole
    assert due_stores(site.store) == []
    site.clock.now += 30
    assert due_stores(site.store) == []
    site.bring_back("b")
    site.clock.now += 30
    assert due_stores(site.store) == ["b"]
    assert look_after(site.store, ["b"]).is_whole
    assert due_stores(site.store) == []
    site.clock.now += DAY_S + 1
    assert due_stores(site.store) == ["a", "b"]


@pytest.mark.parametrize(("seconds", "is_there"), [(-1, True), (0, False), (1, False)])
def test_look_after__kept_long_enough__lets_it_go_but_not_what_lasts(site, seconds, is_there):
    passing, lasting = site.store.put(b"passing"), site.store.put(b"lasting", lasting=True)
    site.clock.now += KEEP_S + seconds
    seen = look_after(site.store)
    assert seen.let_go == (0 if is_there else 1)
    for name in ("a", "b"):
        assert holds(site, name, passing) is is_there
        assert holds(site, name, lasting)
    assert site.store.here.has(passing) is is_there


def test_put__again__is_kept_from_then_on(site):
    site.store.put(b"data")
    site.clock.now += KEEP_S - 1
    cid = site.store.put(b"data")
    site.clock.now += KEEP_S - 1
    assert look_after(site.store).let_go == 0
    assert holds(site, "a", cid)


def test_unpin__a_parcel__is_gone_everywhere_and_what_is_shared_stays(site):
    cids = site.store.put_all([b"one", b"two"], lasting=True)
    site.store.put(b"one", lasting=True)
    site.store.unpin(*cids)
    site.store.pay_owed()
    assert [one.cids for one in site.store.kept.parcels()] == [(cids[0],)]
    for name in ("a", "b"):
        assert holds(site, name, cids[0])
        assert not holds(site, name, cids[1])
    assert site.store.here.has(cids[0])
    assert not site.store.here.has(cids[1])


def test_look_after__staged_and_never_put__is_swept_after_a_week(site):
    (old,) = site.store.stage([b"old"])
    (new,) = site.store.stage([b"new"])
    kept = site.store.put(b"kept", lasting=True)
    for cid in (old, kept):
        os.utime(site.file("own/objects", cid), (1, 1))
    look_after(site.store)
    assert not site.store.here.has(old)
    assert site.store.here.has(new)
    assert site.store.here.has(kept)


def test_kept__file_is_no_database__says_what_to_do(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "kept.sqlite").write_bytes(b"dust" * 4000)
    with pytest.raises(StoreDamaged, match="put it aside"):
        Site(tmp_path)


def test_open_copied_store__one_folder__is_that_folder_alone(tmp_path):
    with open_copied_store([f"dir:{tmp_path}/only"], tmp_path / "own") as store:
        assert isinstance(store, DirectoryStore)
    assert not (tmp_path / "own").exists()


def test_open_copied_store__two__waits_for_both(tmp_path):
    urls = [f"dir:{tmp_path}/a", f"dir:{tmp_path}/b"]
    with open_copied_store(urls, tmp_path / "own") as store:
        assert isinstance(store, CopiedStore)
        cid = store.put(b"data")
        assert list(store.stores) == urls
        assert store.is_pinned(cid)
        next((tmp_path / "b").rglob(str(cid))).unlink()
        assert not store.is_pinned(cid)
        assert store.has(cid)
    assert HERE not in urls
