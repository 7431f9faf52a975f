"""What a node keeps to defend its answers: what opens them, and open demands and disputes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import func, select

from offchain.database import Store
from offchain.node.tables import duties, proofs


class Duty(StrEnum):
    """What a lock may ask of its payee behind T."""

    SERVE = "serve"  # the answer was demanded on chain
    REPLY = "reply"  # the lock is disputed


@dataclass(frozen=True, slots=True)
class AnswerProof:
    """The opening r ‖ coins of an answer's seal, and the sealed request M that it answers."""

    opening: bytes = field(repr=False)
    message: bytes = field(repr=False)


class DutyTables(Store):
    """Proofs of answers, demands and disputes."""

    def put_proof(self, lock_id: bytes, *, opening: bytes, message: bytes) -> None:
        """Keep what opens an answer, before the answer itself is kept; the last one counts."""
        self._put(proofs, lock_id=lock_id, opening=opening, message=message)

    def proof(self, lock_id: bytes) -> AnswerProof | None:
        """Return what opens an answer; None for one of an older version."""
        query = select(proofs.c.opening, proofs.c.message).where(proofs.c.lock_id == lock_id)
        row = self._first(query)
        return None if row is None else AnswerProof(*row)

    def put_duty(self, lock_id: bytes, kind: Duty) -> None:
        """Note a demand or dispute that was seen; a known one stays as it is, done or not."""
        new = self._insert(duties).values(lock_id=lock_id, kind=kind)
        self._run(new.on_conflict_do_nothing(index_elements=["lock_id", "kind"]))

    def duties(self, kind: Duty) -> list[bytes]:
        """Return the locks that still wait for this, in the order in which they were seen."""
        waits = (duties.c.kind == kind, duties.c.is_done.is_(False))
        query = select(duties.c.lock_id).where(*waits).order_by(duties.c.position)
        return [row[0] for row in self._all(query)]

    def end_duty(self, lock_id: bytes, kind: Duty) -> None:
        """Note that nothing more is to be done. Raises StoreConflict for an unknown one."""
        change = duties.update().where(duties.c.lock_id == lock_id, duties.c.kind == kind)
        self._change_one(
            change.values(is_done=True), missing="no such demand or dispute is known here"
        )

    def keep_evidence(self, lock_id: bytes, evidence: bytes) -> bytes:
        """Keep the sealed reply to a dispute before it is sent; return the one that was kept first.

        Raises StoreConflict for an unknown dispute.
        """
        change = duties.update().where(duties.c.lock_id == lock_id, duties.c.kind == Duty.REPLY)
        self._change_one(
            change.values(evidence=func.coalesce(duties.c.evidence, evidence)),
            missing="no such dispute is known here",
        )
        kept = self.evidence(lock_id)
        assert kept is not None
        return kept

    def evidence(self, lock_id: bytes) -> bytes | None:
        """Return the sealed reply to a dispute, None before it was made."""
        of_dispute = (duties.c.lock_id == lock_id, duties.c.kind == Duty.REPLY)
        return self._value(select(duties.c.evidence).where(*of_dispute))
