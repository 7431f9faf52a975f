"""A running node as a process: what another program or a bad file does to it costs it nothing."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.conftest import Machine, wait_for


@pytest.fixture(scope="module")
def north(machine: Machine) -> Path:
    """The data folder of a node that may run."""
    data = machine.folder / "north" / "data"
    data.mkdir(exist_ok=True)
    return data


@contextmanager
def running(machine: Machine) -> Iterator["subprocess.Popen[str]"]:
    """A node that must live until the end, and then ends at once when it is told to."""
    with machine.process("north", "node", "run") as process:
        yield process
        assert process.poll() is None, log_text(machine)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert "Traceback" not in log_text(machine)


def log_text(machine: Machine) -> str:
    return (machine.folder / "north.log").read_text()


def events(machine: Machine, name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log_text(machine).splitlines()]
    return [line for line in lines if line["event"] == name]


def test_node_run__with_empty_and_torn_orders__starts_and_puts_them_aside(
    machine: Machine, north: Path
) -> None:
    folder = north / "orders"
    folder.mkdir(exist_ok=True)
    for name, text in (("a", ""), ("b", '{"do": "withd'), ("c", '{"do": "publish"}')):
        (folder / f"{name}.json").write_text(text)
        os.utime(folder / f"{name}.json", (0, 0))
    with running(machine):
        wait_for(lambda: (folder / "refused" / "c.reason").exists())
        assert machine.json("north", "node", "withdraw") == {"withdrawn_wei": 0}
    refused = sorted(file.name for file in (folder / "refused").iterdir())
    assert refused == [f"{name}.{kind}" for name in "abc" for kind in ("json", "reason")]
    assert len(events(machine, "order refused")) == 3
    with running(machine):
        pass


@pytest.mark.parametrize(
    "seconds", [4, pytest.param(60, marks=pytest.mark.slow)], ids=["4 s", "60 s"]
)
def test_node_run__while_another_program_holds_its_store__lives_and_goes_on(
    machine: Machine, north: Path, seconds: int
) -> None:
    with running(machine):
        other = sqlite3.connect(north / "node.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.execute("ROLLBACK")
        other.close()
        assert machine.json("north", "node", "withdraw") == {"withdrawn_wei": 0}
