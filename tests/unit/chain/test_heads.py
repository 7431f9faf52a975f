"""Waiting for a block: it ends with one, with the time, and when it is told to."""

import threading
import time
from typing import Any

from offchain.chain.errors import NodeUnavailable
from offchain.chain.heads import head_or_none, wait_for_block
from offchain.chain.subscription import NewHeads


class Chain:
    """A gateway whose head goes through `heads`, one a question; None: no answer."""

    def __init__(self, *heads: int | None) -> None:
        self.heads, self.asked = list(heads), 0
        self.new_heads = NewHeads([])

    def block_number(self) -> int:
        self.asked += 1
        head = self.heads.pop(0) if len(self.heads) > 1 else self.heads[0]
        if head is None:
            raise NodeUnavailable("no chain node answers")
        return head


def waited_s(chain: Any, **options: Any) -> float:
    started = time.monotonic()
    wait_for_block(chain, **options)
    return time.monotonic() - started


def test_wait_for_block__when_one_comes__returns_at_once() -> None:
    chain = Chain(7, 7, 8)
    assert waited_s(chain, after=7, timeout_s=30, poll_s=0.01) < 5
    assert chain.asked == 3


def test_wait_for_block__when_the_head_went_back__returns_at_once() -> None:
    assert waited_s(Chain(6), after=7, timeout_s=30) < 5


def test_wait_for_block__when_none_comes__waits_its_time() -> None:
    assert 0.1 <= waited_s(Chain(7), after=7, timeout_s=0.1, poll_s=0.01) < 5


def test_wait_for_block__when_told_to_stop__returns_at_once() -> None:
    stop = threading.Event()
    stop.set()
    assert waited_s(Chain(7), after=7, timeout_s=30, stop=stop) < 5


def test_wait_for_block__when_no_node_answers__waits_its_time() -> None:
    chain: Any = Chain(None)
    assert head_or_none(chain) is None
    assert 0.1 <= waited_s(chain, after=None, timeout_s=0.1) < 5


def test_wait_for_block__when_a_node_answers_again__returns_at_once() -> None:
    assert waited_s(Chain(9), after=None, timeout_s=30) < 5
