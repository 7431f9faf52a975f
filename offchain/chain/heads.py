"""Wait for the next block, so that what waits for the chain is done as soon as it can be."""

from __future__ import annotations

import threading
import time

from offchain.chain.errors import NodeUnavailable
from offchain.chain.reader import ChainReader

POLL_S = 0.01  # one small question each: about a millisecond of a local node


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

    `after` None (no node answered): returns when one does.
    """
    stop, give_up_at = stop or threading.Event(), time.monotonic() + timeout_s
    while (left_s := give_up_at - time.monotonic()) > 0:
        head = head_or_none(gateway)
        if head != after:
            return head
        if stop.wait(left_s if after is None else min(poll_s, left_s)):
            break
    return after


def head_or_none(gateway: ChainReader) -> int | None:
    """Return the number of the newest block, or None while no node answers."""
    try:
        return gateway.block_number()
    except NodeUnavailable:
        return None
