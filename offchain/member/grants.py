"""Sharing locks as the chain shows them: the selection, the group, and the transcript that was
delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.crypto import sharing
from offchain.crypto.curve import G1, G2
from offchain.crypto.sharing import Transcript
from offchain.errors import CryptoError
from offchain.member.errors import GrantNotReady, MemberError
from offchain.member.locks import Lock, LockBook
from offchain.types import Account


@dataclass(frozen=True)
class Selection:
    """A selected node's lock and its group; `members` and `delivery_keys` are in the contract's
    order, 1..n.
    """

    lock: Lock
    order: Any
    members: tuple[Account, ...]
    delivery_keys: tuple[G1, ...]

    @property
    def broadcast_id(self) -> bytes:
        """The broadcast that the selection came from."""
        return bytes(self.order.broadcastId)

    @property
    def data_set_id(self) -> bytes:
        """The data set that was bought."""
        return bytes(self.order.dataSetId)

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

    def __init__(self, gateway: ChainGateway, *, confirmations: int | None = None) -> None:
        """Read what lies `confirmations` deep; None: as deep as the gateway says."""
        self._gateway, self._confirmations = gateway, confirmations
        self._book = LockBook(gateway, confirmations=confirmations)

    def selection(self, lock_id: bytes) -> Selection:
        """Return a sharing lock's selection; the group is checked against the lock's hash.

        Raises MemberError.
        """
        order = self._book.event_of("Selected", lock_id).args["order"]
        for event in self._group_events(broadcastId=bytes(order.broadcastId)):
            if lock_id in [bytes(one) for one in event.args["lockIds"]]:
                return self._checked(lock_id, order, event)
        raise MemberError(f"this chain has no group of lock {lock_id.hex()} (yet)")

    def delivered_to(self, account: str) -> list[bytes]:
        """Return the delivered locks of groups that the account is in, oldest first."""
        delivered = {bytes(event.args["lockId"]) for event in self._book.events("Delivered")}
        return [
            bytes(lock_id)
            for event in self._group_events()
            if account in event.args["members"]
            for lock_id in event.args["lockIds"]
            if bytes(lock_id) in delivered
        ]

    def grant(self, lock_id: bytes, account: str) -> ReceivedGrant:
        """Return what was delivered to a member. Raises GrantNotReady."""
        selection = self.selection(lock_id)
        index = selection.index_of(account)
        found = self._book.events("Delivered", lockId=lock_id)
        if not found:
            raise GrantNotReady(
                f"no shares were delivered for lock {lock_id.hex()} yet; the node has until T, "
                f"{selection.lock.expires_at}, and from then on the price can be refunded"
            )
        delivered = found[-1].args
        transcript = Transcript(
            tuple(G2.from_words(one, allow_infinity=True) for one in delivered["commitments"]),
            tuple(G1.from_words(one) for one in delivered["shares"]),
        )
        return ReceivedGrant(selection, index, transcript)

    def _group_events(self, **filters: Any) -> tuple[Any, ...]:
        start = self._gateway.deployment.block("DataMarket")
        return self._gateway.events(
            "DataMarket",
            "GroupSelected",
            from_block=start,
            to_block=self._gateway.final(self._confirmations),
            **filters,
        )

    def _checked(self, lock_id: bytes, order: Any, event: Any) -> Selection:
        lock = self._book.lock(lock_id)
        members = tuple(event.args["members"])
        keys = tuple(G1.from_words(one) for one in event.args["deliveryKeys"])
        try:
            hashed = sharing.group_hash(list(zip(members, keys, strict=True)))
        except CryptoError as error:
            raise MemberError(f"the group of lock {lock_id.hex()} is malformed: {error}") from error
        if hashed != lock.binding:
            raise MemberError(
                f"the group announced for lock {lock_id.hex()} is not the one that it stores; "
                "is this the deployment that the lock was made on?"
            )
        return Selection(lock, order, members, keys)
