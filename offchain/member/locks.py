"""Locks as the chain stores them: what every payer and payee asks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from eth_hash.auto import keccak

from offchain.chain.errors import NodeRefused
from offchain.chain.facts import Block, ChainEvent, Receipt
from offchain.chain.gateway import ChainGateway
from offchain.chain.reader import Asked
from offchain.crypto.messages import abi_encode
from offchain.index.asked import locks as asked_locks
from offchain.index.asked.locks import Step
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import NotOnChain
from offchain.member.roles import LockState
from offchain.types import Account

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_OPEN = (LockState.REQUESTED, LockState.ACCEPTED, LockState.SELECTED)
_LATER = (LockState.CLAIMED, LockState.DELIVERED, LockState.DEMANDED, LockState.DISPUTED)
_BPS = 10_000
MOST_ENDED = 64  # locks of one `endMany`
# Limits where users wait: an estimate takes a node several times the call itself. Well above what
# is measured, first use included (docs/gas.md): only what is used is paid.
REQUEST_GAS, ACCEPT_GAS, CLAIM_GAS = 600_000, 300_000, 300_000


def deliver_gas(threshold: int, group_size: int) -> int:
    """Return the most gas that delivering shares to a group takes: 260,000 + 40,000·t + 17,000·n +
    155·t·(2n − t).

    t + 1 pairings, n members' points, and a step for each binomial C(i, j) that is not zero, of
    which there are about t·(2n − t)/2. Fitted to what is measured (docs/gas.md), a twentieth above
    it, and 80,000 for storage that is used for the first time.
    """
    t, n = threshold, group_size
    return 260_000 + 40_000 * t + 17_000 * n + 155 * t * (2 * n - t)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of PrepaidLock; times are unix seconds of the chain, `subject` a padded type id or a
    data set id.

    due_at: the deadline of the stage behind T, 0 before. bond_wei: what the payee puts up for it.
    """

    lock_id: bytes
    payer: Account
    payee: Account
    state: LockState
    expires_at: int
    due_at: int
    price_wei: int
    threshold: int
    group_size: int
    is_demanded: bool
    dispute_window_s: int
    answer_length: int
    fee_bps: int
    owners_bps: int
    rules_version: int
    bond_wei: int
    subject: bytes
    binding: bytes
    answer_digest: bytes

    @property
    def type_id(self) -> int:
        """The request type of a user's request."""
        return int.from_bytes(self.subject, "big")

    @property
    def fee_wei(self) -> int:
        """What the consortium gets of the price when the lock settles."""
        return self.price_wei * self.fee_bps // _BPS

    @property
    def owners_wei(self) -> int:
        """What the owners of a sold data set get of the price, and the treasury of its division."""
        return self.price_wei * self.owners_bps // _BPS

    @property
    def earned_wei(self) -> int:
        """What the payee gets of the price when the lock settles."""
        return self.price_wei - self.fee_wei - self.owners_wei

    @property
    def end_at(self) -> int | None:
        """From when on anybody may end it by `endMany` as its stage has it; None once ended."""
        if self.state in _OPEN:
            return self.expires_at
        return self.due_at if self.state in _LATER else None


def lock_id_of(gateway: ChainGateway, payer: str, nonce: bytes) -> bytes:
    """Return the id of the lock that a payer's nonce gives, as `PrepaidLock.lockIdOf` does."""
    words = gateway.chain_id, gateway.deployment.address("PrepaidLock"), payer, nonce
    return keccak(abi_encode(["uint256", "address", "address", "bytes32"], words))


def lock_of(told: Row) -> Lock:
    """Return a lock as the tables tell it: to inform."""
    names = (one.name for one in fields(Lock) if one.name != "state")
    return Lock(state=LockState(told["state"]), **{name: told[name] for name in names})


def _read_lock(lock_id: bytes, value: Any) -> Lock:
    return Lock(
        lock_id=lock_id,
        payer=value.payer,
        payee=value.payee,
        state=LockState(value.state),
        expires_at=value.expiresAt,
        due_at=value.dueAt,
        price_wei=value.priceWei,
        threshold=value.threshold,
        group_size=value.groupSize,
        is_demanded=value.isDemanded,
        dispute_window_s=value.disputeWindowSeconds,
        answer_length=value.answerLength,
        fee_bps=value.feeBps,
        owners_bps=value.ownersBps,
        rules_version=value.rulesVersion,
        bond_wei=value.bondWei,
        subject=bytes(value.subject),
        binding=bytes(value.binding),
        answer_digest=bytes(value.answerDigest),
    )


class LockBook:
    """Read locks and their events; end those that are due.

    The contract says what a lock is; the tables say in which block an event of it stands, and the
    chain what it says. `confirmations` is how deep a block must lie to be believed; None: as deep
    as the gateway says. With 0 the newest block counts: good enough to inform, never to release
    anything.
    """

    def __init__(
        self, gateway: ChainGateway, index: ChainIndex, *, confirmations: int | None = None
    ) -> None:
        self._gateway, self._index = gateway, index
        self._confirmations = confirmations
        self._as_of: int | str | None = None
        self._known: dict[tuple[str, bytes], ChainEvent] = {}  # events, by name and lock

    def glance(
        self, lock_id: bytes, event: str, *beside: Asked
    ) -> tuple[LockBook, Lock, Block, list[Any]]:
        """Return a book of what is deep enough now, the lock as it stands there, the newest block,
        and the answers `beside`: by one question where the tables are up to date, since they tell
        which block to ask for, and by two else. After one the book knows the lock's last event of
        that name, if the tables do.
        """
        told = self._index.final(self._depth())
        if told >= self._gateway.deployment.last_block:  # else no contract was there
            step = asked_locks.last_step(self._index, lock_id, event, told)
            try:
                return self._glance_at(told, lock_id, step, beside)
            except NodeRefused as refusal:  # the node that was asked does not have that block
                _log.debug("the tables are ahead of the chain node: %s", refusal)
        return self._glance_at(self._gateway.final_number(self._depth()), lock_id, None, beside)

    def _glance_at(
        self, told: int, lock_id: bytes, step: Step | None, beside: Sequence[Asked]
    ) -> tuple[LockBook, Lock, Block, list[Any]]:
        depth = self._depth()
        block: int | str = told if depth else "latest"
        asked = [self._gateway.asking("PrepaidLock", "lockOf", lock_id, block=block), *beside]
        if step is not None:
            asked.append(_asking_step(self._gateway, step))
        newest, (value, *answers) = self._gateway.ask_together(asked)
        found = answers.pop() if step is not None else ()
        book = LockBook(self._gateway, self._index, confirmations=self._confirmations)
        deep = self._gateway.final_number(depth, newest=newest)
        if depth and told != deep:  # the tables are behind, or the node that was asked is
            book._as_of = deep
            return book, book.lock(lock_id), newest, answers
        book._as_of = block
        if step is not None and found:
            book._known[step.name, lock_id] = found[-1]
        return book, _read_lock(lock_id, value), newest, answers

    def look(
        self, lock_id: bytes, event: str, *beside: Asked, since: int
    ) -> tuple[LockBook, Lock, Block, ChainEvent | None, list[Any]]:
        """Return, by one question that no table is needed for, a book of the newest block, the lock
        as it stands there, that block, the lock's last event of that name from block `since` on,
        None for none, which the book knows, and the answers `beside`: to inform who waits.
        """
        asked = [
            self._gateway.asking("PrepaidLock", "lockOf", lock_id),
            self._gateway.asking_events(
                "PrepaidLock", event, from_block=since, to_block="latest", lockId=lock_id
            ),
            *beside,
        ]
        newest, (value, events, *answers) = self._gateway.ask_together(asked)
        book = LockBook(self._gateway, self._index, confirmations=self._confirmations)
        book._as_of = "latest"
        if events:
            book._known[event, lock_id] = events[-1]
        found = events[-1] if events else None
        return book, _read_lock(lock_id, value), newest, found, answers

    def lock_if_deep(self, lock_id: bytes, block: int, newest: Block) -> Lock | None:
        """Return the lock as it stands in the newest block deep enough, by the newest block; None
        while `block` is not.
        """
        depth = self._depth()
        if block > newest.number - depth:
            return None
        self._as_of = newest.number - depth if depth else "latest"
        return self.lock(lock_id)

    def lock(self, lock_id: bytes) -> Lock:
        """Return the lock (state NONE if unknown) as it stands in the newest block deep enough."""
        value = self._gateway.call("PrepaidLock", "lockOf", lock_id, block=self._safe_block())
        return _read_lock(lock_id, value)

    def block_of(self, event: str, lock_id: bytes) -> int:
        """Return the block of a lock's last event of one name. Raises NotOnChain if there is none
        yet.
        """
        step = asked_locks.last_step(self._index, lock_id, event, self._told_block())
        return on_chain(step, event, lock_id).block

    def find_event(self, event: str, lock_id: bytes) -> ChainEvent | None:
        """Return a lock's last event of one name, None if there is none yet."""
        if (known := self._known.get((event, lock_id))) is not None:
            return known
        return event_at(self._gateway, self._index, event, lock_id, self._told_block())

    def event_of(self, event: str, lock_id: bytes) -> ChainEvent:
        """Return a lock's last event of one name. Raises NotOnChain if there is none yet."""
        return on_chain(self.find_event(event, lock_id), event, lock_id)

    def is_missed(self, lock_id: bytes) -> bool:
        """Whether T passed, in the newest block deep enough, with the lock still open.

        What was sent before T and is not mined by then never will be.
        """
        block = self._gateway.block(self._safe_block())
        lock = self.lock(lock_id)  # as of that block, or a later one
        return lock.state in _OPEN and lock.expires_at <= block.timestamp

    def end_many(self, lock_ids: Sequence[bytes]) -> Receipt:
        """Do for each of at most MOST_ENDED locks what is due by time: settle, slash or refund.

        What is not due is passed over by the contract.
        """
        return self._gateway.transact("PrepaidLock", "endMany", list(lock_ids))

    def _told_block(self) -> int:
        """Return the block that the tables are asked of, once they are up to date."""
        block, newest = self._safe_block(), self._index.follower.catch_up()
        return block if isinstance(block, int) else newest

    def _depth(self) -> int:
        return self._gateway.confirmations if self._confirmations is None else self._confirmations

    def _safe_block(self) -> int | str:
        if self._as_of is not None:
            return self._as_of
        return self._gateway.final(self._confirmations)


def _asking_step(gateway: ChainGateway, step: Step) -> Asked:
    return gateway.asking_events(
        "PrepaidLock", step.name, from_block=step.block, to_block=step.block, lockId=step.lock_id
    )


def told_in(gateway: ChainGateway, step: Step) -> ChainEvent | None:
    """Return what the chain says of a step; None where a reorganisation took it off."""
    found = gateway.events(
        "PrepaidLock", step.name, from_block=step.block, to_block=step.block, lockId=step.lock_id
    )
    return found[-1] if found else None


def event_at(
    gateway: ChainGateway, index: ChainIndex, event: str, lock_id: bytes, block: int
) -> ChainEvent | None:
    """Return a lock's last event of one name up to a block, None if there is none: the tables say
    in which block it stands, and the chain what it says.
    """
    step = asked_locks.last_step(index, lock_id, event, block)
    return None if step is None else told_in(gateway, step)


def on_chain(found: _T | None, event: str, lock_id: bytes) -> _T:
    """Return what was found of an event. Raises NotOnChain for nothing."""
    if found is None:
        raise NotOnChain(
            f"this chain has no {event} event of lock {lock_id.hex()} (yet); is the id right?"
        )
    return found
