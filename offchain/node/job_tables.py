"""The node's journal of what it owes: answers to requests, data sets for sale, shares to deliver.

Each secret is stored durably before anything that depends on it leaves the node (invariant 8), and
never overwritten.
"""

from dataclasses import dataclass
from enum import StrEnum

from offchain.crypto.curve import G1, G2
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.crypto.secret import SecretBytes
from offchain.crypto.sharing import DataKey, Transcript
from offchain.member.database import Database, Row, StoreConflict
from offchain.types import Account

JOB_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    lock_id    BLOB PRIMARY KEY,
    requester  TEXT NOT NULL,
    type_id    INTEGER NOT NULL,
    nonce      BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    state      TEXT NOT NULL,
    factor     BLOB,
    answer     BLOB,
    reason     TEXT
);
CREATE TABLE IF NOT EXISTS data_sets (
    data_set_id   BLOB PRIMARY KEY,
    data_key      BLOB NOT NULL,
    paillier      BLOB NOT NULL,
    from_s        INTEGER NOT NULL,
    to_s          INTEGER NOT NULL,
    row_count     INTEGER NOT NULL,
    readings_root BLOB NOT NULL,
    manifest      BLOB NOT NULL,
    price_wei     TEXT NOT NULL,
    published     INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS responses (
    broadcast_id BLOB PRIMARY KEY,
    data_set_id  BLOB NOT NULL,
    price_wei    TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS ended_broadcasts (broadcast_id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS grants (
    lock_id     BLOB PRIMARY KEY,
    data_set_id BLOB NOT NULL,
    expires_at  INTEGER NOT NULL,
    state       TEXT NOT NULL,
    commitments BLOB,
    shares      BLOB,
    reason      TEXT
);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""
_G1_BYTES, _G2_BYTES = 64, 128
_REQUEST = "lock_id, requester, type_id, nonce, expires_at, state, factor, answer, reason"
_DATA_SET = (
    "data_set_id, data_key, paillier, from_s, to_s, row_count, readings_root, manifest,"
    " price_wei, published"
)
_GRANT = "lock_id, data_set_id, expires_at, state, commitments, shares, reason"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDataSet:
    """A data set with its secrets; `manifest` is the sealed bytes that are published."""

    data_set_id: bytes
    data_key: DataKey
    paillier: PaillierPrivateKey
    from_s: int
    to_s: int
    rows: int
    readings_root: bytes
    manifest: bytes
    price_wei: int
    published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """What was offered to a broadcast."""

    broadcast_id: bytes
    data_set_id: bytes
    price_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantJob:
    """A sharing lock and the transcript dealt for it, if it was dealt."""

    lock_id: bytes
    data_set_id: bytes
    expires_at: int
    state: GrantState
    transcript: Transcript | None
    reason: str | None


class JobTables(Database):
    """Requests, data sets, responses and grants."""

    # ---- a user's requests

    def put_request(
        self, lock_id: bytes, *, requester: Account, type_id: int, nonce: bytes, expires_at: int
    ) -> None:
        """Note a request that was seen; a repeat changes nothing."""
        row = (lock_id, requester, type_id, nonce, expires_at, JobState.NEW)
        with self._write() as connection:
            connection.execute(
                f"INSERT OR IGNORE INTO requests ({_REQUEST}) VALUES (?,?,?,?,?,?,NULL,NULL,NULL)",
                row,
            )

    def request(self, lock_id: bytes) -> RequestJob | None:
        """Return a request by its lock."""
        row = self._one(f"SELECT {_REQUEST} FROM requests WHERE lock_id=?", lock_id)
        return None if row is None else _request(row)

    def requests(self, state: JobState | None = None) -> list[RequestJob]:
        """Return the requests (in a state) in the order in which they were seen."""
        query = f"SELECT {_REQUEST} FROM requests WHERE ? IS NULL OR state=? ORDER BY rowid"
        return [_request(row) for row in self._all(query, state, state)]

    def drop_request(self, lock_id: bytes) -> None:
        """Forget a request that nothing was done for; one with an answer stays, with its factor."""
        query = "DELETE FROM requests WHERE lock_id=? AND state=? AND factor IS NULL"
        with self._write() as connection:
            connection.execute(query, (lock_id, JobState.NEW))

    def prepare_answer(self, lock_id: bytes, *, factor: SecretBytes, answer: bytes) -> None:
        """Store factor and sealed answer before they are committed on chain; state ACCEPTING.

        The same pair again changes nothing. Raises StoreConflict for another pair (x is used for
        one answer only) and for an unknown lock.
        """
        with self._write() as connection:
            query = "SELECT factor, answer FROM requests WHERE lock_id=?"
            held = connection.execute(query, (lock_id,)).fetchone()
            if held == (factor.reveal(), answer):
                return
            if held != (None, None):
                raise StoreConflict("the lock is unknown, or has another answer prepared already")
            connection.execute(
                "UPDATE requests SET factor=?, answer=?, state=? WHERE lock_id=?",
                (factor.reveal(), answer, JobState.ACCEPTING, lock_id),
            )

    def set_request_state(
        self, lock_id: bytes, state: JobState, *, reason: str | None = None
    ) -> None:
        """Note where a request stands, and why. Raises StoreConflict for an unknown lock."""
        query = "UPDATE requests SET state=?, reason=coalesce(?, reason) WHERE lock_id=?"
        self._update(query, state, reason, lock_id, missing="no such request is known here")

    # ---- data sets and the market

    def put_data_set(
        self,
        *,
        data_set_id: bytes,
        data_key: DataKey,
        paillier: PaillierPrivateKey,
        from_s: int,
        to_s: int,
        rows: int,
        readings_root: bytes,
        manifest: bytes,
        price_wei: int,
    ) -> None:
        """Store a data set with its keys before it is published. Raises StoreConflict if known."""
        row = (
            data_set_id,
            data_key.to_bytes(),
            paillier.to_bytes(),
            from_s,
            to_s,
            rows,
            readings_root,
            manifest,
            str(price_wei),
        )
        with self._write() as connection:
            query = f"INSERT OR IGNORE INTO data_sets ({_DATA_SET}) VALUES (?,?,?,?,?,?,?,?,?,0)"
            if connection.execute(query, row).rowcount != 1:
                raise StoreConflict("a data set of this id is stored already, with its own key")

    def drop_data_set(self, data_set_id: bytes) -> None:
        """Forget a data set that was never published, with its keys.

        Raises StoreConflict for an unknown or published one.
        """
        query = "DELETE FROM data_sets WHERE data_set_id=? AND published=0"
        self._update(query, data_set_id, missing="no unpublished data set of this id is stored")

    def set_published(self, data_set_id: bytes) -> None:
        """Note that a data set is on chain. Raises StoreConflict for an unknown one."""
        query = "UPDATE data_sets SET published=1 WHERE data_set_id=?"
        self._update(query, data_set_id, missing="no such data set is stored here")

    def data_set(self, data_set_id: bytes) -> StoredDataSet | None:
        """Return a data set by its id."""
        row = self._one(f"SELECT {_DATA_SET} FROM data_sets WHERE data_set_id=?", data_set_id)
        return None if row is None else _data_set(row)

    def data_sets(self) -> list[StoredDataSet]:
        """Return all data sets, oldest first."""
        rows = self._all(f"SELECT {_DATA_SET} FROM data_sets ORDER BY rowid")
        return [_data_set(row) for row in rows]

    def put_response(self, broadcast_id: bytes, *, data_set_id: bytes, price_wei: int) -> None:
        """Note what a broadcast is answered with, before that is sent; it is answered once.

        The same again changes nothing. Raises StoreConflict for another offer.
        """
        with self._write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO responses VALUES (?, ?, ?)",
                (broadcast_id, data_set_id, str(price_wei)),
            )
        wanted = StoredResponse(
            broadcast_id=broadcast_id, data_set_id=data_set_id, price_wei=price_wei
        )
        if self.response(broadcast_id) != wanted:
            raise StoreConflict("this broadcast was answered with another offer")

    def response(self, broadcast_id: bytes) -> StoredResponse | None:
        """Return what a broadcast was answered with."""
        query = "SELECT data_set_id, price_wei FROM responses WHERE broadcast_id=?"
        row = self._one(query, broadcast_id)
        if row is None:
            return None
        return StoredResponse(broadcast_id=broadcast_id, data_set_id=row[0], price_wei=int(row[1]))

    def unended_responses(self) -> list[bytes]:
        """Return the broadcasts that were answered and not known to have ended, oldest first."""
        query = (
            "SELECT broadcast_id FROM responses WHERE broadcast_id NOT IN"
            " (SELECT broadcast_id FROM ended_broadcasts) ORDER BY rowid"
        )
        return [row[0] for row in self._all(query)]

    def end_broadcast(self, broadcast_id: bytes) -> None:
        """Note that a broadcast has ended for this node; a repeat changes nothing."""
        query = "INSERT OR IGNORE INTO ended_broadcasts VALUES (?)"
        with self._write() as connection:
            connection.execute(query, (broadcast_id,))

    # ---- shares

    def put_grant(self, lock_id: bytes, *, data_set_id: bytes, expires_at: int) -> None:
        """Note a sharing lock that was seen; a repeat changes nothing."""
        row = (lock_id, data_set_id, expires_at, GrantState.NEW)
        with self._write() as connection:
            query = f"INSERT OR IGNORE INTO grants ({_GRANT}) VALUES (?,?,?,?,NULL,NULL,NULL)"
            connection.execute(query, row)

    def drop_grant(self, lock_id: bytes) -> None:
        """Forget a sharing lock that nothing was done for; a dealt transcript stays."""
        query = "DELETE FROM grants WHERE lock_id=? AND state=? AND commitments IS NULL"
        with self._write() as connection:
            connection.execute(query, (lock_id, GrantState.NEW))

    def prepare_transcript(self, lock_id: bytes, transcript: Transcript) -> None:
        """Store the dealt transcript before it is delivered; state DEALT. A lock is dealt once.

        The same again changes nothing. Raises StoreConflict for another one: two dealings of one
        key to one group would each give shares away.
        """
        commitments = b"".join(point.to_bytes() for point in transcript.commitments)
        shares = b"".join(point.to_bytes() for point in transcript.shares)
        with self._write() as connection:
            query = "SELECT commitments, shares FROM grants WHERE lock_id=?"
            held = connection.execute(query, (lock_id,)).fetchone()
            if held == (commitments, shares):
                return
            if held != (None, None):
                raise StoreConflict("the lock is unknown, or was dealt another transcript already")
            connection.execute(
                "UPDATE grants SET commitments=?, shares=?, state=? WHERE lock_id=?",
                (commitments, shares, GrantState.DEALT, lock_id),
            )

    def grant(self, lock_id: bytes) -> GrantJob | None:
        """Return a grant by its lock."""
        row = self._one(f"SELECT {_GRANT} FROM grants WHERE lock_id=?", lock_id)
        return None if row is None else _grant(row)

    def grants(self, state: GrantState | None = None) -> list[GrantJob]:
        """Return the grants (in a state) in the order in which they were seen."""
        query = f"SELECT {_GRANT} FROM grants WHERE ? IS NULL OR state=? ORDER BY rowid"
        return [_grant(row) for row in self._all(query, state, state)]

    def set_grant_state(
        self, lock_id: bytes, state: GrantState, *, reason: str | None = None
    ) -> None:
        """Note where a grant stands, and why. Raises StoreConflict for an unknown lock."""
        query = "UPDATE grants SET state=?, reason=coalesce(?, reason) WHERE lock_id=?"
        self._update(query, state, reason, lock_id, missing="no such grant is known here")

    # ---- small durable values

    def remember(self, name: str, value: bytes) -> None:
        """Store a small value under a name, in place of what was there."""
        with self._write() as connection:
            connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def recall(self, name: str) -> bytes | None:
        """Return what is stored under a name."""
        return self._value("SELECT value FROM notes WHERE name=?", name)


def _request(row: Row) -> RequestJob:
    lock_id, requester, type_id, nonce, expires_at, state, factor, answer, reason = row
    return RequestJob(
        lock_id=lock_id,
        requester=requester,
        type_id=type_id,
        nonce=nonce,
        expires_at=expires_at,
        state=JobState(state),
        factor=None if factor is None else SecretBytes(factor),
        answer=answer,
        reason=reason,
    )


def _data_set(row: Row) -> StoredDataSet:
    data_set_id, data_key, paillier, from_s, to_s, rows, root, manifest, price_wei, published = row
    return StoredDataSet(
        data_set_id=data_set_id,
        data_key=DataKey.from_bytes(data_key),
        paillier=PaillierPrivateKey.from_bytes(paillier, bits=None),
        from_s=from_s,
        to_s=to_s,
        rows=rows,
        readings_root=root,
        manifest=manifest,
        price_wei=int(price_wei),
        published=bool(published),
    )


def _grant(row: Row) -> GrantJob:
    lock_id, data_set_id, expires_at, state, commitments, shares, reason = row
    return GrantJob(
        lock_id=lock_id,
        data_set_id=data_set_id,
        expires_at=expires_at,
        state=GrantState(state),
        transcript=None if commitments is None else _transcript(commitments, shares),
        reason=reason,
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
