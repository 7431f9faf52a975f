"""PrepaidLock: locks, their steps, and what was asked and selected.

No view is needed: the events tell all that `lockOf` does.
"""

from typing import Any

from sqlalchemy import Boolean, Column, Index, SmallInteger, String

from offchain.chain.enumerations import LockState
from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.projections import purse
from offchain.index.projections.court import evidence
from offchain.index.projections.data_sets import record_sale
from offchain.index.projections.purse import owe
from offchain.index.tables import account, happened, number, uint, versioned, word

_ZERO = bytes(32)

locks = versioned(
    "locks",
    word("lock_id", key=True),
    account("payer"),
    account("payee"),
    Column("state", SmallInteger, nullable=False),
    Column("is_ended", Boolean, nullable=False),
    number("expires_at"),
    number("due_at"),
    Column("is_demanded", Boolean, nullable=False),
    uint("price_wei"),
    number("dispute_window_s"),
    Column("threshold", SmallInteger, nullable=False),
    Column("group_size", SmallInteger, nullable=False),
    number("answer_length"),
    number("fee_bps"),
    number("owners_bps"),
    number("rules_version"),
    uint("bond_wei"),
    word("subject"),
    word("binding"),
    word("answer_digest"),
    Column("reason", SmallInteger, nullable=False),
    word("secret", nullable=True),
    uint("deposit_wei"),
    number("demanded_at"),
    Column("disputed_by", String(42), nullable=True),
    uint("dispute_bond_wei"),
    number("began_block"),
    number("began_log"),
)
Index("locks_payer", locks.c.payer, locks.c.to_block)
Index("locks_payee", locks.c.payee, locks.c.to_block)
_waiting = locks.c.is_ended.is_(False)
Index(
    "locks_waiting",
    locks.c.payee,
    locks.c.to_block,
    sqlite_where=_waiting,
    postgresql_where=_waiting,
)

lock_steps = happened(
    "lock_steps",
    word("lock_id"),
    Column("name", String(24), nullable=False),
    Column("tx_hash", String(66), nullable=False),
)
Index("lock_steps_lock", lock_steps.c.lock_id)

requests = happened(
    "requests",
    word("lock_id"),
    number("type_id"),
    uint("signed_at"),
    number("message_length"),
    word("message_digest"),
    word("nonce"),
)
Index("requests_lock", requests.c.lock_id)

selections = happened(
    "selections",
    word("lock_id"),
    word("broadcast_id"),
    word("data_set_id"),
    uint("signed_at"),
    number("message_length"),
    word("message_digest"),
    word("nonce"),
)
Index("selections_lock", selections.c.lock_id)
Index("selections_data_set", selections.c.data_set_id)

LOCK = Projection("PrepaidLock")
purse.bind(LOCK)
_LOCK = (locks, "lockId")


@LOCK.on("Requested", _LOCK)
def _requested(told: Told, changes: Changes) -> None:
    _begin(
        told,
        changes,
        state=LockState.REQUESTED,
        price_wei=told["priceWei"],
        threshold=0,
        group_size=0,
        subject=told["order.typeId"].to_bytes(32, "big"),
        binding=_ZERO,
    )
    changes.add(requests, told, type_id=told["order.typeId"], **_order(told))


@LOCK.on("Selected", _LOCK)
def _selected(told: Told, changes: Changes) -> None:
    _begin(
        told,
        changes,
        state=LockState.SELECTED,
        price_wei=told["order.priceWei"],
        threshold=told["order.threshold"],
        group_size=told["order.groupSize"],
        subject=told["order.dataSetId"],
        binding=told["order.groupHash"],
    )
    changes.add(
        selections,
        told,
        broadcast_id=told["order.broadcastId"],
        data_set_id=told["order.dataSetId"],
        **_order(told),
    )


@LOCK.on("Accepted", _LOCK)
def _accepted(told: Told, changes: Changes) -> None:
    _step(
        told,
        changes,
        LockState.ACCEPTED,
        binding=told["secretHash"],
        answer_digest=told["answerDigest"],
        answer_length=told["answerLength"],
    )


@LOCK.on("Rejected", _LOCK)
def _rejected(told: Told, changes: Changes) -> None:
    before = _step(told, changes, LockState.REJECTED, reason=told["reason"])
    owe(told, changes, told["lockId"], (before["payer"], before["price_wei"]))


@LOCK.on("Declined", _LOCK)
def _declined(told: Told, changes: Changes) -> None:
    before = _step(told, changes, LockState.DECLINED, reason=told["reason"])
    owe(told, changes, told["lockId"], (before["payer"], before["price_wei"]))


@LOCK.on("Claimed", _LOCK)
def _claimed(told: Told, changes: Changes) -> None:
    _step(told, changes, LockState.CLAIMED, due_at=told["dueAt"], secret=told["secret"])


@LOCK.on("Delivered", _LOCK)
def _delivered(told: Told, changes: Changes) -> None:
    _step(told, changes, LockState.DELIVERED, due_at=told["dueAt"])


@LOCK.on("Demanded", _LOCK, timed=True)
def _demanded(told: Told, changes: Changes) -> None:
    _step(
        told,
        changes,
        LockState.DEMANDED,
        is_demanded=True,
        due_at=told["dueAt"],
        deposit_wei=told["depositWei"],
        demanded_at=told.time_s,
    )


@LOCK.on("Served", _LOCK)
def _served(told: Told, changes: Changes) -> None:
    before = _step(told, changes, LockState.CLAIMED, due_at=told["dueAt"])
    left_wei = before["deposit_wei"] - told["paidWei"]
    owed = ((told["payee"], told["paidWei"]), (told["payer"], left_wei))
    owe(told, changes, told["lockId"], *owed)


@LOCK.on("Disputed", _LOCK)
def _disputed(told: Told, changes: Changes) -> None:
    _step(
        told,
        changes,
        LockState.DISPUTED,
        due_at=told["dueAt"],
        disputed_by=told["by"],
        dispute_bond_wei=told["bondWei"],
    )
    changes.add(
        evidence,
        told,
        lock_id=told["lockId"],
        by=told["by"],
        digest=told["evidenceDigest"],
        length=told["evidenceLength"],
    )


@LOCK.on("Settled", _LOCK)
def _settled(told: Told, changes: Changes) -> None:
    before = _step(told, changes, LockState.SETTLED)
    earned_wei = told["priceWei"] - told["feeWei"] - told["ownersWei"] + told["gainWei"]
    treasury = changes.address_of("Consortium")
    owed = ((told["payee"], earned_wei), (treasury, told["feeWei"]))
    owe(told, changes, told["lockId"], *owed)
    record_sale(told, changes, before["subject"], told["ownersWei"])


@LOCK.on("Refunded", _LOCK)
def _refunded(told: Told, changes: Changes) -> None:
    before = _step(told, changes, LockState.REFUNDED)
    back_wei = told["priceWei"] + told["gainWei"]
    owe(told, changes, told["lockId"], (told["payer"], back_wei), *_bond_back(before))


@LOCK.on("Slashed", _LOCK)
def _slashed(told: Told, changes: Changes) -> None:
    before = _step(told, changes, LockState.SLASHED)
    back_wei = told["priceWei"] + told["gainWei"]
    if before["state"] == LockState.DEMANDED:
        back_wei += before["deposit_wei"]
    treasury = changes.address_of("Consortium")
    owed = ((told["payer"], back_wei), (treasury, told["feeWei"]), *_bond_back(before))
    owe(told, changes, told["lockId"], *owed)


def _bond_back(before: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the disputer's bond, which it has back unless the dispute was lost."""
    if before["state"] != LockState.DISPUTED:
        return []
    return [(before["disputed_by"], before["dispute_bond_wei"])]


def _begin(told: Told, changes: Changes, *, state: LockState, **values: Any) -> None:
    changes.put(
        locks,
        (told["lockId"],),
        told,
        payer=told["payer"],
        payee=told["payee"],
        state=int(state),
        is_ended=False,
        expires_at=told["order.expiresAt"],
        due_at=0,
        is_demanded=False,
        dispute_window_s=told["order.terms.disputeWindowSeconds"],
        fee_bps=told["order.terms.feeBps"],
        owners_bps=told["order.terms.ownersBps"],
        rules_version=told["order.terms.rulesVersion"],
        bond_wei=told["order.terms.bondWei"],
        answer_length=told["order.terms.longestAnswerBytes"],  # the most, until there is one
        answer_digest=_ZERO,
        reason=0,
        secret=None,
        deposit_wei=0,
        demanded_at=0,
        disputed_by=None,
        dispute_bond_wei=0,
        began_block=told.block,
        began_log=told.log_index,
        **values,
    )
    _note(told, changes)


def _step(told: Told, changes: Changes, state: LockState, **values: Any) -> dict[str, Any]:
    """Let a lock go on to a state; return what it was before."""
    is_ended = state in _ENDS
    before = changes.change(
        locks, (told["lockId"],), told, state=int(state), is_ended=is_ended, **values
    )
    _note(told, changes)
    return before


_ENDS = (
    LockState.REJECTED,
    LockState.DECLINED,
    LockState.SETTLED,
    LockState.REFUNDED,
    LockState.SLASHED,
)


def _note(told: Told, changes: Changes) -> None:
    changes.add(lock_steps, told, lock_id=told["lockId"], name=told.source[1], tx_hash=told.tx_hash)


def _order(told: Told) -> dict[str, Any]:
    return {
        "lock_id": told["lockId"],
        "signed_at": told["order.signedAt"],
        "message_length": told["order.messageLength"],
        "message_digest": told["order.messageDigest"],
        "nonce": told["order.nonce"],
    }
