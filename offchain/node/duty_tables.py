"""What a node keeps to defend its answers: what opens them, and open demands and disputes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from offchain.member.database import Database

DUTY_SCHEMA = """
CREATE TABLE IF NOT EXISTS proofs (
    lock_id BLOB PRIMARY KEY,
    opening BLOB NOT NULL,
    message BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS duties (
    lock_id  BLOB NOT NULL,
    kind     TEXT NOT NULL,
    is_done  INTEGER NOT NULL DEFAULT 0,
    evidence BLOB,
    PRIMARY KEY (lock_id, kind)
);
"""


class Duty(StrEnum):
    """What a lock may ask of its payee behind T."""

    SERVE = "serve"  # the answer was demanded on chain
    REPLY = "reply"  # the lock is disputed


@dataclass(frozen=True, slots=True)
class AnswerProof:
    """The opening r ‖ coins of an answer's seal, and the sealed request M that it answers."""

    opening: bytes = field(repr=False)
    message: bytes = field(repr=False)


class DutyTables(Database):
    """Proofs of answers, demands and disputes."""

    def put_proof(self, lock_id: bytes, *, opening: bytes, message: bytes) -> None:
        """Keep what opens an answer, before the answer itself is kept; the last one counts."""
        with self._write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO proofs VALUES (?, ?, ?)", (lock_id, opening, message)
            )

    def proof(self, lock_id: bytes) -> AnswerProof | None:
        """Return what opens an answer; None for one of an older version."""
        row = self._one("SELECT opening, message FROM proofs WHERE lock_id=?", lock_id)
        return None if row is None else AnswerProof(*row)

    def put_duty(self, lock_id: bytes, kind: Duty) -> None:
        """Note a demand or dispute that was seen. A repeat opens it again: its block was taken off
        and mined anew, or nothing is left to do and the next step says so.
        """
        with self._write() as connection:
            connection.execute(
                "INSERT INTO duties (lock_id, kind) VALUES (?, ?) "
                "ON CONFLICT (lock_id, kind) DO UPDATE SET is_done=0",
                (lock_id, kind),
            )

    def duties(self, kind: Duty) -> list[bytes]:
        """Return the locks that still wait for this, in the order in which they were seen."""
        query = "SELECT lock_id FROM duties WHERE kind=? AND is_done=0 ORDER BY rowid"
        return [row[0] for row in self._all(query, kind)]

    def end_duty(self, lock_id: bytes, kind: Duty) -> None:
        """Note that nothing more is to be done. Raises StoreConflict for an unknown one."""
        query = "UPDATE duties SET is_done=1 WHERE lock_id=? AND kind=?"
        self._update(query, lock_id, kind, missing="no such demand or dispute is known here")

    def keep_evidence(self, lock_id: bytes, evidence: bytes) -> bytes:
        """Keep the sealed reply to a dispute before it is sent; return the one that was kept first.

        Raises StoreConflict for an unknown dispute.
        """
        query = "UPDATE duties SET evidence=coalesce(evidence, ?) WHERE lock_id=? AND kind=?"
        self._update(query, evidence, lock_id, Duty.REPLY, missing="no such dispute is known here")
        kept = self.evidence(lock_id)
        assert kept is not None
        return kept

    def evidence(self, lock_id: bytes) -> bytes | None:
        """Return the sealed reply to a dispute, None before it was made."""
        query = "SELECT evidence FROM duties WHERE lock_id=? AND kind=?"
        found = self._value(query, lock_id, Duty.REPLY)
        return None if found is None else bytes(found)
