"""How a node has sold before, as the chain tells it: a buyer chooses by it."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.index.asked import data_sets as asked
from offchain.index.chain_index import ChainIndex
from offchain.member.roles import LockState
from offchain.types import Account

_FAILED = (LockState.REFUNDED, LockState.SLASHED)


@dataclass(frozen=True, slots=True)
class SellingHistory:
    """What became of a node's sales that have ended: paid for; declined in time, which costs no
    one; or failed: not delivered by T, undecided, or lost in a dispute.
    """

    sold: int
    declined: int
    failed: int


def history_of(index: ChainIndex, processor: Account, block: int) -> SellingHistory:
    """Return how a node has sold up to a block."""
    ends = [
        LockState(one["state"])
        for one in asked.locks_of_seller(index, processor, block)
        if one["is_ended"]
    ]
    return SellingHistory(
        sold=ends.count(LockState.SETTLED),
        declined=ends.count(LockState.DECLINED),
        failed=sum(ends.count(one) for one in _FAILED),
    )
