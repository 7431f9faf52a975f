"""Wait until what the roles did lies as deep in the chain as its nodes want it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from offchain.chain import questions
from offchain.chain.answers import SentTransaction
from offchain.chain.errors import NodeRefused
from offchain.chain.gateway import ChainGateway
from offchain.member.errors import MemberError

_POLL_S, _LONGEST_S = 0.01, 300.0


def wait_for_depth(gateway: ChainGateway, confirmations: int) -> None:
    """Return when `confirmations` blocks lie on the newest one with somebody's transaction.

    Later blocks hold only the network's heartbeat, which rests once that depth is reached. Raises
    MemberError when the chain stands still for minutes.
    """
    newest = gateway.block_number()
    numbers = range(max(0, newest - confirmations + 1), newest + 1)
    asked = [questions.transactions(number) for number in numbers]
    blocks = zip(numbers, gateway.endpoint.batch(asked), strict=True)
    wanted = max((number for number, block in blocks if _has_work(block)), default=0)
    give_up_at = time.monotonic() + _LONGEST_S
    while (head := gateway.block_number()) < wanted + confirmations:
        if time.monotonic() > give_up_at:
            raise MemberError(
                f"block {wanted} is not final: the chain stands still at {head}; do its signers"
                " run, and the heartbeat (`dmsm net status`)?"
            )
        time.sleep(_POLL_S)


def _has_work(block: Sequence[SentTransaction] | NodeRefused | None) -> bool:
    """Whether it holds more than beats; one that a reorganisation took away may have."""
    if block is None or isinstance(block, NodeRefused):
        return True
    return any(one.sender != one.to for one in block)
