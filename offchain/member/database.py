"""The node's SQLite file: opened durably, shared by the threads of one process."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from offchain.member.errors import MemberError

Row = tuple[Any, ...]


class StoreConflict(MemberError):
    """What was written once would be written again with another value, or is not there at all."""


class Database:
    """One connection behind a lock. WAL with synchronous=FULL: what was committed stays."""

    _schema = ""

    def __init__(self, path: Path | str) -> None:
        """Open the file, made when missing and readable by its owner only: it holds keys.

        Raises MemberError when the file is no sound database.
        """
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, check_same_thread=False, timeout=30, isolation_level=None
        )
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA foreign_keys=ON")
            sound = self._connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            self._connection.executescript(self._schema)
        except sqlite3.DatabaseError as error:
            self.close()
            raise MemberError(f"{path} is no sound database: {error}; restore a copy") from error
        if not sound:
            self.close()
            raise MemberError(f"{path} is damaged; put it aside and restore a copy")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction that is committed at the end, or undone when anything is raised."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _all(self, query: str, *values: object) -> list[Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> Row | None:
        with self._lock:
            return self._connection.execute(query, values).fetchone()

    def _value(self, query: str, *values: object) -> Any:
        row = self._one(query, *values)
        return None if row is None else row[0]

    def _update(self, query: str, *values: object, missing: str) -> None:
        """Run an update of exactly one row, or raise StoreConflict saying what is missing."""
        with self._write() as connection:
            if connection.execute(query, values).rowcount != 1:
                raise StoreConflict(missing)
