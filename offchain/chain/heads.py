"""Wait for the next block, so that what waits for the chain is done as soon as it can be."""

from __future__ import annotations

import threading
import time

from offchain.chain.errors import NodeUnavailable
from offchain.chain.reader import ChainReader
from offchain.chain.subscription import FIRST_POLL_S

POLL_S = FIRST_POLL_S  # one small question each: about a millisecond of a local node


def wait_for_block(
    gateway: ChainReader,
    *,
    after: int | None,
    timeout_s: float,
    stop: threading.Event | None = None,
    poll_s: float = POLL_S,
) -> int | None:
    """Return when the newest block is not number `after`, after `timeout_s`, or when `stop` is set:
    the newest block's number, or None while no node answers.

    `after` None (no node answered): returns when one does. A node that tells of new blocks wakes
    who waits here; where none does, the newest is asked for, after `poll_s` first and more and more
    seldom while nothing comes.
    """
    stop, give_up_at = stop or threading.Event(), time.monotonic() + timeout_s
    heads = gateway.new_heads
    while (left_s := give_up_at - time.monotonic()) > 0:
        told = heads.told
        head = head_or_none(gateway)
        if head != after:
            heads.note_change(told)
            return head
        if after is None:
            stop.wait(left_s)
        else:
            heads.pause(told, most_s=left_s, poll_s=poll_s, stop=stop)
        if stop.is_set():
            break
    return after


def wait_for_news(
    gateway: ChainReader,
    *,
    after: int | None,
    told: int,
    timeout_s: float,
    stop: threading.Event | None = None,
    poll_s: float = POLL_S,
) -> None:
    """Return when a block was told since `told` were, and nothing is asked then; else as
    `wait_for_block`.
    """
    heads, give_up_at = gateway.new_heads, time.monotonic() + timeout_s
    stop = stop or threading.Event()
    while heads.is_told and not stop.is_set():
        left_s = give_up_at - time.monotonic()
        if heads.told != told or left_s <= 0:
            heads.note_change(told)
            return
        heads.pause(told, most_s=left_s, poll_s=poll_s, stop=stop)
        if heads.told == told:
            break  # it may have fallen silent: the chain is asked
    left_s = give_up_at - time.monotonic()
    wait_for_block(gateway, after=after, timeout_s=left_s, stop=stop, poll_s=poll_s)


def head_or_none(gateway: ChainReader) -> int | None:
    """Return the number of the newest block, or None while no node answers."""
    try:
        return gateway.block_number()
    except NodeUnavailable:
        return None
