"""End what is due: settle what was claimed or delivered, and disputes that stayed undecided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway
from offchain.member.locks import MOST_ENDED, LockBook
from offchain.member.roles import LockState
from offchain.node.outcome import Outcome
from offchain.node.store import NodeStore

# What a node ends: it earns by it, or has its bond free again. Others end what it has failed.
_MINE_TO_END = (LockState.CLAIMED, LockState.DELIVERED, LockState.DISPUTED)
_ENDED = (LockState.SETTLED, LockState.REFUNDED, LockState.SLASHED)
_SAYS = {
    "Settled": ("settled", "the price less the fee is withdrawable, the bond is free"),
    "Refunded": ("refunded", "the judges did not decide; the bond is free again"),
}


class Settlements:
    """The end of a node's locks; what has ended is noted, and not looked at again."""

    def __init__(
        self, *, gateway: ChainGateway, held: NodeStore, book: LockBook, depth: int
    ) -> None:
        """`book` reads what lies `depth` blocks deep."""
        self._gateway = gateway
        self._held = held
        self._book = book
        self._depth = depth
        self._newest = LockBook(gateway, confirmations=0)
        self._due_at: dict[bytes, int] = {}  # a stage only ever moves its deadline later

    def due(self, lock_ids: Iterable[bytes]) -> list[bytes]:
        """Return the locks whose stage is over and that nobody ended yet."""
        now, found = self._gateway.now(), []
        for lock_id in lock_ids:
            if self._due_at.get(lock_id, 0) > now or self._held.recall(_ended(lock_id)):
                continue
            lock = self._book.lock(lock_id)
            if lock.state in _ENDED:
                self._held.remember(_ended(lock_id), b"1")
                self._due_at.pop(lock_id, None)
            elif lock.state in _MINE_TO_END and lock.due_at <= now and self._stands(lock_id):
                found.append(lock_id)
            elif lock.due_at > now:
                self._due_at[lock_id] = lock.due_at
        return found

    def end(self, lock_ids: Sequence[bytes]) -> list[Outcome]:
        """End due locks, many by one transaction."""
        outcomes = []
        for start in range(0, len(lock_ids), MOST_ENDED):
            chosen = list(lock_ids[start : start + MOST_ENDED])
            outcomes += _outcomes(self._book.end_many(chosen))
        return outcomes

    def _stands(self, lock_id: bytes) -> bool:
        """Whether nobody has ended it in a block that is not final."""
        return not self._depth or self._newest.lock(lock_id).state in _MINE_TO_END


def _outcomes(receipt: Receipt) -> list[Outcome]:
    return [
        Outcome(_SAYS[event.name][0], bytes(event.args["lockId"]), _SAYS[event.name][1], receipt)
        for event in receipt.events
        if event.name in _SAYS
    ]


def _ended(lock_id: bytes) -> str:
    return f"settled:{lock_id.hex()}"
