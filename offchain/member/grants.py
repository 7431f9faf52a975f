"""Sharing locks as the chain shows them: the selection, the group, and the transcript that was
delivered.
"""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.crypto import sharing
from offchain.crypto.curve import G1, G2
from offchain.crypto.sharing import Transcript
from offchain.errors import CryptoError
from offchain.index.asked import locks as asked_locks
from offchain.index.asked import market
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import GrantNotReady, MemberError, NotOnChain
from offchain.member.locks import Lock, LockBook, told_in
from offchain.types import Account, to_account


@dataclass(frozen=True)
class Selection:
    """A selected node's lock and its group; `members` and `delivery_keys` are in the contract's
    order, 1..n. `message`: what the buyer sealed to the node.
    """

    lock: Lock
    broadcast_id: bytes
    message_digest: bytes
    message_length: int
    nonce: bytes
    members: tuple[Account, ...]
    delivery_keys: tuple[G1, ...]

    @property
    def data_set_id(self) -> bytes:
        """The data set that was bought."""
        return self.lock.subject

    def index_of(self, account: str) -> int:
        """Return a member's index 1..n. Raises GrantNotReady for somebody outside the group."""
        if account not in self.members:
            raise GrantNotReady(f"{account} is not in the group of lock {self.lock.lock_id.hex()}")
        return self.members.index(account) + 1


@dataclass(frozen=True)
class ReceivedGrant:
    """A delivered grant as one member sees it."""

    selection: Selection
    my_index: int
    transcript: Transcript

    @property
    def lock_id(self) -> bytes:
        """The lock."""
        return self.selection.lock.lock_id

    @property
    def data_set_id(self) -> bytes:
        """The data set that was bought."""
        return self.selection.data_set_id

    @property
    def processor(self) -> Account:
        """The node that sold it."""
        return self.selection.lock.payee

    @property
    def members(self) -> tuple[Account, ...]:
        """The group in the contract's order."""
        return self.selection.members

    @property
    def threshold(self) -> int:
        """How many shares recover the key."""
        return self.selection.lock.threshold


class GrantBook:
    """Read selections and delivered grants from the chain."""

    def __init__(
        self, gateway: ChainGateway, index: ChainIndex, *, confirmations: int | None = None
    ) -> None:
        """Read what lies `confirmations` deep; None: as deep as the gateway says."""
        self._gateway, self._index, self._confirmations = gateway, index, confirmations
        self._book = LockBook(gateway, index, confirmations=confirmations)

    def selection(self, lock_id: bytes) -> Selection:
        """Return a sharing lock's selection; the group is checked against the lock's hash.

        Raises MemberError.
        """
        block = self._block()
        order = asked_locks.selection(self._index, lock_id, block)
        if order is None:
            raise NotOnChain(
                f"this chain has no selection of lock {lock_id.hex()} (yet); is the id right?"
            )
        group = market.group_of(self._index, lock_id, block)
        if group is None:
            raise MemberError(f"this chain has no group of lock {lock_id.hex()} (yet)")
        return self._checked(lock_id, order, group)

    def delivered_to(self, account: str) -> list[bytes]:
        """Return the delivered locks of groups that the account is in, oldest first."""
        return market.delivered_to(self._index, account, self._block())

    def grant(self, lock_id: bytes, account: str) -> ReceivedGrant:
        """Return what was delivered to a member. Raises GrantNotReady."""
        selection = self.selection(lock_id)
        index = selection.index_of(account)
        step = asked_locks.last_step(self._index, lock_id, "Delivered", self._block())
        if step is None:
            raise GrantNotReady(
                f"no shares were delivered for lock {lock_id.hex()} yet; the node has until T, "
                f"{selection.lock.expires_at}, and from then on the price can be refunded"
            )
        found = told_in(self._gateway, step)
        if found is None:
            raise NotOnChain(f"a reorganisation took the delivery of lock {lock_id.hex()} off")
        delivered = found.args
        transcript = Transcript(
            tuple(G2.from_words(one, allow_infinity=True) for one in delivered["commitments"]),
            tuple(G1.from_words(one) for one in delivered["shares"]),
        )
        return ReceivedGrant(selection, index, transcript)

    def _block(self) -> int:
        """Return the block that is read at, once the tables are up to date."""
        self._index.follower.catch_up()
        depth = self._gateway.confirmations if self._confirmations is None else self._confirmations
        return self._index.final(depth)

    def _checked(self, lock_id: bytes, order: Row, group: market.Group) -> Selection:
        lock = self._book.lock(lock_id)
        members = tuple(to_account(one) for one in group.members)
        keys = tuple(G1.from_words(_words(one)) for one in group.delivery_keys)
        try:
            hashed = sharing.group_hash(list(zip(members, keys, strict=True)))
        except CryptoError as error:
            raise MemberError(f"the group of lock {lock_id.hex()} is malformed: {error}") from error
        if hashed != lock.binding:
            raise MemberError(
                f"the group announced for lock {lock_id.hex()} is not the one that it stores; "
                "is this the deployment that the lock was made on?"
            )
        return Selection(
            lock=lock,
            broadcast_id=order["broadcast_id"],
            message_digest=order["message_digest"],
            message_length=order["message_length"],
            nonce=order["nonce"],
            members=members,
            delivery_keys=keys,
        )


def _words(point: bytes) -> tuple[int, int]:
    return int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")
