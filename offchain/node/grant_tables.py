"""The node's journal of sharing locks and of the transcripts that were dealt for them.

A transcript is stored durably before anything of it leaves the node (invariant 8), and never
overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from offchain.crypto.curve import G1, G2
from offchain.crypto.sharing import Transcript
from offchain.node.lock_tables import LockTables
from offchain.node.tables import grants

_G1_BYTES, _G2_BYTES = 64, 128


class GrantState(StrEnum):
    """Where the node stands with a sharing lock."""

    NEW = "new"
    DEALT = "dealt"  # the transcript is stored; nothing was sent
    DELIVERING = "delivering"  # from here on the shares may be public
    DELIVERED = "delivered"
    DECLINING = "declining"  # the reason is stored; decline may be sent and is not yet final
    DECLINED = "declined"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantJob:
    """A sharing lock and the transcript dealt for it, if it was dealt."""

    lock_id: bytes
    data_set_id: bytes
    expires_at: int
    state: GrantState
    transcript: Transcript | None
    reason: str | None


class GrantTables(LockTables):
    """Grants, by their locks."""

    def put_grant(self, lock_id: bytes, *, data_set_id: bytes, expires_at: int) -> None:
        """Note a sharing lock that was seen; a repeat changes nothing."""
        self._put_once(
            grants,
            lock_id=lock_id,
            data_set_id=data_set_id,
            expires_at=expires_at,
            state=GrantState.NEW,
        )

    def drop_grant(self, lock_id: bytes) -> None:
        """Forget a sharing lock that nothing was done for; a dealt transcript stays."""
        self._drop_new(grants, lock_id, "commitments", GrantState.NEW)

    def prepare_transcript(self, lock_id: bytes, transcript: Transcript) -> None:
        """Store the dealt transcript before it is delivered; state DEALT. A lock is dealt once.

        The same again changes nothing. Raises StoreConflict for another one: two dealings of one
        key to one group would each give shares away.
        """
        dealt = {
            "commitments": b"".join(point.to_bytes() for point in transcript.commitments),
            "shares": b"".join(point.to_bytes() for point in transcript.shares),
        }
        other = "the lock is unknown, or was dealt another transcript already"
        self._prepare(grants, lock_id, dealt, GrantState.DEALT, what=other)

    def grant(self, lock_id: bytes) -> GrantJob | None:
        """Return a grant by its lock."""
        row = self._first(select(grants).where(grants.c.lock_id == lock_id))
        return None if row is None else _grant(row)

    def grants(self, state: GrantState | None = None) -> list[GrantJob]:
        """Return the grants (in a state) in the order in which they were seen."""
        query = select(grants).order_by(grants.c.position)
        if state is not None:
            query = query.where(grants.c.state == state)
        return [_grant(row) for row in self._all(query)]

    def set_grant_state(
        self, lock_id: bytes, state: GrantState, *, reason: str | None = None
    ) -> None:
        """Note where a grant stands, and why. Raises StoreConflict for an unknown lock."""
        self._set_state(grants, lock_id, state, reason, missing="no such grant is known here")


def _grant(row: Row[Any]) -> GrantJob:
    is_dealt = row.commitments is not None
    return GrantJob(
        lock_id=row.lock_id,
        data_set_id=row.data_set_id,
        expires_at=row.expires_at,
        state=GrantState(row.state),
        transcript=_transcript(row.commitments, row.shares) if is_dealt else None,
        reason=row.reason,
    )


def _transcript(commitments: bytes, shares: bytes) -> Transcript:
    def cut(data: bytes, length: int) -> list[bytes]:
        return [data[at : at + length] for at in range(0, len(data), length)]

    return Transcript(
        commitments=tuple(
            G2.from_bytes(point, allow_infinity=True) for point in cut(commitments, _G2_BYTES)
        ),
        shares=tuple(G1.from_bytes(point) for point in cut(shares, _G1_BYTES)),
    )
