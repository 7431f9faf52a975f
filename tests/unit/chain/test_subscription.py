"""Being told of new blocks: by an IPC socket that behaves, breaks, falls silent, talks nonsense."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from offchain.chain import subscription
from offchain.chain.subscription import NewHeads

HEAD = {"number": "0x7"}


class Teller:
    """A node's socket that takes subscriptions and tells what a test says."""

    def __init__(self, path: Path, answer: dict[str, Any]) -> None:
        self.lines: list[socket.socket] = []
        self.answer = answer
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return  # the test is over
            line.recv(1 << 16)
            line.sendall(json.dumps({"jsonrpc": "2.0", "id": 1} | self.answer).encode() + b"\n")
            self.lines.append(line)

    def tell(self, head: Any = HEAD, *, name: str = "0x1") -> None:
        params = {"subscription": name, "result": head}
        self.say(json.dumps({"method": "eth_subscription", "params": params}))

    def say(self, text: str) -> None:
        self.lines[-1].sendall(text.encode() + b"\n")

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for line in self.lines:
            line.close()


@pytest.fixture
def teller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Teller]:
    monkeypatch.setattr(subscription, "_SETTLED_S", 0.0)
    monkeypatch.setattr(subscription, "_AGAIN_S", 0.01)
    found = Teller(tmp_path / "node.ipc", {"result": "0x1"})
    yield found
    found.close()


@pytest.fixture
def heads(teller: Teller, tmp_path: Path) -> Iterator[NewHeads]:
    found = NewHeads([str(tmp_path / "node.ipc")])
    yield found
    found.close()


def pause(heads: NewHeads, *, most_s: float = 0.02, told: int | None = None) -> float:
    """Wait as who wants the next block does; return for how long."""
    began = time.monotonic()
    told = heads.told if told is None else told
    heads.pause(told, most_s=most_s, poll_s=0.01, stop=threading.Event())
    return time.monotonic() - began


def until(condition: Callable[[], bool], heads: NewHeads) -> None:
    give_up_at = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up_at
        pause(heads)


def test_pause__a_block_is_told__ends_at_once(heads: NewHeads, teller: Teller) -> None:
    until(lambda: heads.is_told, heads)
    threading.Timer(0.2, teller.tell).start()
    assert pause(heads, most_s=5) < 3
    assert heads.told == 1
    assert pause(heads, most_s=5, told=0) < 3  # told before one waited: nothing is missed


def test_pause__told_and_idle__waits_its_time(heads: NewHeads) -> None:
    until(lambda: heads.is_told, heads)
    assert 0.5 <= pause(heads, most_s=0.5) < 3


def test_pause__told_to_stop__ends_soon(heads: NewHeads) -> None:
    until(lambda: heads.is_told, heads)
    stop, began = threading.Event(), time.monotonic()
    threading.Timer(0.1, stop.set).start()
    heads.pause(heads.told, most_s=10, poll_s=0.01, stop=stop)
    assert time.monotonic() - began < 3


def test_pause__line_breaks__is_asked_for_and_told_again(heads: NewHeads, teller: Teller) -> None:
    until(lambda: heads.is_told, heads)
    threading.Timer(0.1, lambda: teller.lines[0].shutdown(socket.SHUT_RDWR)).start()
    assert pause(heads, most_s=5) < 3
    until(lambda: len(teller.lines) > 1 and heads.is_told, heads)
    teller.tell()
    until(lambda: heads.told == 1, heads)


@pytest.mark.parametrize(
    "said", ["nonsense", "[]", "7", json.dumps({"method": "eth_subscription", "params": None})]
)
def test_pause__node_talks_nonsense__line_is_left(
    heads: NewHeads, teller: Teller, said: str
) -> None:
    until(lambda: heads.is_told, heads)
    teller.say(said)
    until(lambda: len(teller.lines) > 1, heads)
    assert heads.told == 0


def test_pause__told_of_another_subscription__goes_on_waiting(
    heads: NewHeads, teller: Teller
) -> None:
    until(lambda: heads.is_told, heads)
    teller.tell(name="0x2")
    teller.say(json.dumps({"id": 5, "result": "0x1"}))
    teller.tell()
    until(lambda: heads.told == 1, heads)
    assert len(teller.lines) == 1


def test_note_change__blocks_come_and_are_not_told__line_is_left(
    heads: NewHeads, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "SAFETY_POLL_S", 0.05)
    until(lambda: heads.is_told, heads)
    for _ in range(2):
        pause(heads, most_s=1)
        heads.note_change(heads.told)
    until(lambda: len(teller.lines) > 1, heads)


@pytest.mark.parametrize("answer", [{"error": {"code": -32601, "message": "no such method"}}])
def test_pause__node_offers_none__is_asked_for_and_not_tried_again_soon(
    heads: NewHeads, teller: Teller, answer: dict[str, Any]
) -> None:
    teller.answer = answer
    until(lambda: len(teller.lines) == 1, heads)
    for _ in range(20):
        assert pause(heads) < 1
    assert len(teller.lines) == 1 and not heads.is_told


def test_pause__nobody_tells__asks_less_often_while_nothing_comes() -> None:
    heads = NewHeads([])
    heads.note_change(0)
    assert pause(heads, most_s=9) < 0.15
    heads._changed_at -= 60
    assert 0.25 <= pause(heads, most_s=9) < 1
    assert pause(heads, most_s=0.01) < 0.2
