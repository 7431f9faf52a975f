"""A running node whose store another program holds for a minute: it waits, and then goes on."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.request
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Machine, wait_for

HELD_S = 60.0


def last_block_of(path: Path) -> int:
    """Return how far the node has read the chain, by the index beside its store."""
    with sqlite3.connect(path.with_name("index.sqlite"), timeout=60) as store:
        (number,) = store.execute("SELECT coalesce(max(number), 0) FROM blocks").fetchone()
    return number or 0


@pytest.mark.slow
def test_node_run__store_is_held_for_a_minute__does_not_end_and_goes_on(machine: Machine) -> None:
    path = machine.folder / "north/data/node.sqlite"
    log = machine.folder / "north.log"
    with machine.process("north", "node", "run") as process:
        wait_for(lambda: last_block_of(path) > 0)
        files = {one.name for one in path.parent.iterdir()}
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        until = time.monotonic() + HELD_S
        machine.anvil.mine(1)
        device = machine.accounts["meter"].lower()
        while time.monotonic() < until:
            assert process.poll() is None, log.read_text()
            url = f"{machine.url_of('north')}/v1/devices/{device}"
            assert json.load(urllib.request.urlopen(url, timeout=20))["next_seq"] == 1  # it reads
            time.sleep(1)
        other.execute("ROLLBACK")
        other.close()
        held_at = last_block_of(path)
        machine.anvil.mine(1)
        wait_for(lambda: last_block_of(path) > held_at)
        assert {one.name for one in path.parent.iterdir()} >= files  # nothing was renamed
        assert "Traceback" not in log.read_text()
        assert process.poll() is None
