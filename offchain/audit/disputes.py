"""What every dispute by those who paid has in common (protocol §3): when it can begin, what it
costs, what judges would say by what is at hand, and the evidence that goes with it.

Whoever disputes runs the judges' own code first, over the same bytes: what it concludes they
conclude, as far as they see what it sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from offchain.audit.evidence import judges_of, seal_evidence
from offchain.audit.look import Look, Side
from offchain.chain.facts import Receipt
from offchain.index.chain_index import ChainIndex
from offchain.member.acting import Acting
from offchain.member.errors import MemberError, NothingToDispute, TermsUnfit
from offchain.member.locks import Lock, LockBook
from offchain.member.roles import LockState
from offchain.records.evidence import AnswerEvidence, DataSetEvidence, Evidence, fitting_claims

MOST_OPEN = 3  # disputes of one account, as PrepaidLock has it
_HANDED_OVER = (LockState.CLAIMED, LockState.DELIVERED)


@dataclass(frozen=True)
class PreparedDispute:
    """What a dispute would say and cost: nothing was sent.

    cost_wei: the disputer's bond, which it gets back unless it loses. until_at: when the lock
    settles (unix seconds). look: what the judges' code concludes here.
    """

    lock: Lock
    document: Evidence = field(repr=False)
    look: Look
    cost_wei: int
    until_at: int

    def require_worth(self) -> None:
        """Raise NothingToDispute when the judges would decide for the payee."""
        if self.look.side is not Side.PAYER:
            raise NothingToDispute(
                f"nothing wrong was found in lock {self.lock.lock_id.hex()} ({self.look.why}): the "
                f"judges would decide for the node, and {self.cost_wei} wei would be lost"
            )


class Disputes(Acting):
    """What a household's and a buyer's disputes have in common; `own` is what `Acting` takes."""

    def __init__(
        self,
        *,
        index: ChainIndex,
        confirmations: int | None = None,
        **own: Any,
    ) -> None:
        super().__init__(**own)
        self._index = index
        self._book = LockBook(self._gateway, index, confirmations=confirmations)
        self._parts: dict[str, Any] = {
            "gateway": self._gateway,
            "index": index,
            "store": self._store,
            "directory": self._directory,
            "book": self._book,
        }

    def _open_lock(self, lock_id: bytes) -> Lock:
        """Return a lock that can be disputed. Raises TermsUnfit."""
        lock = self._book.lock(lock_id)
        if lock.state not in _HANDED_OVER:
            raise TermsUnfit(f"lock {lock_id.hex()} is {lock.state.name}: {_why_not(lock.state)}")
        if self._gateway.contract_time() >= lock.due_at:
            raise TermsUnfit(
                f"the time to dispute lock {lock_id.hex()} ended at {lock.due_at}: it can only be "
                "settled"
            )
        return lock

    def _prepared(self, lock: Lock, document: Evidence, look: Look) -> PreparedDispute:
        """Return what a dispute costs and says: the document, what the look found as its claims."""
        cost_wei = int(self._gateway.call("PrepaidLock", "disputeWeiOf", lock.lock_id))
        return PreparedDispute(lock, _with_claims(document, look), look, cost_wei, lock.due_at)

    def _require_room(self) -> None:
        """Raise TermsUnfit when this account has as many disputes open as it may."""
        count = int(self._gateway.call("PrepaidLock", "openDisputesOf", self._keys.address))
        if count >= MOST_OPEN:
            raise TermsUnfit(
                f"{count} disputes of this account are open, and {MOST_OPEN} are the most at a "
                "time: wait until one is decided or refunded; nothing was paid"
            )

    def _stored(
        self,
        lock_id: bytes,
        document: Evidence,
        *,
        before: int | None,
        needed: int | None = None,
    ) -> tuple[bytes, int]:
        """Seal a document to the judges and store it; return digest and length."""
        sealed = seal_evidence(
            document,
            lock_id=lock_id,
            by=self._keys.address,
            judges=judges_of(self._gateway, self._index, before=before),
            gateway=self._gateway,
            directory=self._directory,
            needed=needed,
        )
        return self._store.put(sealed).digest, len(sealed)

    def _add(self, lock_id: bytes, document: Evidence, *, group: tuple[Any, ...] = ()) -> Receipt:
        """Add a document to the evidence of a case; `group` names the group that this account is
        in when it is no party itself. Raises TermsUnfit when there is no case.
        """
        case = self._gateway.call("DisputeCourt", "caseOf", lock_id)
        if case.needed == 0:
            raise TermsUnfit(f"lock {lock_id.hex()} is not disputed: there is no case to add to")
        digest, length = self._stored(lock_id, document, before=case.openedAt, needed=case.needed)
        return self._gateway.transact(
            "DisputeCourt",
            "addEvidenceAsMember" if group else "addEvidence",
            lock_id,
            *group,
            digest,
            length,
            intent=f"evidence:{lock_id.hex()}",
        )


def _with_claims(document: Any, look: Look) -> Any:
    said = [f"{one.name}: {one.detail}" for one in look.findings if not one.ok]
    claims = fitting_claims([look.why, *said])
    if isinstance(document, AnswerEvidence):
        return AnswerEvidence(answer=document.answer, request=document.request, claims=claims)
    if isinstance(document, DataSetEvidence):
        return DataSetEvidence(secret=document.secret, claims=claims)
    raise MemberError("evidence of this kind is not known here")


def _why_not(state: LockState) -> str:
    return {
        LockState.DEMANDED: "wait until it is served; what is not served in time can be slashed",
        LockState.DISPUTED: "the judges look at it already; evidence can be added",
        LockState.ACCEPTED: "the node has not claimed yet, so that there is nothing to dispute",
        LockState.SELECTED: "nothing was delivered yet, so that there is nothing to dispute",
        LockState.SETTLED: "it was settled; a lock without a dispute window settles at once",
    }.get(state, "it has no answer and no delivery that could be disputed")
