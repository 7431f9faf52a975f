"""A node's poll: orders are carried out, and no failure of one poll ends the service."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from offchain.chain.errors import NodeUnavailable
from offchain.cli.loop_log import LoopLog
from offchain.cli.node_loop import RunningNode
from offchain.errors import DmsmError
from offchain.node.outcome import Outcome


def make_node(data: Path, polls: list[Any], stop: threading.Event) -> RunningNode:
    """A node without keys and chain, whose worker gives `polls` and then stops the loop."""

    def run_once() -> list[Outcome]:
        if len(polls) == 1:
            stop.set()
        found = polls.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    node = object.__new__(RunningNode)
    keys = SimpleNamespace(address="0x1")
    deployment = SimpleNamespace(address=lambda name: name)
    gateway = SimpleNamespace(block_number=lambda: 1, deployment=deployment)
    profile = SimpleNamespace(
        data=data,
        confirmations=0,
        store_urls=(f"dir:{data}/store",),
        content_folder=data / "content",
        store_copies=None,
        store_keep_days=400,
    )
    node._session = SimpleNamespace(profile=profile, keys=keys, gateway=gateway)
    node._settings = SimpleNamespace(host="127.0.0.1", port=0, poll_s=0)
    node._worker = SimpleNamespace(run_once=run_once)
    from fastapi import FastAPI
    from structlog import get_logger

    node._intake, node._log = FastAPI(), get_logger("test")
    node._loop = LoopLog(node._log, lasting=("skipped", "failed"))
    return node


def test_run__with_failing_polls__goes_on_and_logs_each(tmp_path: Path) -> None:
    stop = threading.Event()
    polls = [
        NodeUnavailable("no chain node answers"),
        DmsmError("the store is full"),
        [Outcome("failed", b"\x01" * 32, "later"), Outcome("settled", b"\x02" * 32, "done")],
    ]
    with capture_logs() as logs:
        make_node(tmp_path, polls, stop).run(stop)
    events = [(entry["event"], entry["log_level"]) for entry in logs]
    assert events == [
        ("started", "info"),
        ("chain unavailable", "warning"),
        ("poll failed", "error"),
        ("failed", "warning"),
        ("settled", "info"),
        ("stopped", "info"),
    ]


def test_carry_out__an_order_that_is_none__is_refused(tmp_path: Path) -> None:
    with pytest.raises(DmsmError, match="knows no order 'dance'"):
        make_node(tmp_path, [], threading.Event()).carry_out({"do": "dance"})
