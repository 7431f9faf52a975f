"""Disputes as the chain shows them: the case, and what was brought to it."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.index.asked import court
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import MemberError
from offchain.types import Account, to_account

_PATIENCE = 4  # what is still missing when a quarter of the time is left is not waited for


@dataclass(frozen=True, slots=True)
class Case:
    """A case of DisputeCourt; times are unix seconds of the chain."""

    lock_id: bytes
    opened_at: int
    decide_by: int
    needed: int
    votes_for_payer: int
    votes_for_payee: int
    is_decided: bool

    @property
    def patient_until(self) -> int:
        """Until when a judge waits for bytes that are missing: the same for every judge."""
        return self.decide_by - (self.decide_by - self.opened_at) // _PATIENCE


@dataclass(frozen=True, slots=True)
class Brought:
    """Evidence that an account brought: the digest and length of the stored object."""

    by: Account
    digest: bytes
    length: int


class CaseBook:
    """Read cases and their evidence; `confirmations` is how deep a block must lie."""

    def __init__(
        self, gateway: ChainGateway, index: ChainIndex, *, confirmations: int | None = None
    ) -> None:
        self._gateway, self._index = gateway, index
        self._confirmations = confirmations

    def case(self, lock_id: bytes) -> Case:
        """Return a lock's case. Raises MemberError if there is none."""
        it = self._gateway.call("DisputeCourt", "caseOf", lock_id)
        if it.needed == 0:
            raise MemberError(f"lock {lock_id.hex()} is not disputed; is the id right?")
        return Case(
            lock_id=lock_id,
            opened_at=it.openedAt,
            decide_by=it.decideBy,
            needed=it.needed,
            votes_for_payer=it.votesForPayer,
            votes_for_payee=it.votesForPayee,
            is_decided=it.isDecided,
        )

    def open_cases(self) -> list[Case]:
        """Return the cases that can be decided still, oldest first."""
        now = self._gateway.contract_time()
        found = court.open_cases(self._index, self._newest(), now=now)
        known = {one["lock_id"] for one in court.open_cases(self._index, self._final(), now=now)}
        return [_case(one) for one in found if one["lock_id"] in known]

    def brought(self, lock_id: bytes) -> list[Brought]:
        """Return what was brought to a case, in the order of the chain; the disputer's first."""
        self._newest()
        return [
            Brought(by=to_account(one["by"]), digest=one["digest"], length=one["length"])
            for one in court.brought(self._index, lock_id, self._final())
        ]

    def _newest(self) -> int:
        return self._index.follower.catch_up()

    def _final(self) -> int:
        depth = self._gateway.confirmations if self._confirmations is None else self._confirmations
        return self._index.final(depth)


def _case(told: Row) -> Case:
    return Case(
        lock_id=told["lock_id"],
        opened_at=told["opened_at"],
        decide_by=told["decide_by"],
        needed=told["needed"],
        votes_for_payer=told["votes_for_payer"],
        votes_for_payee=told["votes_for_payee"],
        is_decided=told["is_decided"],
    )
