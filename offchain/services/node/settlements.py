"""Settle what was claimed or delivered once its dispute window is over."""

from __future__ import annotations

from collections.abc import Iterable

from offchain.chain.gateway import ChainGateway
from offchain.services.locks import LockBook
from offchain.services.node.outcome import Outcome
from offchain.services.node.store import NodeStore
from offchain.services.roles import LockState


class Settlements:
    """The end of a node's locks; what was settled is noted, and not looked at again."""

    def __init__(
        self, *, gateway: ChainGateway, held: NodeStore, book: LockBook, depth: int
    ) -> None:
        """`book` reads what lies `depth` blocks deep."""
        self._gateway = gateway
        self._held = held
        self._book = book
        self._depth = depth
        self._newest = LockBook(gateway, confirmations=0)

    def due(self, lock_ids: Iterable[bytes], *, state: LockState) -> list[bytes]:
        """Return the locks in `state` whose window is over and that nobody settled yet."""
        now, found = self._gateway.now(), []
        for lock_id in lock_ids:
            if self._held.recall(_settled(lock_id)) is not None:
                continue
            lock = self._book.lock(lock_id)
            if lock.state is LockState.SETTLED:
                self._held.remember(_settled(lock_id), b"1")
            elif lock.state is state and lock.settle_at <= now and self._stands(lock_id, state):
                found.append(lock_id)
        return found

    def settle(self, lock_id: bytes) -> Outcome:
        """Make the price withdrawable."""
        receipt = self._book.settle(lock_id)
        if self._depth == 0:  # else it may yet be taken off: the safe block says
            self._held.remember(_settled(lock_id), b"1")
        return Outcome("settled", lock_id, "the price is withdrawable", receipt)

    def _stands(self, lock_id: bytes, state: LockState) -> bool:
        """Whether nobody has settled it in a block that is not final."""
        return not self._depth or self._newest.lock(lock_id).state is state


def _settled(lock_id: bytes) -> str:
    return f"settled:{lock_id.hex()}"
