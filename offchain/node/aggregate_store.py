"""What a processing node keeps of its aggregate sets. No private key is among it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, select

from offchain.database import Schema, Store
from offchain.errors import StoreConflict
from offchain.types import Account

_tables = MetaData()
_keys = Table(
    "aggregate_keys",
    _tables,
    Column("number", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    sqlite_autoincrement=True,
)
_sets = Table(
    "aggregate_sets",
    _tables,
    Column("from_s", BigInteger, primary_key=True, autoincrement=False),
    Column("to_s", BigInteger, nullable=False),
    Column("set_digest", LargeBinary, nullable=False, unique=True),
    Column("announcement", LargeBinary, nullable=False),
)
_openings = Table(
    "aggregate_openings",
    _tables,
    Column("set_digest", LargeBinary, primary_key=True),
    Column("member", String, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
)

AGGREGATES = Schema("aggregates", _tables, Path(__file__).parent / "migrations/aggregates")


class AggregateStore(Store):
    """Keys dealt, sets announced, openings handed in. `AggregateStore(place)`, a context manager.

    Its own database, and not the node's: commands write it while a node runs.
    """

    schema = AGGREGATES

    def put_key(self, digest: bytes) -> None:
        """Note a key, by its description's digest; later sets are under the last one."""
        self._run(_keys.insert().values(digest=digest))

    def current_key(self) -> bytes | None:
        """Return the digest of the last key's description."""
        return self._value(select(_keys.c.digest).order_by(_keys.c.number.desc()).limit(1))

    def put_set(self, *, from_s: int, to_s: int, set_digest: bytes, announcement: bytes) -> None:
        """Note the one set of some slots, durably, before anybody hears of it.

        Raises StoreConflict when a set overlaps that was noted before.
        """
        overlaps = select(_sets.c.from_s).where(_sets.c.from_s < to_s, _sets.c.to_s > from_s)
        row = {"from_s": from_s, "to_s": to_s, "set_digest": set_digest}
        with self._database.write() as connection:
            if connection.execute(overlaps).first() is not None:
                raise StoreConflict(
                    "a set of some of these slots is announced; there is one a slot"
                )
            connection.execute(_sets.insert().values(**row, announcement=announcement))

    def announcement(self, *, from_s: int, to_s: int) -> bytes | None:
        """Return the announcement of exactly this window."""
        query = select(_sets.c.announcement)
        return self._value(query.where(_sets.c.from_s == from_s, _sets.c.to_s == to_s))

    def announcements(self) -> list[bytes]:
        """Return all announcements by their windows."""
        rows = self._all(select(_sets.c.announcement).order_by(_sets.c.from_s))
        return [row[0] for row in rows]

    def announcement_of(self, set_digest: bytes) -> bytes | None:
        """Return the announcement of a set."""
        return self._value(select(_sets.c.announcement).where(_sets.c.set_digest == set_digest))

    def put_opening(self, *, set_digest: bytes, member: Account, digest: bytes) -> None:
        """Note a verified opening by its content digest; a member's later one replaces it."""
        self._put(_openings, set_digest=set_digest, member=member, digest=digest)

    def openings(self, set_digest: bytes) -> list[bytes]:
        """Return the content digests of the openings of a set."""
        query = select(_openings.c.digest).where(_openings.c.set_digest == set_digest)
        return [row[0] for row in self._all(query.order_by(_openings.c.member))]
