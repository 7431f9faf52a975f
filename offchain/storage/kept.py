"""What a member keeps in its stores, and which store is still owed what: one SQLite file.

A parcel is what was put together. It is noted here, owed to every store, before the first byte is
sent; only a store that has shown it back is no longer owed it. So a crash at any moment leaves
too much owed, never too little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from offchain.sqlite_file import SqliteFile
from offchain.storage.cid import Cid

_SCHEMA = """
CREATE TABLE IF NOT EXISTS parcels (
    name       TEXT PRIMARY KEY,
    put_at     INTEGER NOT NULL,
    keep_until INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    name     TEXT NOT NULL REFERENCES parcels ON DELETE CASCADE,
    position INTEGER NOT NULL,
    digest   BLOB NOT NULL,
    length   INTEGER NOT NULL,
    PRIMARY KEY (name, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_by_digest ON objects (digest);
CREATE TABLE IF NOT EXISTS owed (
    name     TEXT NOT NULL REFERENCES parcels ON DELETE CASCADE,
    url      TEXT NOT NULL,
    since    INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    pause_s  INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (name, url)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stores (
    url         TEXT PRIMARY KEY,
    down_since  INTEGER,
    pause_s     INTEGER NOT NULL DEFAULT 0,
    retry_at    INTEGER NOT NULL DEFAULT 0,
    audited_at  INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
"""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5, 30  # of a store
_LONGEST_WAIT_S = 3_600  # of a parcel that a store which answers does not keep


@dataclass(frozen=True, slots=True)
class Parcel:
    """Objects that were put together. `keep_until` (unix time) None: until it is let go by name."""

    name: str
    put_at: int
    keep_until: int | None
    cids: tuple[Cid, ...]
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Owed:
    """A copy that a store is owed, since when (unix time), and why."""

    name: str
    url: str
    since: int
    reason: str


class KeptParcels(SqliteFile):
    """The file. Several threads and processes may have it open; each call is one transaction.

    One that is damaged may be put aside: what is put from then on is kept again, and data sets
    when they are published again.
    """

    _schema = _SCHEMA

    # ---- parcels

    def note(
        self,
        name: str,
        objects: Sequence[tuple[Cid, int]],
        *,
        now: int,
        keep_until: int | None,
        urls: Sequence[str],
    ) -> None:
        """Note a parcel (its CIDs and lengths) and that every store is owed it.

        One that is known is kept for the longer of both times.
        """
        with self._write() as connection:
            connection.execute(
                "INSERT INTO parcels VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET "
                "keep_until = CASE WHEN keep_until IS NULL OR ?3 IS NULL THEN NULL "
                "ELSE max(keep_until, ?3) END",
                (name, now, keep_until),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO objects VALUES (?, ?, ?, ?)",
                [(name, at, cid.digest, length) for at, (cid, length) in enumerate(objects)],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO owed (name, url, since, reason) "
                "VALUES (?, ?, ?, 'not sent yet')",
                [(name, url, now) for url in urls],
            )

    def parcels(self) -> list[Parcel]:
        """Return all parcels, oldest first."""
        return self._parcels("1")

    def parcel(self, name: str) -> Parcel | None:
        """Return a parcel."""
        return next(iter(self._parcels("name=?", name)), None)

    def sharing(self, name: str, cids: Sequence[Cid]) -> list[Parcel]:
        """Return the other parcels that have one of these objects, too."""
        query = "name!=? AND name IN (SELECT name FROM objects WHERE digest=?)"
        found = {one.name: one for cid in cids for one in self._parcels(query, name, cid.digest)}
        return list(found.values())

    def _parcels(self, condition: str, *values: object) -> list[Parcel]:
        rows = self._all(
            "SELECT name, put_at, keep_until, digest, length FROM parcels JOIN objects USING (name)"
            f" WHERE {condition} ORDER BY put_at, name, position",
            *values,
        )
        return [
            Parcel(*head, *zip(*((Cid.from_digest(one[3]), one[4]) for one in listed), strict=True))
            for head, listed in groupby(rows, key=lambda row: row[:3])
        ]

    def forget(self, name: str, *, expired_at: int | None = None) -> bool:
        """Forget a parcel; with `expired_at` only if it is not to be kept beyond that time.

        Return whether it is gone.
        """
        query = "DELETE FROM parcels WHERE name=?1 AND (?2 IS NULL OR keep_until <= ?2)"
        with self._write() as connection:
            return connection.execute(query, (name, expired_at)).rowcount == 1

    # ---- who is owed what

    def owe(self, name: str, url: str, *, now: int, reason: str, is_refused: bool = False) -> None:
        """Note that a store does not have a parcel (any more), and why.

        `is_refused`: it answers and yet does not keep it, or nobody has it to send: the time until
        the next try doubles.
        """
        wait = f"min({_LONGEST_WAIT_S}, max({_FIRST_PAUSE_S}, 2*pause_s))"
        later = f", pause_s={wait}, retry_at=?3 + {wait}" if is_refused else ""
        with self._write() as connection:
            connection.execute(
                "INSERT INTO owed (name, url, since, reason) SELECT ?1, ?2, ?3, ?4 "
                "WHERE EXISTS (SELECT 1 FROM parcels WHERE name=?1) "
                f"ON CONFLICT (name, url) DO UPDATE SET reason=?4{later}",
                (name, url, now, reason),
            )

    def settle(self, name: str, urls: Sequence[str]) -> None:
        """Note that stores have shown a parcel."""
        with self._write() as connection:
            connection.executemany(
                "DELETE FROM owed WHERE name=? AND url=?", [(name, url) for url in urls]
            )

    def owed(self, *, urls: Sequence[str], due_at: int | None = None) -> list[Owed]:
        """Return what these stores are owed, oldest first; `due_at`: what is to be tried then."""
        marks = ",".join("?" * len(urls))
        query = f"SELECT name, url, since, reason FROM owed WHERE url IN ({marks})"
        if due_at is None:
            return [Owed(*row) for row in self._all(f"{query} ORDER BY since", *urls)]
        due = f"{query} AND retry_at <= ? ORDER BY since"
        return [Owed(*row) for row in self._all(due, *urls, due_at)]

    # ---- the stores themselves

    def set_up(self, url: str) -> None:
        """Note that a store answers."""
        with self._write() as connection:
            connection.execute(
                "UPDATE stores SET down_since=NULL, pause_s=0, retry_at=0 "
                "WHERE url=? AND down_since IS NOT NULL",
                (url,),
            )

    def set_down(self, url: str, *, now: int) -> None:
        """Note that a store does not answer; the pause until it is asked again doubles."""
        with self._write() as connection:
            connection.execute("INSERT OR IGNORE INTO stores (url) VALUES (?)", (url,))
            connection.execute(
                "UPDATE stores SET down_since=coalesce(down_since, ?1), "
                "pause_s=min(?3, max(?2, 2*pause_s)), retry_at=?1 + min(?3, max(?2, 2*pause_s)) "
                "WHERE url=?4",
                (now, _FIRST_PAUSE_S, _LONGEST_PAUSE_S, url),
            )

    def down_since(self, url: str) -> int | None:
        """Return since when a store does not answer, or None."""
        rows = self._all("SELECT down_since FROM stores WHERE url=?", url)
        return rows[0][0] if rows else None

    def retry_at(self, url: str) -> int:
        """Return when a store that is down is asked again (unix time); 0 for one that is not."""
        rows = self._all("SELECT retry_at FROM stores WHERE url=?", url)
        return rows[0][0] if rows else 0

    def set_audited(self, url: str, *, now: int) -> None:
        """Note that all that a store shall keep was looked at."""
        with self._write() as connection:
            connection.execute("INSERT OR IGNORE INTO stores (url) VALUES (?)", (url,))
            connection.execute("UPDATE stores SET audited_at=? WHERE url=?", (now, url))

    def audited_at(self, url: str) -> int:
        """Return when a store was last looked through (unix time), or 0."""
        rows = self._all("SELECT audited_at FROM stores WHERE url=?", url)
        return rows[0][0] if rows else 0
