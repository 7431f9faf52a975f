"""A node that loses power at any step takes up where it was, and does nothing twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from offchain.crypto.secret import SecretBytes
from offchain.database import Place
from offchain.index.asked import locks as asked_locks
from offchain.member.roles import LockState
from offchain.node.store import GrantState, JobState, NodeStore
from offchain.node.tables import batches, day_keys, envelopes, readings, starts
from tests.databases import store_place
from tests.integration.buyer.test_sharing import call_for_data, publish_both, select_both
from tests.integration.node.test_requests import ask
from tests.integration.town import (
    APPLICATION_WEI,
    DATA_SET_PRICE_WEI,
    PROJECT,
    SHORTEST_S,
    Node,
    Town,
)

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def node_keys(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys") / "north"
    town.nodes[0].keys.save(folder, SecretBytes(PASSWORD.encode()), light=True)
    return folder


def run(town: Town, node: Node, keys: Path, *, crash_at: str | None = None, **more: Any) -> str:
    config = {
        "what": "worker",
        "rpc": town.anvil.url,
        "deployment": str(town.deployment_file),
        "store": town.store_url,
        "keys": str(keys),
        "password": PASSWORD,
        "held": str(node.place),
        "outbox": None,
        "price_wei": DATA_SET_PRICE_WEI,
    } | more
    environment = dict(os.environ) | ({"DMSM_CRASH_AT": crash_at} if crash_at else {})
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("run_node.py")), json.dumps(config)],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    expected = -signal.SIGKILL if crash_at else 0
    assert done.returncode == expected, done.stderr
    return done.stdout


def count_of(town: Town, name: str, lock_id: bytes) -> int:
    """How often a lock went through a step."""
    steps = asked_locks.steps(town.index, lock_id, town.index.follower.catch_up())
    return [one.name for one in steps].count(name)


@pytest.mark.parametrize(
    ("step", "with_outbox"),
    [
        ("request:journaled", False),
        ("request:stored", False),
        ("request:accepted", False),
        ("request:accepted", True),
        ("claim:journaled", False),
        ("claim:sent", False),
        ("claim:sent", True),
    ],
)
def test_worker__given_crash_at_step__answers_once(
    fresh: Town, node_keys: Path, tmp_path: Path, step: str, with_outbox: bool
) -> None:
    house = fresh.houses[0]
    outbox = str(tmp_path / "outbox.sqlite") if with_outbox else None
    until = house.gateway.now() + 20 * SHORTEST_S  # two processes start before then, however slowly
    lock_id = ask(house, expires_at=until)

    run(fresh, house.node, node_keys, crash_at=step, outbox=outbox)
    prepared = house.node.held.request(lock_id)
    run(fresh, house.node, node_keys, outbox=outbox)

    finished = house.node.held.request(lock_id)
    assert prepared.answer is not None and prepared.answer == finished.answer
    assert prepared.factor == finished.factor
    assert house.household.locks.lock(lock_id).state is LockState.SETTLED
    assert house.household.answers.audit(lock_id).ok
    assert count_of(fresh, "Accepted", lock_id) == count_of(fresh, "Claimed", lock_id) == 1


@pytest.mark.parametrize(
    "step", ["publish:staged", "publish:journaled", "publish:stored", "publish:sent"]
)
def test_publisher__given_crash_at_step__publishes_once(
    fresh: Town, node_keys: Path, tmp_path: Path, step: str
) -> None:
    house = fresh.houses[0]
    held = store_place(tmp_path, "north")
    copy_store(fresh.nodes[0].place, held)
    window = list(house.window)
    config = {"what": "publish", "window": window, "held": str(held)}

    run(fresh, house.node, node_keys, crash_at=step, **config)
    run(fresh, house.node, node_keys, **config)
    run(fresh, house.node, node_keys, **config)

    start = fresh.deployment.block("DataSetBook")
    node = house.node
    published = node.gateway.events(
        "DataSetBook", "DataSetPublished", from_block=start, processor=node.keys.address
    )
    assert len(published) == 1


@pytest.mark.parametrize(
    "step", ["retire:sent", "publish:journaled", "publish:stored", "publish:sent", "republish:sent"]
)
@pytest.mark.parametrize("with_outbox", [False, True])
def test_worker__given_crash_while_it_retires_and_republishes__does_each_once(
    fresh: Town, node_keys: Path, tmp_path: Path, step: str, with_outbox: bool
) -> None:
    leaves, stays = fresh.houses[0], fresh.houses[2]
    node = leaves.node
    outbox = str(tmp_path / "outbox.sqlite") if with_outbox else None
    old = node.publisher.publish(*leaves.window).data_set_id
    leaves.household.consents.withdraw(leaves.device.address)
    config = {"republish": True, "outbox": outbox}
    if step != "retire:sent":
        run(fresh, node, node_keys, **config)  # the sale is ended, and nothing else yet

    run(fresh, node, node_keys, crash_at=step, **config)
    for _ in range(3):
        run(fresh, node, node_keys, **config)

    start = {"from_block": fresh.deployment.block("DataSetBook"), "processor": node.keys.address}
    retired = node.gateway.events("DataSetBook", "DataSetRetired", **start)
    assert [one.args["dataSetId"] for one in retired] == [old]
    first, second = node.gateway.events("DataSetBook", "DataSetPublished", **start)
    assert first.args["dataSetId"] == old
    held = node.held.data_set(bytes(second.args["dataSetId"]))
    assert held.published and held.devices == [stays.device.address]


@pytest.mark.parametrize("crash", [False, True])
def test_worker__given_withdrawal_before_the_selection__declines_once(
    fresh: Town, node_keys: Path, crash: bool
) -> None:
    node, house, buyer = fresh.nodes[0], fresh.houses[0], fresh.buyers[0]
    publish_both(fresh)
    broadcast_id = call_for_data(fresh)
    node.worker.run_once()
    house.household.consents.withdraw(house.device.address)  # and nobody ends the sale
    (lock_id,) = select_both(fresh, broadcast_id)

    if crash:
        run(fresh, node, node_keys, crash_at="decline:journaled")
    run(fresh, node, node_keys)
    run(fresh, node, node_keys)

    assert buyer.locks.lock(lock_id).state is LockState.DECLINED
    assert count_of(fresh, "Declined", lock_id) == 1
    assert "CONSENT_WITHDRAWN" in node.held.grant(lock_id).reason


def test_publisher__given_files_gone_before_anything_was_sent__builds_and_publishes_anew(
    fresh: Town, node_keys: Path, tmp_path: Path
) -> None:
    house, content = fresh.houses[0], tmp_path / "content"
    held = store_place(tmp_path, "north")
    copy_store(fresh.nodes[0].place, held)
    config = {"what": "publish", "window": list(house.window), "held": str(held)}
    config["store"] = f"dir:{content}"

    run(fresh, house.node, node_keys, crash_at="publish:journaled", **config)
    with NodeStore(held) as store:
        (lost,) = store.data_sets()
    shutil.rmtree(content)
    run(fresh, house.node, node_keys, **config)

    with NodeStore(held) as store:
        (stored,) = store.data_sets()
    assert stored.published
    assert stored.data_set_id != lost.data_set_id  # under a key of its own


@pytest.mark.parametrize("step", ["deal:journaled", "deal:begun", "deal:sent"])
def test_worker__given_crash_while_dealing__delivers_the_same_transcript(
    fresh: Town, node_keys: Path, step: str
) -> None:
    node, lock_id = selected(fresh)

    run(fresh, node, node_keys, crash_at=step)
    dealt = node.held.grant(lock_id).transcript
    run(fresh, node, node_keys)

    buyer = fresh.buyers[0]
    assert buyer.locks.lock(lock_id).state is LockState.SETTLED
    assert buyer.shares.grant(lock_id).transcript == dealt


@pytest.mark.parametrize("with_outbox", [False, True])
def test_worker__given_crash_before_sending_and_margin_gone__still_delivers(
    fresh: Town, node_keys: Path, tmp_path: Path, with_outbox: bool
) -> None:
    node, lock_id = selected(fresh)
    outbox = str(tmp_path / "outbox.sqlite") if with_outbox else None

    run(fresh, node, node_keys, crash_at="deal:begun", outbox=outbox)
    assert node.held.grant(lock_id).state is GrantState.DELIVERING
    fresh.anvil.stand_at(fresh.buyers[0].locks.lock(lock_id).expires_at - 20)
    run(fresh, node, node_keys, outbox=outbox)

    assert node.held.grant(lock_id).state is GrantState.DELIVERED
    assert fresh.buyers[0].locks.lock(lock_id).state is LockState.SETTLED


@pytest.mark.parametrize("seconds_to_t", [20, 0, -20])
def test_worker__given_shares_sent_and_no_depth_near_t__looks_until_they_are_there(
    fresh: Town, node_keys: Path, seconds_to_t: int
) -> None:
    fresh.admin.set_sharing_terms(
        application_wei=APPLICATION_WEI, shortest_s=SHORTEST_S, dispute_window_s=1_000
    )
    node, lock_id = selected(fresh)
    depth = {"confirmations": 3}
    fresh.anvil.mine(3)

    run(fresh, node, node_keys, crash_at="deal:sent", **depth)
    fresh.anvil.stand_at(fresh.buyers[0].locks.lock(lock_id).expires_at - seconds_to_t)
    run(fresh, node, node_keys, **depth)
    assert node.held.grant(lock_id).state is GrantState.DELIVERING
    fresh.anvil.mine(3)
    run(fresh, node, node_keys, **depth)

    assert node.held.grant(lock_id).state is GrantState.DELIVERED
    fresh.anvil.warp(1_000)
    fresh.anvil.mine(3)
    run(fresh, node, node_keys, **depth)
    assert fresh.buyers[0].locks.lock(lock_id).state is LockState.SETTLED


def test_worker__given_claim_sent_and_no_depth_at_t__looks_until_it_is_there(
    fresh: Town, node_keys: Path
) -> None:
    house, depth = fresh.houses[0], {"confirmations": 3}
    lock_id = ask(house)
    house.node.worker.requests.handle(lock_id)
    fresh.anvil.mine(3)

    run(fresh, house.node, node_keys, crash_at="claim:sent", **depth)
    fresh.anvil.stand_at(house.household.locks.lock(lock_id).expires_at)
    run(fresh, house.node, node_keys, **depth)
    assert house.node.held.request(lock_id).state is JobState.CLAIMING
    fresh.anvil.mine(3)
    run(fresh, house.node, node_keys, **depth)

    assert house.node.held.request(lock_id).state is JobState.CLAIMED


def selected(town: Town) -> tuple[Node, bytes]:
    node = town.nodes[0]
    publish_both(town)
    broadcast_id = call_for_data(town)
    node.worker.run_once()
    (lock_id,) = select_both(town, broadcast_id)
    return node, lock_id


def copy_store(source: Place, target: Place) -> None:
    """Copy what a node holds of its devices, without its journal.

    The journal may speak of a chain that another test has taken back.
    """
    with NodeStore(source) as old, NodeStore(target) as new, new._database.write() as connection:
        for table in (day_keys, readings, batches, envelopes, starts):
            if rows := [row._asdict() for row in old._all(select(table))]:
                connection.execute(insert(table), rows)
