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


def head_or_none(gateway: ChainReader) -> int | None:
    """Return the number of the newest block, or None while no node answers."""
    try:
        return gateway.block_number()
    except NodeUnavailable:
        return None
