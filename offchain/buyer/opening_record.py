"""What a sharing node helped to open, for ever: one set a slot, against differencing.

Two totals of one slot that differ by a home would show that home's energy. So a node notes the
first set that it opens of a region's slots and refuses every other one that overlaps them: with
other homes, other values, another grid or another key alike.
"""

from __future__ import annotations

from offchain.member.database import Database
from offchain.member.errors import AggregateRefused

_SCHEMA = """
CREATE TABLE IF NOT EXISTS opened (
    region_id  BLOB NOT NULL,
    from_s     INTEGER NOT NULL,
    to_s       INTEGER NOT NULL,
    set_digest BLOB NOT NULL,
    PRIMARY KEY (region_id, from_s)
) WITHOUT ROWID;
"""


class OpeningRecord(Database):
    """A durable file of its own; `OpeningRecord(path)`, also a context manager.

    Who loses or restores it can be made to open a slot twice: it is backed up like keys.
    """

    _schema = _SCHEMA

    def note(self, *, region_id: bytes, from_s: int, to_s: int, set_digest: bytes) -> None:
        """Note durably that a set is the one of its slots; a repeat is accepted.

        Raises AggregateRefused when another set of any of these slots was noted.
        """
        query = (
            "SELECT set_digest, from_s, to_s FROM opened WHERE region_id=? AND from_s<? AND to_s>?"
        )
        with self._write() as connection:
            held = connection.execute(query, (region_id, to_s, from_s)).fetchall()
            if held == [(set_digest, from_s, to_s)]:
                return
            if held:
                raise AggregateRefused(
                    f"the slots of {held[0][1]}..{held[0][2]} were opened in the set "
                    f"{held[0][0].hex()}; no other set of them is opened"
                )
            values = (region_id, from_s, to_s, set_digest)
            connection.execute("INSERT INTO opened VALUES (?, ?, ?, ?)", values)
