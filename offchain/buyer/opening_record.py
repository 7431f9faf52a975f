"""What a sharing node helped to open, for ever: one set a slot, against differencing.

Two totals of one slot that differ by a home would show that home's energy. So a node notes the
first set that it opens of a region's slots and refuses every other one that overlaps them: with
other homes, other values, another grid or another key alike.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, select

from offchain.database import Schema, Store
from offchain.member.errors import AggregateRefused

_tables = MetaData()
_opened = Table(
    "opened",
    _tables,
    Column("region_id", LargeBinary, primary_key=True),
    Column("from_s", BigInteger, primary_key=True, autoincrement=False),
    Column("to_s", BigInteger, nullable=False),
    Column("set_digest", LargeBinary, nullable=False),
)

OPENED = Schema("opened", _tables, Path(__file__).parent / "migrations/opened")


class OpeningRecord(Store):
    """A durable database of its own; `OpeningRecord(place)`, also a context manager.

    Who loses or restores it can be made to open a slot twice: it is backed up like keys.
    """

    schema = OPENED

    def note(self, *, region_id: bytes, from_s: int, to_s: int, set_digest: bytes) -> None:
        """Note durably that a set is the one of its slots; a repeat is accepted.

        Raises AggregateRefused when another set of any of these slots was noted.
        """
        columns = _opened.c
        overlap = (columns.region_id == region_id, columns.from_s < to_s, columns.to_s > from_s)
        row = {"set_digest": set_digest, "from_s": from_s, "to_s": to_s}
        with self._database.write() as connection:
            query = select(columns.set_digest, columns.from_s, columns.to_s).where(*overlap)
            held = [dict(one._mapping) for one in connection.execute(query)]
            if held == [row]:
                return
            if held:
                raise AggregateRefused(
                    f"the slots of {held[0]['from_s']}..{held[0]['to_s']} were opened in the set "
                    f"{held[0]['set_digest'].hex()}; no other set of them is opened"
                )
            connection.execute(_opened.insert().values(region_id=region_id, **row))
