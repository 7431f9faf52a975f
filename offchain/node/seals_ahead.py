"""Keys of answers to users, made while their requests are still being checked."""

from __future__ import annotations

from collections.abc import Callable, Collection

from offchain.crypto import kem
from offchain.crypto.paillier import PaillierPublicKey

_Begun = tuple[PaillierPublicKey, bytes, Callable[[], kem.Encapsulation]]


class SealsAhead:
    """One encapsulation for each request that is being looked at: a request that has to wait for
    readings keeps its own, so that each look at it costs no new one.
    """

    def __init__(self) -> None:
        self._begun: dict[bytes, _Begun] = {}

    def __contains__(self, lock_id: bytes) -> bool:
        return lock_id in self._begun

    def begin(self, lock_id: bytes, recipient: PaillierPublicKey, *, context: bytes) -> None:
        """Begin one in a thread, unless it was begun for the same key and context before."""
        before = self._begun.get(lock_id)
        if before is not None and before[:2] == (recipient, context):
            return
        made = kem.begin_encapsulation(recipient, context=context)
        self._begun[lock_id] = recipient, context, made

    def take(self, lock_id: bytes) -> kem.Encapsulation:
        """Return what was begun, once it is ready; it is another's never again."""
        return self._begun.pop(lock_id)[2]()

    def keep_only(self, lock_ids: Collection[bytes]) -> None:
        """Forget the others: their requests were refused, or are over."""
        for lock_id in self._begun.keys() - set(lock_ids):
            del self._begun[lock_id]
