"""One lock as it should stand, from the rules under which it began."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

import disputes
import money
from members import NOBODY
from money import (
    ACCEPTED,
    BPS,
    CLAIMED,
    DELIVERED,
    DEMANDED,
    DISPUTED,
    REQUESTED,
    RULES,
    SELECTED,
)
from reading import plain

REASON = money.NOT_SERVED
SHARING_PRICE_WEI, SHARING_WINDOW_S = 7 * 10**15, 200
PUT_UP_WEI, SMALL_WEI = 30 * 10**15, 10**15  # a few locks exhaust a bond
FAR_S, JUDGES_NEEDED = 2_500, 2
ANSWER = disputes.ANSWER[:1_100]
ANSWER_DIGEST = hashlib.sha256(ANSWER).digest()
ALL_RULES = (RULES, disputes.OTHER_RULES)
PAID = (REQUESTED, ACCEPTED, SELECTED)
HANDED_OVER = (CLAIMED, DELIVERED)
OPEN = {*PAID, *HANDED_OVER, DEMANDED, DISPUTED}
BACKED = OPEN - {REQUESTED}


@dataclass
class Model:
    """One lock as it should stand."""

    id: bytes
    payer: Any
    payee: Any
    price_wei: int
    expires_at: int
    window_s: int
    state: int
    rules: Any
    version: int
    subject: bytes
    owners_bps: int = 0
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    group: tuple[int, int] = (0, 0)  # t, n
    binding: bytes = money.NOTHING
    answer_length: int = 0
    answer_digest: bytes = money.NOTHING
    due_at: int = 0
    decide_by: int = 0
    is_demanded: bool = False
    disputer: Any = None
    opened_at: int = 0
    votes: dict[str, bool] = field(default_factory=dict)
    is_decided: bool = False

    @property
    def fee_wei(self) -> int:
        return self.price_wei * self.rules.fee_bps // BPS

    @property
    def owners_part_wei(self) -> int:
        return self.price_wei * self.owners_bps // BPS

    @property
    def bond_wei(self) -> int:
        return self.price_wei * self.rules.bond_bps // BPS

    @property
    def demand_wei(self) -> int:
        return disputes.demand_wei(len(ANSWER), gas_wei=self.rules.serve_gas_wei)

    @property
    def dispute_wei(self) -> int:
        part = self.price_wei * self.rules.dispute_bond_bps // BPS
        return max(part, self.rules.dispute_min_wei)

    @property
    def deadline(self) -> int:
        return self.expires_at if self.state in PAID else self.due_at

    @property
    def held_wei(self) -> int:
        """What the contract holds for it beside the payee's bond."""
        if self.state not in OPEN:
            return 0
        extra = {DEMANDED: self.demand_wei, DISPUTED: self.dispute_wei}.get(self.state, 0)
        return self.price_wei + extra

    def as_stored(self) -> tuple:
        """Return the lock as IPrepaidLock.lockOf tells it."""
        return plain(
            (
                *(self.payer.address, self.state, self.expires_at, self.due_at, self.is_demanded),
                *(self.payee.address, self.price_wei, self.window_s, *self.group),
                *(self.answer_length, self.rules.fee_bps, self.owners_bps),
                *(self.version, self.bond_wei),
                *(self.subject, self.binding, self.answer_digest),
            )
        )

    def dispute_as_stored(self) -> tuple:
        """Return IPrepaidLock.disputeOf."""
        return (self.disputer.address, self.dispute_wei) if self.disputer else (NOBODY, 0)

    def case_as_stored(self) -> tuple:
        """Return IDisputeCourt.caseOf."""
        if not self.disputer:
            return (0, 0, 0, 0, 0, False)
        votes = list(self.votes.values())
        counted = (votes.count(True), votes.count(False))
        return (self.opened_at, self.decide_by, JUDGES_NEEDED, *counted, self.is_decided)
