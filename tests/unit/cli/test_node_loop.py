"""A node's poll: orders are carried out, and no failure of one poll ends the service."""

import os
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from offchain.chain.errors import NodeUnavailable
from offchain.cli.loop_log import LoopLog
from offchain.cli.node_loop import RunningNode
from offchain.errors import DmsmError, StoreBusy, StoreDamaged, StoreFull
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
        ("poll works again", "info"),
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


def test_run__with_polls_that_fail_unforeseen__goes_on_and_says_each_kind_once(
    tmp_path: Path,
) -> None:
    stop = threading.Event()
    polls: list[Any] = [TypeError("x"), TypeError("x"), TypeError("x"), MemoryError(), []]
    with capture_logs() as logs:
        make_node(tmp_path, polls, stop).run(stop)
    said = [entry["event"] for entry in logs]
    assert said == ["started", "poll failed", "poll failed", "poll works again", "stopped"]
    assert logs[3]["times"] == 4


def test_run__with_a_damaged_store__ends_with_it(tmp_path: Path) -> None:
    stop = threading.Event()
    with pytest.raises(StoreDamaged):
        make_node(tmp_path, [StoreDamaged("node.sqlite is damaged"), []], stop).run(stop)


def test_run__with_an_empty_order_in_its_folder__starts_and_refuses_it(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    empty = tmp_path / "orders" / "a.json"
    empty.write_bytes(b"")
    os.utime(empty, (0, 0))
    stop = threading.Event()
    with capture_logs() as logs:
        make_node(tmp_path, [[], []], stop).run(stop)
    assert [entry["event"] for entry in logs] == ["started", "order refused", "stopped"]
    assert (tmp_path / "orders" / "refused" / "a.json").exists()


def test_run__with_waits_of_many_polls__says_their_begin_and_their_end(tmp_path: Path) -> None:
    stop = threading.Event()
    one, two = b"\x01" * 32, b"\x02" * 32
    waits = [
        [Outcome("skipped", one, f"waits: block {number}"), Outcome("skipped", two, "waits")]
        for number in range(8)
    ]
    polls: list[Any] = [*waits, [Outcome("accepted", one, "an answer")]]
    with capture_logs() as logs:
        make_node(tmp_path, polls, stop).run(stop)
    said = [(entry["event"], entry.get("times")) for entry in logs]
    assert said == [
        ("started", None),
        ("skipped", None),
        ("skipped", None),
        ("accepted", 8),
        ("waits no longer", 8),
        ("stopped", None),
    ]


def test_run__with_a_full_store__waits_and_says_so_once_a_minute(tmp_path: Path) -> None:
    stop = threading.Event()
    polls: list[Any] = [*[StoreFull("node.sqlite: no room")] * 5, StoreBusy("held"), []]
    with capture_logs() as logs:
        make_node(tmp_path, polls, stop).run(stop)
    said = [entry["event"] for entry in logs]
    assert said == ["started", "no room", "store busy", "poll works again", "stopped"]
