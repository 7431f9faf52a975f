"""A data set on real Kubo nodes, published by a node that loses power, with nodes that do too.

The chain is anvil: what is tried here is the store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offchain.member.data_sets import data_set_of
from offchain.member.roles import LockState
from offchain.node.store import NodeStore
from offchain.storage import Cid
from offchain.storage.kubo import KuboStore
from tests.databases import store_place
from tests.integration.conftest import fresh, town
from tests.integration.node.test_crashes import copy_store, count_of, node_keys, run
from tests.integration.node.test_requests import ask
from tests.integration.town import Town
from tests.network.swarm import Swarm

__all__ = ["fresh", "node_keys", "town"]  # fixtures

STEPS = ["publish:staged", "publish:journaled", "publish:stored", "publish:sent"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    made = Swarm(tmp_path_factory.mktemp("publishing") / "swarm", nodes=2)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def swarm(running: Swarm) -> Swarm:
    running.start()
    return running


@pytest.fixture
def config(fresh: Town, swarm: Swarm, tmp_path: Path) -> dict[str, Any]:
    """What the north node is started with: its readings, and two Kubo nodes as its store."""
    held = store_place(tmp_path, "north")
    copy_store(fresh.nodes[0].place, held)
    return {
        "what": "publish",
        "window": list(fresh.houses[0].window),
        "held": str(held),
        "store": swarm.urls,
        "content": str(tmp_path / "content"),
    }


def published_once(town: Town, config: dict[str, Any]) -> list[tuple[str, int]]:
    """Assert that the chain has one data set of the node; return its files' CIDs and lengths."""
    node = town.houses[0].node
    events = node.gateway.events(
        "DataSetBook",
        "DataSetPublished",
        from_block=town.deployment.block("DataSetBook"),
        processor=node.keys.address,
    )
    assert len(events) == 1
    with NodeStore(config["held"]) as held:
        (stored,) = held.data_sets()
        files = json.loads(held.recall(f"files:{stored.data_set_id.hex()}"))
    on_chain = data_set_of(node.gateway, town.index, stored.data_set_id)
    assert Cid.from_digest(on_chain.manifest_digest) == files[-1][0]
    return [(cid, length) for cid, length in files]


def held_by_all(swarm: Swarm, files: list[tuple[str, int]]) -> bool:
    names = [cid for cid, _ in files]
    for url in swarm.urls:
        with KuboStore(url, timeout_s=3) as node:
            if node.examine(*names):
                return False
            for cid, length in files:
                assert len(node.get(cid, max_bytes=length)) == length
    return True


@pytest.mark.parametrize("step", STEPS)
def test_publisher__given_crash_of_it_and_of_kubo_at_step__publishes_once_and_all_is_there(
    fresh: Town, node_keys: Path, swarm: Swarm, config: dict[str, Any], step: str
) -> None:
    run(fresh, fresh.houses[0].node, node_keys, crash_at=step, **config)
    for name in swarm.names:
        swarm.kill(name)
    swarm.start()
    run(fresh, fresh.houses[0].node, node_keys, **config)
    run(fresh, fresh.houses[0].node, node_keys, **config)
    files = published_once(fresh, config)
    for name in swarm.names:
        swarm.collect_garbage(name)
    assert held_by_all(swarm, files)


@pytest.mark.parametrize("step", ["publish:journaled", "publish:stored"])
def test_publisher__given_pins_gone_and_garbage_collected_before_sending__stores_it_again(
    fresh: Town, node_keys: Path, swarm: Swarm, config: dict[str, Any], step: str
) -> None:
    run(fresh, fresh.houses[0].node, node_keys, crash_at=step, **config)
    for name in swarm.names:
        swarm.unpin_everything(name)
        swarm.collect_garbage(name)
    run(fresh, fresh.houses[0].node, node_keys, **config)
    files = published_once(fresh, config)
    for name in swarm.names:
        swarm.collect_garbage(name)
    assert held_by_all(swarm, files)


def test_publisher__given_all_disks_lost_before_sending__sends_what_it_has_itself(
    fresh: Town, node_keys: Path, swarm: Swarm, config: dict[str, Any]
) -> None:
    run(fresh, fresh.houses[0].node, node_keys, crash_at="publish:stored", **config)
    with NodeStore(config["held"]) as held:
        (before,) = held.data_sets()
    for name in swarm.names:
        swarm.lose_repository(name)
    swarm.start()
    run(fresh, fresh.houses[0].node, node_keys, **config)
    files = published_once(fresh, config)
    assert Cid.of_object(before.manifest) == files[-1][0]
    assert held_by_all(swarm, files)


@pytest.mark.parametrize("step", ["request:journaled", "request:stored", "request:accepted"])
def test_worker__given_crash_of_it_and_of_kubo_at_step__answers_once_with_two_copies(
    fresh: Town, node_keys: Path, swarm: Swarm, tmp_path: Path, step: str
) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)  # the user's store is the town's folder, so the node reads that, too
    config = {"store": [*swarm.urls, fresh.store_url], "content": str(tmp_path / "content")}
    run(fresh, house.node, node_keys, crash_at=step, **config)
    for name in swarm.names:
        swarm.kill(name)
    swarm.start()
    run(fresh, house.node, node_keys, **config)
    assert house.household.locks.lock(lock_id).state is LockState.SETTLED
    assert house.household.answers.audit(lock_id).ok
    assert count_of(fresh, "Accepted", lock_id) == 1
    answer = house.node.held.request(lock_id).answer
    assert held_by_all(swarm, [(str(Cid.of_object(answer)), len(answer))])
