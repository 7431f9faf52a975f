"""The shares that a buyer has at hand, kept durably by lock and member."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, select

from offchain.crypto.curve import G1
from offchain.database import Schema, Store

_tables = MetaData()
_shares = Table(
    "shares",
    _tables,
    Column("lock_id", LargeBinary, primary_key=True),
    Column("member", Integer, primary_key=True, autoincrement=False),
    Column("share", LargeBinary, nullable=False),
)

SHARES = Schema("shares", _tables, Path(__file__).parent / "migrations/shares")


class KeptShares(Store):
    """The shares S_i of one's grants: one's own, and those of others in the group."""

    schema = SHARES

    def keep(self, lock_id: bytes, index: int, share: G1) -> None:
        """Store the share of member `index` (1..n)."""
        self._put(_shares, lock_id=lock_id, member=index, share=share.to_bytes())

    def shares(self, lock_id: bytes) -> dict[int, G1]:
        """Return the shares held for a lock, by member index."""
        query = select(_shares.c.member, _shares.c.share).where(_shares.c.lock_id == lock_id)
        return {index: G1.from_bytes(share) for index, share in self._all(query)}
