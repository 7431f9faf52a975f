"""Disputes as the chain shows them: the case, and what was brought to it."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.member.errors import MemberError
from offchain.member.locks import LockBook
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

    def __init__(self, gateway: ChainGateway, *, confirmations: int | None = None) -> None:
        self._gateway = gateway
        self._confirmations = confirmations
        self._book = LockBook(gateway, confirmations=confirmations)

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
        start, end = self._gateway.deployment.block("DisputeCourt"), self._safe_block()
        if end < start:
            return []
        opened = self._gateway.events("DisputeCourt", "CaseOpened", from_block=start, to_block=end)
        time_s = self._gateway.contract_time()
        waiting = [one for one in opened if one.args["decideBy"] > time_s]
        cases = [self.case(bytes(one.args["lockId"])) for one in waiting]
        return [case for case in cases if not case.is_decided]

    def brought(self, lock_id: bytes) -> list[Brought]:
        """Return what was brought to a case, in the order of the chain; the disputer's first."""
        disputed = self._book.events("Disputed", lockId=lock_id)
        added = self._gateway.events(
            "DisputeCourt",
            "EvidenceAdded",
            from_block=self._gateway.deployment.block("DisputeCourt"),
            to_block=max(self._safe_block(), self._gateway.deployment.block("DisputeCourt")),
            lockId=lock_id,
        )
        return [
            Brought(
                by=to_account(one.args["by"]),
                digest=bytes(one.args["evidenceDigest"]),
                length=one.args["evidenceLength"],
            )
            for one in [*disputed, *added]
        ]

    def _safe_block(self) -> int:
        return self._gateway.final_number(self._confirmations)
