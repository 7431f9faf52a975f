"""What is published survives its Kubo nodes: killed, collected, lying, robbed of their disks."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.storage import Cid, open_copied_store, open_store
from offchain.storage.blocks import BLOCK_BYTES, cut
from offchain.storage.car import write_car
from offchain.storage.copies import CopiedStore
from offchain.storage.errors import CopiesMissing, ObjectCorrupt
from offchain.storage.group import group_of, raw_link
from offchain.storage.kept import KeptParcels
from offchain.storage.kubo import KuboStore
from offchain.storage.upkeep import look_after
from tests.network.lying import killing_gateway, lying_gateway
from tests.network.swarm import Swarm

Objects = list[bytes]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    made = Swarm(tmp_path_factory.mktemp("storage") / "swarm", nodes=3)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def swarm(running: Swarm) -> Swarm:
    """Three nodes, all of them up."""
    running.start()
    return running


@pytest.fixture
def store(swarm: Swarm, tmp_path: Path) -> Iterator[CopiedStore]:
    """A member whose own node is ipfs-1, with copies at ipfs-2; ipfs-3 knows nothing of it."""
    with opened(swarm.urls[:2], tmp_path) as made:
        yield made


def opened(urls: list[str], folder: Path, *, timeout_s: float = 3.0) -> CopiedStore:
    made = open_copied_store(urls, folder / "content", timeout_s=timeout_s)
    assert isinstance(made, CopiedStore)
    return made


def data_set() -> Objects:
    """A ciphertext file of several blocks, a companion, a manifest."""
    return [os.urandom(size) for size in (5 * BLOCK_BYTES + 77, 40_000, 3_000)]


def holds(url: str, cids: list[Cid]) -> bool:
    with KuboStore(url, timeout_s=3) as node:
        return not node.examine(*cids)


def without_own_copy(store: CopiedStore) -> None:
    shutil.rmtree(store.here.folder)
    store.here.folder.mkdir()


def block_cids(objects: Objects) -> list[Cid]:
    return [Cid.of_block(one) for data in objects for one in (*cut(data).blocks, cut(data).root)]


def test_put_all__two_nodes__hold_it_under_one_pin_each_and_the_raw_identifiers(
    swarm: Swarm, store: CopiedStore
) -> None:
    objects = data_set()
    before = [swarm.rpc(name).pins() for name in swarm.names[:2]]
    cids = store.put_all(objects, lasting=True)
    assert cids == [Cid.of_object(data) for data in objects]
    assert all(holds(url, cids) for url in swarm.urls[:2])
    assert [swarm.rpc(name).pins() for name in swarm.names[:2]] == [one + 1 for one in before]
    with KuboStore(swarm.urls[2], timeout_s=5) as reader:  # a buyer, at a node of its own
        for cid, data in zip(cids, objects, strict=True):
            assert reader.get(cid, max_bytes=len(data)) == data


def test_kill__right_after_put__loses_nothing(swarm: Swarm, store: CopiedStore) -> None:
    cids = store.put_all(data_set(), lasting=True)
    for name in swarm.names[:2]:
        swarm.kill(name)
    swarm.start()
    assert all(holds(url, cids) for url in swarm.urls[:2])


def test_kill__in_the_middle_of_an_import__is_owed_and_sent_after_the_restart(
    swarm: Swarm, tmp_path: Path
) -> None:
    objects = [os.urandom(40 * BLOCK_BYTES), *data_set()]
    cids = [Cid.of_object(data) for data in objects]

    def kill() -> None:
        swarm.kill("ipfs-2")

    half = len(objects[0]) // 2
    with killing_gateway(swarm.urls[1], after_bytes=half, kill=kill) as gateway:
        with opened([swarm.urls[0], gateway], tmp_path) as store:
            with pytest.raises(CopiesMissing, match=gateway):
                store.put_all(objects, lasting=True)
            assert not swarm.processes.is_running("ipfs-2")
            swarm.start()
            assert holds(swarm.urls[0], cids)
            assert not holds(swarm.urls[1], cids)
            wait_until_nothing_is_owed(store)
    assert holds(swarm.urls[1], cids)


def wait_until_nothing_is_owed(store: CopiedStore) -> None:
    give_up_at = time.monotonic() + 60
    while owed := store.pay_owed():
        assert time.monotonic() < give_up_at, owed
        time.sleep(0.5)


def test_garbage_collection__between_add_and_pin__is_put_again(
    swarm: Swarm, store: CopiedStore
) -> None:
    objects = data_set()
    blocks = block_cids(objects)
    contents = [one for data in objects for one in (*cut(data).blocks, cut(data).root)]
    group = group_of(blocks)
    pairs = [*zip(map(raw_link, blocks), contents, strict=True), *group.nodes]
    archive = b"".join(write_car(group.root, pairs))
    # As if the daemon had ended between the last block and the pin.
    swarm.post("ipfs-1", "dag/import", file=archive, **{"pin-roots": "false"})
    with KuboStore(swarm.urls[0]) as node:
        assert node.has(blocks[0])
        swarm.collect_garbage("ipfs-1")
        assert not node.has(blocks[0])
    cids = store.put_all(objects, lasting=True)
    swarm.collect_garbage("ipfs-1")
    assert holds(swarm.urls[0], cids)


def test_garbage_collection__all_the_time__takes_nothing_of_what_is_put(
    swarm: Swarm, tmp_path: Path
) -> None:
    done, rounds = threading.Event(), []

    def collect() -> None:
        while not done.is_set():
            swarm.collect_garbage("ipfs-1")
            rounds.append(1)

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        # What is put waits for the collection at hand.
        with opened(swarm.urls[:2], tmp_path, timeout_s=30) as store:
            cids = [cid for _ in range(15) for cid in store.put_all(data_set(), lasting=True)]
            cids += [store.put(os.urandom(500)) for _ in range(15)]
    finally:
        done.set()
        collector.join()
    assert len(rounds) > 3
    swarm.collect_garbage("ipfs-1")
    assert all(holds(swarm.urls[0], [cid]) for cid in cids)


def test_look_after__pins_removed_and_garbage_collected__puts_all_again(
    swarm: Swarm, store: CopiedStore
) -> None:
    cids = [*store.put_all(data_set(), lasting=True), store.put(b"answer")]
    swarm.unpin_everything("ipfs-1")
    swarm.collect_garbage("ipfs-1")
    assert not holds(swarm.urls[0], cids)
    seen = look_after(store)
    assert {(one.url, one.what, one.is_mended) for one in seen.findings} == {
        (swarm.urls[0], "missing", True)
    }
    assert {one.cid for one in seen.findings} == set(cids)
    assert seen.is_whole
    swarm.collect_garbage("ipfs-1")
    assert all(holds(url, cids[:3]) and holds(url, cids[3:]) for url in swarm.urls[:2])


def test_look_after__only_the_pins_removed__pins_again_before_the_collector_comes(
    swarm: Swarm, store: CopiedStore
) -> None:
    cids = store.put_all(data_set(), lasting=True)
    swarm.unpin_everything("ipfs-2")
    seen = look_after(store)
    assert {(one.cid, one.what) for one in seen.findings} >= {(cid, "not pinned") for cid in cids}
    swarm.collect_garbage("ipfs-2")
    assert holds(swarm.urls[1], cids)


@pytest.mark.parametrize("which", ["block of a file", "index of a file", "object alone"])
def test_damaged_disk__of_the_own_node__is_refused_fetched_elsewhere_and_mended(
    swarm: Swarm, store: CopiedStore, caplog: pytest.LogCaptureFixture, which: str
) -> None:
    objects = data_set()
    cids = store.put_all(objects, lasting=True)
    alone = os.urandom(400)
    single = store.put(alone, lasting=True)
    cid, data = (single, alone) if which == "object alone" else (cids[0], objects[0])
    hit = Cid.of_block(objects[0][:BLOCK_BYTES]) if which == "block of a file" else cid
    swarm.damage("ipfs-1", hit.digest)
    without_own_copy(store)
    with KuboStore(swarm.urls[0]) as lying, pytest.raises(ObjectCorrupt, match=str(hit)):
        lying.get(cid, max_bytes=len(data))
    assert store.get(cid, max_bytes=len(data)) == data
    assert f"{swarm.urls[0]} served wrong bytes" in caplog.text
    seen = look_after(store)
    assert [(one.url, one.cid, one.what, one.is_mended) for one in seen.findings] == [
        (swarm.urls[0], cid, "damaged", True)
    ]
    assert holds(swarm.urls[0], cids)
    assert holds(swarm.urls[0], [single])
    assert store.here.get(cid, max_bytes=len(data)) == data


def test_lying_gateway__before_the_own_node__is_named_and_passed_by(
    swarm: Swarm, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = b"the true bytes" + os.urandom(100)
    with lying_gateway(swarm.urls[0], about=data[:14], instead=b"another saying") as gateway:
        with opened([gateway, swarm.urls[1], swarm.urls[2]], tmp_path) as store:
            cid = store.put(data)
            assert [one.url for one in store.kept.owed(urls=list(store.stores))] == [gateway]
            without_own_copy(store)
            with caplog.at_level(logging.WARNING):
                assert store.get(cid, max_bytes=len(data)) == data
            assert f"{gateway} served wrong bytes" in caplog.text
            assert not look_after(store).is_whole
            (owed,) = store.kept.owed(urls=list(store.stores))
            assert owed.url == gateway
            assert "other bytes" in owed.reason


def test_lying_gateway__that_told_the_truth_at_first__is_found_by_the_daily_look(
    swarm: Swarm, tmp_path: Path
) -> None:
    objects = [b"the true bytes" + os.urandom(100), os.urandom(900)]
    with lying_gateway(swarm.urls[0], about=objects[0][:14], instead=b"another saying") as gateway:
        with opened([gateway, swarm.urls[1]], tmp_path) as store:
            with KuboStore(swarm.urls[0]) as behind:
                behind.put_all(objects)
            with pytest.raises(CopiesMissing):
                store.put_all(objects)
            name = store.kept.parcels()[0].name
            store.kept.settle(name, [gateway])  # as if it had shown them
            seen = look_after(store)
            assert [(one.url, one.what, one.is_mended) for one in seen.findings] == [
                (gateway, "damaged", False)
            ]


def test_lying_gateway__while_a_data_set_is_put__counts_as_no_copy(
    swarm: Swarm, tmp_path: Path
) -> None:
    objects = [b"the true bytes" + os.urandom(100), os.urandom(900)]
    with lying_gateway(swarm.urls[0], about=objects[0][:14], instead=b"another saying") as gateway:
        with opened([gateway, swarm.urls[1]], tmp_path) as store:
            with pytest.raises(CopiesMissing, match="1 of the 2 stores"):
                store.put_all(objects, lasting=True)
    with opened([swarm.urls[0], swarm.urls[1]], tmp_path) as store:
        cids = store.put_all(objects, lasting=True)
    assert all(holds(url, cids) for url in swarm.urls[:2])


def test_get__own_node_down__comes_from_the_other(swarm: Swarm, store: CopiedStore) -> None:
    objects = data_set()
    cids = store.put_all(objects, lasting=True)
    without_own_copy(store)
    swarm.kill("ipfs-1")
    for cid, data in zip(cids, objects, strict=True):
        assert store.get(cid, max_bytes=len(data)) == data


@pytest.mark.parametrize("own_copy", [True, False])
def test_look_after__a_node_lost_with_its_disk__restores_its_copies(
    swarm: Swarm, store: CopiedStore, own_copy: bool
) -> None:
    cids = store.put_all(data_set(), lasting=True)
    single = store.put(b"answer" + os.urandom(20))
    if not own_copy:
        without_own_copy(store)
    swarm.lose_repository("ipfs-2")
    assert look_after(store).silent == (swarm.urls[1],)
    swarm.start()
    assert not holds(swarm.urls[1], cids)
    seen = look_after(store)
    assert {(one.url, one.what) for one in seen.findings} == {(swarm.urls[1], "missing")}
    assert {one.cid for one in seen.findings} == {*cids, single}
    wait_until_nothing_is_owed(store)
    swarm.collect_garbage("ipfs-2")
    assert holds(swarm.urls[1], cids)
    assert holds(swarm.urls[1], [single])


def test_pay_owed__the_list_is_of_an_earlier_process__sends_what_it_says(
    swarm: Swarm, tmp_path: Path
) -> None:
    swarm.kill("ipfs-2")
    objects = data_set()
    with opened(swarm.urls[:2], tmp_path) as store, pytest.raises(CopiesMissing):
        store.put_all(objects, lasting=True)
    kept = KeptParcels(tmp_path / "content" / "kept.sqlite")
    assert [one.url for one in kept.owed(urls=swarm.urls)] == [swarm.urls[1]]
    kept.close()
    swarm.start()
    with opened(swarm.urls[:2], tmp_path) as store:
        wait_until_nothing_is_owed(store)
    assert holds(swarm.urls[1], [Cid.of_object(data) for data in objects])


def test_get__only_the_last_store_has_it__needs_no_search_at_the_first(
    swarm: Swarm, tmp_path: Path
) -> None:
    folder = f"dir:{tmp_path / 'folder'}"
    with open_store(folder) as alone:
        cid = alone.put(b"in the folder")
    with open_copied_store([*swarm.urls[:2], folder], tmp_path / "content", timeout_s=30) as store:
        started = time.monotonic()
        assert store.get(cid, max_bytes=13) == b"in the folder"
        assert time.monotonic() - started < 20


def test_get__nobody_named_has_it__is_searched_for_in_the_swarm(
    swarm: Swarm, store: CopiedStore
) -> None:
    with KuboStore(swarm.urls[2]) as stranger:
        cid = stranger.put(b"at a node that is not named" + os.urandom(9))
    assert len(store.get(cid, max_bytes=50)) == 36
