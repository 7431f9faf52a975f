"""What a processing node keeps of its aggregate sets. No private key is among it."""

from __future__ import annotations

from offchain.member.database import Database, StoreConflict
from offchain.types import Account

_SCHEMA = """
CREATE TABLE IF NOT EXISTS aggregate_keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS aggregate_sets (
    from_s       INTEGER PRIMARY KEY,
    to_s         INTEGER NOT NULL,
    set_digest   BLOB NOT NULL UNIQUE,
    announcement BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS aggregate_openings (
    set_digest BLOB NOT NULL,
    member     TEXT NOT NULL,
    digest     BLOB NOT NULL,
    PRIMARY KEY (set_digest, member)
) WITHOUT ROWID;
"""


class AggregateStore(Database):
    """Keys dealt, sets announced, openings handed in. `AggregateStore(path)`, a context manager."""

    _schema = _SCHEMA

    def put_key(self, digest: bytes) -> None:
        """Note a key, by its description's digest; later sets are under the last one."""
        with self._write() as connection:
            connection.execute("INSERT INTO aggregate_keys (digest) VALUES (?)", (digest,))

    def current_key(self) -> bytes | None:
        """Return the digest of the last key's description."""
        query = "SELECT digest FROM aggregate_keys ORDER BY number DESC LIMIT 1"
        return self._value(query)

    def put_set(self, *, from_s: int, to_s: int, set_digest: bytes, announcement: bytes) -> None:
        """Note the one set of some slots, durably, before anybody hears of it.

        Raises StoreConflict when a set overlaps that was noted before.
        """
        query = "SELECT 1 FROM aggregate_sets WHERE from_s<? AND to_s>?"
        with self._write() as connection:
            if connection.execute(query, (to_s, from_s)).fetchone() is not None:
                raise StoreConflict(
                    "a set of some of these slots is announced; there is one a slot"
                )
            values = (from_s, to_s, set_digest, announcement)
            connection.execute("INSERT INTO aggregate_sets VALUES (?, ?, ?, ?)", values)

    def announcement(self, *, from_s: int, to_s: int) -> bytes | None:
        """Return the announcement of exactly this window."""
        query = "SELECT announcement FROM aggregate_sets WHERE from_s=? AND to_s=?"
        return self._value(query, from_s, to_s)

    def announcements(self) -> list[bytes]:
        """Return all announcements by their windows."""
        rows = self._all("SELECT announcement FROM aggregate_sets ORDER BY from_s")
        return [row[0] for row in rows]

    def announcement_of(self, set_digest: bytes) -> bytes | None:
        """Return the announcement of a set."""
        query = "SELECT announcement FROM aggregate_sets WHERE set_digest=?"
        return self._value(query, set_digest)

    def put_opening(self, *, set_digest: bytes, member: Account, digest: bytes) -> None:
        """Note a verified opening by its content digest; a member's later one replaces it."""
        with self._write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO aggregate_openings VALUES (?, ?, ?)",
                (set_digest, member, digest),
            )

    def openings(self, set_digest: bytes) -> list[bytes]:
        """Return the content digests of the openings of a set."""
        query = "SELECT digest FROM aggregate_openings WHERE set_digest=? ORDER BY member"
        return [row[0] for row in self._all(query, set_digest)]
