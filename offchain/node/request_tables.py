"""The node's journal of users' requests.

Factor and answer are stored durably before anything that depends on them leaves the node
(invariant 8), and never overwritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select

from offchain.crypto.secret import SecretBytes
from offchain.node.lock_tables import LockTables
from offchain.node.tables import requests
from offchain.types import Account


class JobState(StrEnum):
    """Where the node stands with a user's request."""

    NEW = "new"
    ACCEPTING = "accepting"  # answer and factor are stored; accept may or may not be sent
    ACCEPTED = "accepted"
    CLAIMING = "claiming"  # from here on the factor may be public
    CLAIMED = "claimed"
    REJECTING = "rejecting"  # the reason is stored; reject may be sent and is not yet final
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestJob:
    """A user's lock. `answer` is the sealed bytes whose digest is committed, `factor` is x."""

    lock_id: bytes
    requester: Account
    type_id: int
    nonce: bytes
    expires_at: int
    state: JobState
    factor: SecretBytes | None
    answer: bytes | None
    reason: str | None


_JOB = select(*(column for column in requests.c if column.name != "position"))


class RequestTables(LockTables):
    """Users' requests, by their locks."""

    def put_request(
        self, lock_id: bytes, *, requester: Account, type_id: int, nonce: bytes, expires_at: int
    ) -> None:
        """Note a request that was seen; a repeat changes nothing."""
        self._put_once(
            requests,
            lock_id=lock_id,
            requester=requester,
            type_id=type_id,
            nonce=nonce,
            expires_at=expires_at,
            state=JobState.NEW,
        )

    def request(self, lock_id: bytes) -> RequestJob | None:
        """Return a request by its lock."""
        row = self._first(_JOB.where(requests.c.lock_id == lock_id))
        return None if row is None else _job(row)

    def requests(self, state: JobState | None = None) -> list[RequestJob]:
        """Return the requests (in a state) in the order in which they were seen."""
        query = _JOB if state is None else _JOB.where(requests.c.state == state)
        return [_job(row) for row in self._all(query.order_by(requests.c.position))]

    def drop_request(self, lock_id: bytes) -> None:
        """Forget a request that nothing was done for; one with an answer stays, with its factor."""
        self._drop_new(requests, lock_id, "factor", JobState.NEW)

    def prepare_answer(self, lock_id: bytes, *, factor: SecretBytes, answer: bytes) -> None:
        """Store factor and sealed answer before they are committed on chain; state ACCEPTING.

        The same pair again changes nothing. Raises StoreConflict for another pair (x is used for
        one answer only) and for an unknown lock.
        """
        pair = {"factor": factor.reveal(), "answer": answer}
        other = "the lock is unknown, or has another answer prepared already"
        self._prepare(requests, lock_id, pair, JobState.ACCEPTING, what=other)

    def set_request_state(
        self, lock_id: bytes, state: JobState, *, reason: str | None = None
    ) -> None:
        """Note where a request stands, and why. Raises StoreConflict for an unknown lock."""
        self._set_state(requests, lock_id, state, reason, missing="no such request is known here")


def _job(row: Row[Any]) -> RequestJob:
    found = dict(row._mapping)
    factor = found.pop("factor")
    return RequestJob(
        **found | {"state": JobState(found["state"])},
        factor=None if factor is None else SecretBytes(factor),
    )
