"""End what is due: settle what was claimed or delivered, and disputes that stayed undecided."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.chain.facts import Receipt
from offchain.index.asked import locks as asked_locks
from offchain.member.locks import MOST_ENDED
from offchain.member.roles import LockState
from offchain.node.desk import Desk
from offchain.node.outcome import Outcome

# What a node ends: it earns by it, or has its bond free again. Others end what it has failed.
_MINE_TO_END = (LockState.CLAIMED, LockState.DELIVERED, LockState.DISPUTED)
_SAYS = {
    "Settled": ("settled", "the price less the fee is withdrawable, the bond is free"),
    "Refunded": ("refunded", "the judges did not decide; the bond is free again"),
}


class SettlementDesk(Desk):
    """The end of a node's locks. What has ended is not looked at again, however much it is."""

    def due(self) -> list[bytes]:
        """Return the locks whose stage is over and that nobody ended yet, the newest block too."""
        me = self._keys.address
        final, newest = (
            asked_locks.waiting(self._index, me, block, _MINE_TO_END)
            for block in (self._final(), self._index.newest())
        )
        if not final:
            return []
        now, stand = self._gateway.now(), {one["lock_id"] for one in newest}
        over = [one["lock_id"] for one in final if one["due_at"] <= now]
        return [one for one in over if one in stand]

    def end(self, lock_ids: Sequence[bytes]) -> list[Outcome]:
        """End due locks, many by one transaction."""
        outcomes = []
        for start in range(0, len(lock_ids), MOST_ENDED):
            chosen = list(lock_ids[start : start + MOST_ENDED])
            outcomes += _outcomes(self._book.end_many(chosen))
        return outcomes


def _outcomes(receipt: Receipt) -> list[Outcome]:
    return [
        Outcome(_SAYS[event.name][0], bytes(event.args["lockId"]), _SAYS[event.name][1], receipt)
        for event in receipt.events
        if event.name in _SAYS
    ]
