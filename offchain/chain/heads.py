"""Wait for the next block, so that what waits for the chain is done as soon as it can be."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from offchain.chain import questions
from offchain.chain.errors import NodeRefused, NodeUnavailable
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


def wait_for_events(
    gateway: ChainReader,
    contracts: Sequence[str],
    *,
    after: int | None,
    depth: int,
    timeout_s: float,
    stop: threading.Event,
) -> int | None:
    """Return when one of `contracts` has said something in a block after `after`, or something that
    lies `depth` deep only since then; else after `timeout_s`, or when `stop` is set.

    Returns the newest block that was looked at, to be the next `after`; None while no node answers.
    Blocks of no concern are passed over. A node that does not answer is waited out.
    """
    give_up_at = time.monotonic() + timeout_s
    addresses = [gateway.deployment.address(name) for name in contracts]
    seen = after
    while (left_s := give_up_at - time.monotonic()) > 0 and not stop.is_set():
        head = wait_for_block(gateway, after=seen, timeout_s=left_s, stop=stop)
        if head is None or head == seen:
            continue
        if after is None or head < after or _has_logs(gateway, addresses, after - depth, head):
            return head
        seen = head
    return seen


def _has_logs(gateway: ChainReader, addresses: Sequence[str], after: int, head: int) -> bool:
    wanted = {"address": addresses, "fromBlock": hex(max(0, after + 1)), "toBlock": hex(head)}
    try:
        return bool(gateway.endpoint.ask(questions.logs(wanted)))
    except (NodeUnavailable, NodeRefused):
        return True  # a head that another node does not have yet: let the poll find out


def head_or_none(gateway: ChainReader) -> int | None:
    """Return the number of the newest block, or None while no node answers."""
    try:
        return gateway.block_number()
    except NodeUnavailable:
        return None
