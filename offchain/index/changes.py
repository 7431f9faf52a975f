"""What the events of some blocks do to the tables: gathered in memory, written in bulk.

Between two blocks of one range a row may go through several versions: all are written. Within one
block only the last counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from offchain.index.decoding import Told
from offchain.index.errors import IndexIncomplete
from offchain.index.tables import OPEN

Key = tuple[Any, ...]
Values = dict[str, Any]
_AT_ONCE = 400  # keys of one question


@dataclass(slots=True)
class _Version:
    values: Values
    from_block: int
    is_stored: bool


class Changes:
    """The tables as some events change them. Nothing is written before `write`."""

    def __init__(self, connection: Connection, address_of: Callable[[str], str]) -> None:
        """`address_of`: where a contract lies, by its name."""
        self.address_of = address_of
        self._connection = connection
        self._rows: dict[Table, dict[Key, _Version | None]] = defaultdict(dict)
        self._ended: dict[Table, list[Values]] = defaultdict(list)  # stored versions that end
        self._new: dict[Table, list[Values]] = defaultdict(list)

    # ---- for projections

    def row(self, table: Table, *key: Any) -> Values | None:
        """Return what a row says now, None when there is none."""
        held = self._held(table, key)
        return None if held is None else held.values

    def rows_of(self, table: Table, first: Any) -> dict[Key, Values]:
        """Return all rows by key whose key begins with `first`."""
        self.load(table, [first])
        return {
            key: held.values
            for key, held in self._rows[table].items()
            if held is not None and key[0] == first
        }

    def put(self, table: Table, key: Key, told: Told, **values: Any) -> None:
        """Let a row say `values` from an event's block on, whatever it said before."""
        self._end(table, key, told.block)
        self._rows[table][key] = _Version(values, told.block, is_stored=False)

    def change(self, table: Table, key: Key, told: Told, **values: Any) -> Values:
        """Change some columns of a row; return what it said before. Raises IndexIncomplete."""
        held = self._held(table, key)
        if held is None:
            raise IndexIncomplete(table.name, told.block)
        before = held.values
        self.put(table, key, told, **{**before, **values})
        return before

    def end(self, table: Table, key: Key, told: Told) -> None:
        """Let a row end with an event's block, if there is one."""
        self._end(table, key, told.block)
        self._rows[table][key] = None

    def add(self, table: Table, told: Told, *, part: int = 0, **values: Any) -> None:
        """Note what an event says once."""
        place = {"block": told.block, "log_index": told.log_index, "part": part}
        self._new[table].append({**place, **values})

    # ---- reading and writing

    def load(self, table: Table, first: Iterable[Any]) -> None:
        """Read the rows whose key begins with one of `first`, many at once."""
        names, known = table.info["key"], self._rows[table]
        column = table.c[names[0]]
        wanted = list(dict.fromkeys(first))
        for start in range(0, len(wanted), _AT_ONCE):
            chosen = wanted[start : start + _AT_ONCE]
            query = select(table).where(column.in_(chosen), table.c.to_block == OPEN)
            for row in self._connection.execute(query).mappings():
                key = tuple(row[name] for name in names)
                if key not in known:
                    known[key] = _stored(row, names)
            if len(names) == 1:
                for one in chosen:
                    known.setdefault((one,), None)

    def write(self) -> None:
        """Write all of it."""
        for table, ended in self._ended.items():
            self._connection.execute(_ending(table), ended)
        for table, rows in self._rows.items():
            for key, held in rows.items():
                if held is not None and not held.is_stored:
                    self._new[table].append(_row(table, key, held, OPEN))
        for table, new in self._new.items():
            self._connection.execute(insert(table), new)

    def _held(self, table: Table, key: Key) -> _Version | None:
        rows = self._rows[table]
        if key not in rows:
            names = table.info["key"]
            same = [table.c[name] == value for name, value in zip(names, key, strict=True)]
            query = select(table).where(*same, table.c.to_block == OPEN)
            found = self._connection.execute(query).mappings().first()
            rows[key] = None if found is None else _stored(found, names)
        return rows[key]

    def _end(self, table: Table, key: Key, block: int) -> None:
        held = self._held(table, key)
        if held is None or held.from_block == block:
            return  # what begins and ends in one block never was
        if held.is_stored:
            names = table.info["key"]
            which = {f"key_{name}": value for name, value in zip(names, key, strict=True)}
            self._ended[table].append({**which, "ends": block})
        else:
            self._new[table].append(_row(table, key, held, block))


def _stored(row: Any, names: Sequence[str]) -> _Version:
    values = dict(row)
    for name in names:
        del values[name]
    del values["to_block"]
    return _Version(values, values.pop("from_block"), is_stored=True)


def _row(table: Table, key: Key, held: _Version, to_block: int) -> Values:
    named = dict(zip(table.info["key"], key, strict=True))
    return {**named, **held.values, "from_block": held.from_block, "to_block": to_block}


def _ending(table: Table) -> Any:
    same = [table.c[name] == bindparam(f"key_{name}") for name in table.info["key"]]
    open_row = table.c.to_block == OPEN
    return update(table).where(*same, open_row).values(to_block=bindparam("ends"))
