"""The terms of a lock, which its payer signs: no later decision of the consortium touches them
(protocol §3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from offchain.chain.gateway import BlockId, ChainGateway
from offchain.member.errors import TermsUnfit
from offchain.member.locks import Lock

_BPS = 10_000
OTHER_TERMS = "PrepaidLock_OtherTerms"  # to terms that do not hold (any more)


@dataclass(frozen=True, slots=True)
class LockTerms:
    """Terms as `IPrepaidLock.LockTerms` has them, in its order.

    sharing_version, owners_bps: 0 of a request; longest_answer_bytes: 0 of a sharing lock.
    """

    rules_version: int
    sharing_version: int
    dispute_window_s: int
    fee_bps: int
    owners_bps: int
    longest_answer_bytes: int
    bond_wei: int

    def words(self) -> tuple[int, ...]:
        """Return them as they are signed and sent."""
        return (
            self.rules_version,
            self.sharing_version,
            self.dispute_window_s,
            self.fee_bps,
            self.owners_bps,
            self.longest_answer_bytes,
            self.bond_wei,
        )

    def text(self) -> str:
        """Return them for a person."""
        told = [
            f"rules {self.rules_version}",
            f"{self.dispute_window_s} s to dispute",
            f"a fee of {self.fee_bps} of 10,000",
            f"a bond of {self.bond_wei} wei",
        ]
        if self.sharing_version:
            told.append(f"{self.owners_bps} of 10,000 for the owners of the data")
        if self.longest_answer_bytes:
            told.append(f"an answer of up to {self.longest_answer_bytes} bytes")
        return ", ".join(told)


@dataclass(frozen=True, slots=True)
class RequestConditions:
    """What a request begins under now: its exact price, its least T − now, and the terms."""

    price_wei: int
    shortest_s: int
    terms: LockTerms

    def text(self) -> str:
        """Return them for a person."""
        return f"{self.price_wei} wei, {self.terms.text()}"


@dataclass(frozen=True, slots=True)
class SharingConditions:
    """What a sharing lock begins under that was offered under these two versions."""

    rules_version: int
    sharing_version: int
    shortest_s: int
    dispute_window_s: int
    fee_bps: int
    owners_bps: int
    bond_bps: int

    def terms(self, price_wei: int) -> LockTerms:
        """Return the terms of a lock of this price."""
        return LockTerms(
            rules_version=self.rules_version,
            sharing_version=self.sharing_version,
            dispute_window_s=self.dispute_window_s,
            fee_bps=self.fee_bps,
            owners_bps=self.owners_bps,
            longest_answer_bytes=0,
            bond_wei=self.bond_wei(price_wei),
        )

    def earned_wei(self, price_wei: int) -> int:
        """Return what the node gets of a price: first come the consortium's fee and the owners."""
        owed_wei = sum(price_wei * part // _BPS for part in (self.fee_bps, self.owners_bps))
        return price_wei - owed_wei

    def bond_wei(self, price_wei: int) -> int:
        """Return what the node puts up for a lock of this price."""
        return price_wei * self.bond_bps // _BPS


def terms_of(lock: Lock, *, sharing_version: int = 0) -> LockTerms:
    """Return the terms that a lock keeps; the version of the terms of sharing it does not."""
    return LockTerms(
        rules_version=lock.rules_version,
        sharing_version=sharing_version,
        dispute_window_s=lock.dispute_window_s,
        fee_bps=lock.fee_bps,
        owners_bps=lock.owners_bps,
        longest_answer_bytes=lock.answer_length,
        bond_wei=lock.bond_wei,
    )


def request_conditions(gateway: ChainGateway, type_id: int) -> RequestConditions:
    """Return what a request of a type begins under now. Raises TermsUnfit unless it is open."""
    return read_conditions(type_id, gateway.call("RequestCatalogue", "requestConditions", type_id))


def read_conditions(type_id: int, found: Any) -> RequestConditions:
    """Return what `RequestCatalogue.requestConditions` says of a type. Raises TermsUnfit unless it
    is open.
    """
    kind, rules = found.requestType, found.rules
    if not kind.active:
        raise TermsUnfit(f"request type {type_id} is not open; nothing was paid")
    terms = LockTerms(
        rules_version=found.version,
        sharing_version=0,
        dispute_window_s=kind.disputeWindowSeconds,
        fee_bps=rules.feeBps,
        owners_bps=0,
        longest_answer_bytes=kind.longestAnswerBytes,
        bond_wei=kind.priceWei * rules.bondBps // _BPS,
    )
    return RequestConditions(kind.priceWei, kind.shortestSeconds, terms)


def sharing_conditions(
    gateway: ChainGateway, rules_version: int, sharing_version: int, *, block: BlockId = "latest"
) -> SharingConditions:
    """Return what a sharing lock begins under that is offered under two versions."""
    found = gateway.call(
        "RequestCatalogue", "sharingConditionsAt", sharing_version, rules_version, block=block
    )
    return SharingConditions(
        rules_version=rules_version,
        sharing_version=sharing_version,
        shortest_s=found.terms.shortestSeconds,
        dispute_window_s=found.terms.disputeWindowSeconds,
        fee_bps=found.rules.feeBps,
        owners_bps=found.terms.ownersBps,
        bond_bps=found.rules.bondBps,
    )


def present_sharing_conditions(gateway: ChainGateway) -> SharingConditions:
    """Return what a sharing lock begins under that is offered now."""
    rules_version, sharing_version = gateway.call("RequestCatalogue", "versions")
    return sharing_conditions(gateway, rules_version, sharing_version)
