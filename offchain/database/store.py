"""What every store of a member is: a database with its schema, and short ways to read and write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from sqlalchemy import Executable, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

from offchain.database.database import Database, Place
from offchain.database.schema import Schema
from offchain.errors import StoreConflict
from offchain.sqlite_file import PATIENCE_S


class Store:
    """A store at a place; also a context manager. Threads may share it.

    A subclass names its tables in `schema`. Each of its public methods is one transaction.
    """

    schema: ClassVar[Schema]

    def __init__(self, place: Place, *, patience_s: float = PATIENCE_S) -> None:
        """Open the store, with its tables made or migrated. Raises StoreError.

        patience_s: how long another program that holds the database is waited for.
        """
        self._database = Database(place, self.schema, patience_s=patience_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _all(self, query: Select[Any], **values: object) -> Sequence[Any]:
        with self._database.read() as connection:
            return connection.execute(query, values).all()

    def _first(self, query: Select[Any], **values: object) -> Any:
        """Return the first row, or None. `values`: those of the query's own parameters."""
        with self._database.read() as connection:
            return connection.execute(query, values).first()

    def _value(self, query: Select[Any], **values: object) -> Any:
        """Return the first column of the first row, or None."""
        row = self._first(query, **values)
        return None if row is None else row[0]

    def _run(self, statement: Executable) -> int:
        """Run a statement that writes; return how many rows it changed."""
        with self._database.write() as connection:
            return int(connection.execute(statement).rowcount)

    def _change_one(self, statement: Executable, *, missing: str) -> None:
        """Run a statement that changes one row, or raise StoreConflict saying what is missing."""
        if self._run(statement) != 1:
            raise StoreConflict(missing)

    def _insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that may say what a row does whose key is there already."""
        return sqlite.insert(table) if self._database.is_sqlite else postgresql.insert(table)

    def _put_once(self, table: Table, **values: object) -> bool:
        """Insert a row unless its key is there already; return whether it was not."""
        insert = self._insert(table).values(values).on_conflict_do_nothing()
        with self._database.write() as connection:
            return connection.execute(insert.returning(*table.primary_key)).first() is not None

    def _put(self, table: Table, **values: object) -> None:
        """Insert a row, in place of one with the same primary key."""
        key = table.primary_key.columns.keys()
        others = {name: value for name, value in values.items() if name not in key}
        insert = self._insert(table).values(values)
        self._run(insert.on_conflict_do_update(index_elements=key, set_=others))
