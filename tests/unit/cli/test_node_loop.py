"""A node's poll: orders are carried out, and no failure of one poll ends the service."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from offchain.chain.errors import NodeUnavailable
from offchain.cli.node_loop import RunningNode
from offchain.errors import DmsmError
from offchain.index.follower import News
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
    gateway = SimpleNamespace()
    profile = SimpleNamespace(
        data=data,
        confirmations=0,
        store_urls=(f"dir:{data}/store",),
        content_folder=data / "content",
        store_copies=None,
        store_keep_days=400,
    )
    follower = SimpleNamespace(listen=lambda listener: None, follow=lambda stop: stop.wait())
    index = SimpleNamespace(follower=follower)
    node._session = SimpleNamespace(profile=profile, keys=keys, gateway=gateway, index=index)
    node._settings = SimpleNamespace(host="127.0.0.1", port=0, poll_s=0)
    node._worker = SimpleNamespace(run_once=run_once)
    from fastapi import FastAPI
    from structlog import get_logger

    node._intake, node._log = FastAPI(), get_logger("test")
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


def test_run__news_of_what_a_node_heeds__is_polled_for_at_once(tmp_path: Path) -> None:
    stop, listeners = threading.Event(), list[Any]()
    node = make_node(tmp_path, [[], [], []], stop)
    node._settings.poll_s = 60
    node._session.index.follower.listen = listeners.append
    running = threading.Thread(target=node.run, args=(stop,))
    running.start()
    give_up_at = time.monotonic() + 30
    while running.is_alive() and time.monotonic() < give_up_at:
        if listeners:
            listeners[0](News(7, new=frozenset({"NotificationBoard"})))
            listeners[0](News(8, final=frozenset({"PrepaidLock"})))
        time.sleep(0.01)
    assert not running.is_alive()
