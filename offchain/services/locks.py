"""Locks as the chain stores them, and the money that is withdrawable: what every payer and payee
asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.chain.receipt import ChainEvent, Receipt
from offchain.services.errors import ServiceError
from offchain.services.roles import LockState
from offchain.types import Account

_OPEN = (LockState.REQUESTED, LockState.ACCEPTED, LockState.SELECTED)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of PrepaidLock; times are unix seconds of the chain, `subject` a padded type id or a
    data set id.
    """

    lock_id: bytes
    payer: Account
    payee: Account
    state: LockState
    expires_at: int
    settle_at: int
    price_wei: int
    threshold: int
    group_size: int
    subject: bytes
    binding: bytes
    answer_digest: bytes

    @property
    def type_id(self) -> int:
        """The request type of a user's request."""
        return int.from_bytes(self.subject, "big")


class LockBook:
    """Read locks and their events; end them; withdraw.

    `confirmations` is how deep a block must lie to be believed; None: as deep as the gateway says.
    With 0 the newest block counts: good enough to inform, never to release anything.
    """

    def __init__(self, gateway: ChainGateway, *, confirmations: int | None = None) -> None:
        self._gateway = gateway
        self._confirmations = confirmations

    def lock(self, lock_id: bytes) -> Lock:
        """Return the lock (state NONE if unknown) as it stands in the newest block deep enough."""
        value = self._gateway.call("PrepaidLock", "lockOf", lock_id, block=self._safe_block())
        return Lock(
            lock_id=lock_id,
            payer=value.payer,
            payee=value.payee,
            state=LockState(value.state),
            expires_at=value.expiresAt,
            settle_at=value.settleAt,
            price_wei=value.priceWei,
            threshold=value.threshold,
            group_size=value.groupSize,
            subject=bytes(value.subject),
            binding=bytes(value.binding),
            answer_digest=bytes(value.answerDigest),
        )

    def locks(self, event: str, **parties: str) -> list[Lock]:
        """Return the locks that began with `event` (Requested or Selected), filtered by payer= or
        payee=, oldest first.
        """
        found = self.events(event, **parties)
        return [self.lock(bytes(one.args["lockId"])) for one in found]

    def events(self, event: str, **filters: object) -> list[ChainEvent]:
        """Return PrepaidLock's events deep enough to be believed."""
        start = self._gateway.deployment.block("PrepaidLock")
        found = self._gateway.events(
            "PrepaidLock", event, from_block=start, to_block=self._safe_block(), **filters
        )
        return list(found)

    def event_of(self, event: str, lock_id: bytes) -> ChainEvent:
        """Return the one event of a lock. Raises ServiceError if there is none yet."""
        found = self.events(event, lockId=lock_id)
        if not found:
            raise ServiceError(
                f"this chain has no {event} event of lock {lock_id.hex()} (yet); is the id right?"
            )
        return found[-1]

    def is_missed(self, lock_id: bytes) -> bool:
        """Whether T passed, in the newest block deep enough, with the lock still open.

        What was sent before T and is not mined by then never will be.
        """
        block = self._gateway.block(self._safe_block())
        lock = self.lock(lock_id)  # as of that block, or a later one
        return lock.state in _OPEN and lock.expires_at <= block.timestamp

    def refund(self, lock_id: bytes) -> Receipt:
        """Give the prepayment back because T passed."""
        return self._gateway.transact("PrepaidLock", "refund", lock_id)

    def settle(self, lock_id: bytes) -> Receipt:
        """Make the price withdrawable by the payee once the dispute window is over."""
        return self._gateway.transact("PrepaidLock", "settle", lock_id)

    def withdrawable_wei(self) -> int:
        """Return what this account may withdraw: what is final, and not on its way already."""
        me, blocks = self._gateway.address, {"latest", self._safe_block()}
        return min(
            int(self._gateway.call("PrepaidLock", "withdrawableOf", me, block=block))
            for block in blocks
        )

    def withdraw(self) -> Receipt | None:
        """Withdraw what is this account's own; None if there is nothing."""
        if self.withdrawable_wei() == 0:
            return None
        return self._gateway.transact("PrepaidLock", "withdrawFor", self._gateway.address)

    def _safe_block(self) -> int | str:
        return self._gateway.final(self._confirmations)
