"""One process sends for an account: the lock of the data folder, and orders to a running node."""

import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offchain.cli.node_orders import OrderFailed, carry_out_orders, give_order
from offchain.cli.session import AccountBusy, only_sender
from offchain.cli.stopping import stop_signals
from offchain.errors import StoreBusy
from offchain.member.errors import NothingToPublish
from offchain.sqlite_file import connect, is_hurried, patiently


def test_only_sender__held_already__is_refused_and_free_afterwards(tmp_path: Path) -> None:
    with only_sender(tmp_path, wait_s=0):
        with pytest.raises(AccountBusy, match="another process works with"):
            with only_sender(tmp_path, wait_s=0.2):
                pass
    with only_sender(tmp_path, wait_s=0):
        pass


def give_while_carrying_out(
    data: Path, order: dict[str, Any], carry_out: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    stop = threading.Event()

    def node() -> None:
        while not stop.wait(0.02):
            carry_out_orders(data, carry_out)

    thread = threading.Thread(target=node)
    thread.start()
    try:
        return give_order(data, order, timeout_s=10)
    finally:
        stop.set()
        thread.join()


def test_give_order__to_a_running_node__returns_its_facts_once(tmp_path: Path) -> None:
    seen = []
    facts = give_while_carrying_out(
        tmp_path, {"do": "publish", "from": 1}, lambda order: seen.append(order) or {"rows": 7}
    )
    assert facts == {"rows": 7}
    assert seen == [{"do": "publish", "from": 1}]
    assert list((tmp_path / "orders").iterdir()) == []


def test_give_order__that_the_node_refuses__raises_its_reason(tmp_path: Path) -> None:
    def refuse(order: dict[str, Any]) -> dict[str, Any]:
        raise NothingToPublish("no consenting device")

    with pytest.raises(OrderFailed, match="no consenting device"):
        give_while_carrying_out(tmp_path, {"do": "publish"}, refuse)


def test_give_order__that_nobody_takes__is_taken_back(tmp_path: Path) -> None:
    with pytest.raises(OrderFailed, match="took no order"):
        give_order(tmp_path, {"do": "publish"}, timeout_s=0.1)
    assert list((tmp_path / "orders").iterdir()) == []


def test_stop_signals__on_sigterm__sets_the_event_and_restores_the_handler() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_signals() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.wait(1)
    assert signal.getsignal(signal.SIGTERM) == before


def test_stop_signals__while_a_store_is_held__ends_the_waiting_for_it(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def write() -> None:
        mine = connect(tmp_path / "store.sqlite")
        try:
            patiently(lambda: mine.execute("BEGIN IMMEDIATE"), tmp_path / "store.sqlite")
        finally:
            mine.close()

    began = time.monotonic()
    with stop_signals():
        threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGTERM]).start()
        with pytest.raises(StoreBusy):
            write()
    assert time.monotonic() - began < 30
    assert not is_hurried()
    other.close()


def test_logs__of_a_service__are_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    import logging

    import structlog

    from offchain.cli.logs import configure_logs

    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure_logs()
        structlog.get_logger("offchain.cli.node").info("started", url="http://127.0.0.1:1")
        logging.getLogger("offchain.node.worker").warning("a step failed: %s", "why")
        logging.getLogger("somebody.else").info("chatter")
    finally:
        root.handlers = handlers
        root.setLevel(level)
        logging.getLogger("offchain").setLevel(logging.NOTSET)
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["started", "a step failed: why"]
    assert (lines[0]["url"], lines[0]["level"], lines[1]["level"]) == (
        "http://127.0.0.1:1",
        "info",
        "warning",
    )
