"""What a worker knows from events alone: locks, bonds, cases, credits and sums, rebuilt.

``EventView.apply`` is given each transaction in turn and reads nothing but its logs and the time of
its block: no call, no storage.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import money
from credit_model import EPOCH_S, decayed
from members import NOBODY
from reading import plain


@dataclass
class LockView:
    """A lock as its events tell it."""

    payer: str
    payee: str
    price_wei: int
    expires_at: int
    window_s: int
    fee_bps: int
    owners_bps: int
    rules_version: int
    bond_wei: int
    state: int
    subject: bytes
    group: tuple[int, int] = (0, 0)  # t, n
    due_at: int = 0
    is_demanded: bool = False
    answer_length: int = 0
    answer_digest: bytes = money.NOTHING
    binding: bytes = money.NOTHING
    deposit_wei: int = 0
    dispute: tuple[str, int] = (NOBODY, 0)


@dataclass
class CaseView:
    """A case as its events tell it."""

    opened_at: int
    decide_by: int
    needed: int
    votes: dict[str, bool] = field(default_factory=dict)
    is_decided: bool = False


class EventView:
    """A reducer over the logs of PrepaidLock, CreditBook and DisputeCourt."""

    def __init__(self, treasury: str) -> None:
        self.treasury, self.now = treasury, 0
        self.locks: dict[bytes, LockView] = {}
        self.cases: dict[bytes, CaseView] = {}
        self.withdrawable: dict[str, int] = defaultdict(int)
        self.free: dict[str, int] = defaultdict(int)
        self.held: dict[str, int] = defaultdict(int)
        self.freed_at: dict[str, int] = defaultdict(int)
        self.applications: dict[bytes, int] = defaultdict(int)
        self.pots: dict[bytes, int] = defaultdict(int)
        self.liabilities_wei = 0
        self.credits: dict[str, tuple[int, int]] = {}

    def apply(self, tx: Any) -> None:
        """Take in the logs of one transaction."""
        self.now = tx.timestamp
        for event in tx.events:
            read = getattr(self, f"_on_{event.name}", None)
            if read:
                read(event)

    def credit_of(self, account: str, now: int) -> int:
        """Return the credit at a time: the last event's, decayed since."""
        points, epoch = self.credits.get(account, (0, now // EPOCH_S))
        return decayed(points, now // EPOCH_S - epoch)

    def bond_of(self, account: str) -> tuple[int, int, int]:
        """Return a bond as IPrepaidLock.bondOf tells it."""
        return self.free[account], self.held[account], self.freed_at[account]

    def as_stored(self, lock_id: bytes) -> tuple[tuple, tuple, tuple]:
        """Return lock, dispute and case as lockOf, disputeOf and caseOf tell them."""
        it, case = self.locks[lock_id], self.cases.get(lock_id)
        lock = (
            *(it.payer, it.state, it.expires_at, it.due_at, it.is_demanded, it.payee),
            *(it.price_wei, it.window_s, *it.group, it.answer_length, it.fee_bps),
            it.owners_bps,
            *(it.rules_version, it.bond_wei, it.subject, it.binding, it.answer_digest),
        )
        if case is None:
            return plain(lock), it.dispute, (0, 0, 0, 0, 0, False)
        votes = list(case.votes.values())
        counted = (votes.count(True), votes.count(False))
        told = (case.opened_at, case.decide_by, case.needed, *counted, case.is_decided)
        return plain(lock), it.dispute, told

    def lock_of(self, event: Any) -> LockView:
        return self.locks[bytes(event["lockId"])]

    # ---- beginning ----

    def _begin(self, event: Any, price_wei: int, state: int, subject: bytes) -> LockView:
        version, _, window_s, *parts, longest, bond_wei = event["order"]["terms"]
        expires_at = event["order"]["expiresAt"]
        terms = (price_wei, expires_at, window_s, *parts, version, bond_wei)
        lock = LockView(event["payer"], event["payee"], *terms, state, subject)
        lock.answer_length = longest
        self.locks[bytes(event["lockId"])] = lock
        self.liabilities_wei += price_wei
        return lock

    def _on_Requested(self, event: Any) -> None:
        subject = int(event["order"]["typeId"]).to_bytes(32, "big")
        self._begin(event, event["priceWei"], money.REQUESTED, subject)

    def _on_Selected(self, event: Any) -> None:
        order = event["order"]
        subject = bytes(order["dataSetId"])
        lock = self._begin(event, order["priceWei"], money.SELECTED, subject)
        lock.group = (order["threshold"], order["groupSize"])
        lock.binding = bytes(order["groupHash"])
        self._hold(lock)

    def _on_Accepted(self, event: Any) -> None:
        lock = self.lock_of(event)
        lock.state, lock.binding = money.ACCEPTED, bytes(event["secretHash"])
        lock.answer_length = event["answerLength"]
        lock.answer_digest = bytes(event["answerDigest"])
        self._hold(lock)

    def _on_Claimed(self, event: Any) -> None:
        lock = self.lock_of(event)
        lock.state, lock.due_at = money.CLAIMED, event["dueAt"]

    def _on_Delivered(self, event: Any) -> None:
        lock = self.lock_of(event)
        lock.state, lock.due_at = money.DELIVERED, event["dueAt"]

    # ---- in between ----

    def _on_Demanded(self, event: Any) -> None:
        lock = self.lock_of(event)
        lock.state, lock.due_at, lock.is_demanded = money.DEMANDED, event["dueAt"], True
        lock.deposit_wei = event["depositWei"]
        self.liabilities_wei += event["depositWei"]

    def _on_Served(self, event: Any) -> None:
        lock = self.lock_of(event)
        lock.state, lock.due_at = money.CLAIMED, event["dueAt"]
        self.withdrawable[lock.payee] += event["paidWei"]
        self.withdrawable[lock.payer] += lock.deposit_wei - event["paidWei"]

    def _on_Disputed(self, event: Any) -> None:
        lock = self.lock_of(event)
        lock.state, lock.due_at = money.DISPUTED, event["dueAt"]
        lock.dispute = (event["by"], event["bondWei"])
        self.liabilities_wei += event["bondWei"]

    def _on_CaseOpened(self, event: Any) -> None:
        case = CaseView(self.now, event["decideBy"], event["needed"])
        self.cases[bytes(event["lockId"])] = case

    def _on_Voted(self, event: Any) -> None:
        self.cases[bytes(event["lockId"])].votes[event["judge"]] = event["forPayer"]

    def _on_CaseDecided(self, event: Any) -> None:
        self.cases[bytes(event["lockId"])].is_decided = True

    # ---- the end ----

    def _on_Rejected(self, event: Any) -> None:
        lock = self.lock_of(event)
        lock.state = money.REJECTED
        self.withdrawable[lock.payer] += lock.price_wei

    def _on_Declined(self, event: Any) -> None:
        lock = self.lock_of(event)
        lock.state = money.DECLINED
        self._free(lock)
        self.withdrawable[lock.payer] += lock.price_wei

    def _on_Settled(self, event: Any) -> None:
        lock = self.lock_of(event)
        lock.state = money.SETTLED
        rest_wei = event["priceWei"] - event["feeWei"] - event["ownersWei"]
        self.withdrawable[lock.payee] += rest_wei + event["gainWei"]
        self.pots[lock.subject] += event["ownersWei"]
        self.withdrawable[self.treasury] += event["feeWei"]
        self._free(lock)

    def _on_Drawn(self, event: Any) -> None:
        self.pots[bytes(event["dataSetId"])] -= event["amountWei"]
        self.withdrawable[event["owner"]] += event["amountWei"]

    def _on_Refunded(self, event: Any) -> None:
        lock = self.lock_of(event)
        if lock.state == money.DISPUTED:
            self._return_dispute_bond(lock)
            self._free(lock)
        elif lock.state != money.REQUESTED:
            self.held[lock.payee] -= event["gainWei"]
        lock.state = money.REFUNDED
        self.withdrawable[lock.payer] += event["priceWei"] + event["gainWei"]

    def _on_Slashed(self, event: Any) -> None:
        lock = self.lock_of(event)
        if lock.state == money.DISPUTED:
            self._return_dispute_bond(lock)
        else:
            self.withdrawable[lock.payer] += lock.deposit_wei
        lock.state = money.SLASHED
        self.held[lock.payee] -= event["feeWei"] + event["gainWei"]
        self.withdrawable[lock.payer] += event["priceWei"] + event["gainWei"]
        self.withdrawable[self.treasury] += event["feeWei"]

    def _return_dispute_bond(self, lock: LockView) -> None:
        by, bond_wei = lock.dispute
        self.withdrawable[by] += bond_wei

    # ---- sums ----

    def _hold(self, lock: LockView) -> None:
        self.free[lock.payee] -= lock.bond_wei
        self.held[lock.payee] += lock.bond_wei

    def _free(self, lock: LockView) -> None:
        self.held[lock.payee] -= lock.bond_wei
        self.free[lock.payee] += lock.bond_wei

    def _on_BondAdded(self, event: Any) -> None:
        self.free[event["account"]] += event["amountWei"]
        self.liabilities_wei += event["amountWei"]

    def _on_BondTaken(self, event: Any) -> None:
        self.free[event["account"]] -= event["amountWei"]
        self.freed_at[event["account"]] = self.now
        self.withdrawable[event["account"]] += event["amountWei"]

    def _on_ApplicationHeld(self, event: Any) -> None:
        self.applications[bytes(event["broadcastId"])] += event["amountWei"]
        self.liabilities_wei += event["amountWei"]

    def _on_ApplicationReleased(self, event: Any) -> None:
        self.applications[bytes(event["broadcastId"])] -= event["amountWei"]
        self.withdrawable[event["to"]] += event["amountWei"]

    def _on_Withdrawn(self, event: Any) -> None:
        self.withdrawable[event["account"]] -= event["amountWei"]
        self.liabilities_wei -= event["amountWei"]

    def _on_CreditChanged(self, event: Any) -> None:
        self.credits[event["account"]] = (event["current"], self.now // EPOCH_S)
