"""A node that loses power at any step takes up where it was, and does nothing twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from offchain.crypto.secret import SecretBytes
from offchain.services.roles import LockState
from tests.integration.services.conftest import (
    DATA_SET_PRICE_WEI,
    PROJECT,
    Node,
    Town,
)
from tests.integration.services.test_requests import ask
from tests.integration.services.test_sharing import call_for_data, publish_both, select_both

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
        "held": str(town.folder / "north.sqlite"),
        "outbox": None,
        "price_wei": DATA_SET_PRICE_WEI,
        "tariff": town.tariff.encode().decode(),
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
    lock_id = ask(house)

    run(fresh, house.node, node_keys, crash_at=step, outbox=outbox)
    prepared = house.node.held.request(lock_id)
    run(fresh, house.node, node_keys, outbox=outbox)

    finished = house.node.held.request(lock_id)
    assert prepared.answer is not None and prepared.answer == finished.answer
    assert prepared.factor == finished.factor
    assert house.user.lock(lock_id).state is LockState.SETTLED
    assert house.user.audit(lock_id, fresh.tariff).ok
    book = house.user._book
    assert len(book.events("Accepted", lockId=lock_id)) == 1
    assert len(book.events("Claimed", lockId=lock_id)) == 1


@pytest.mark.parametrize("step", ["publish:journaled", "publish:stored", "publish:sent"])
def test_publisher__given_crash_at_step__publishes_once(
    fresh: Town, node_keys: Path, tmp_path: Path, step: str
) -> None:
    house = fresh.houses[0]
    held = tmp_path / "north.sqlite"
    copy_store(fresh.folder / "north.sqlite", held)
    window = list(house.window)
    config = {"what": "publish", "window": window, "held": str(held)}

    run(fresh, house.node, node_keys, crash_at=step, **config)
    run(fresh, house.node, node_keys, **config)
    run(fresh, house.node, node_keys, **config)

    start = fresh.deployment.block("DataLedger")
    node = house.node
    published = node.gateway.events(
        "DataLedger", "DataSetPublished", from_block=start, processor=node.keys.address
    )
    assert len(published) == 1


@pytest.mark.parametrize("step", ["deal:journaled", "deal:sent"])
def test_worker__given_crash_while_dealing__delivers_the_same_transcript(
    fresh: Town, node_keys: Path, step: str
) -> None:
    node = fresh.nodes[0]
    publish_both(fresh)
    broadcast_id = call_for_data(fresh)
    node.worker.run_once()
    (lock_id,) = select_both(fresh, broadcast_id)

    run(fresh, node, node_keys, crash_at=step)
    dealt = node.held.grant(lock_id).transcript
    run(fresh, node, node_keys)

    agent = fresh.buyers[0].agent
    assert agent.lock(lock_id).state is LockState.SETTLED
    assert agent.grant(lock_id).transcript == dealt


def copy_store(source: Path, target: Path) -> None:
    import sqlite3

    with sqlite3.connect(source) as from_database, sqlite3.connect(target) as to_database:
        from_database.backup(to_database)
