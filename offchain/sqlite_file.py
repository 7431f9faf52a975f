"""A plain SQLite file, durable, behind the errors of a store (offchain/errors.py).

For what needs no more than this: the agent's outbox, the journal of transactions, the copies that
a content store owes. What members keep besides is behind `offchain.database`.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from offchain.errors import (
    StoreBusy,
    StoreConflict,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreVersion,
)

PATIENCE_S = 90.0  # how long a program waits for another one that holds the file
_SAID_AFTER_S = 5.0
_SLICE_MS = 250  # between two tries a signal is heeded
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_NO_ROOM = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
}
_is_ending = False
_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_E = TypeVar("_E", bound=Exception)


def hurry(is_ending: bool) -> None:
    """Say whether the process is to end: then nobody waits for another program any longer."""
    global _is_ending
    _is_ending = is_ending


def is_hurried() -> bool:
    """Whether the process is to end."""
    return _is_ending


def fault_of(error: sqlite3.Error, path: Path | str) -> StoreError:
    """Return what SQLite raised as one of ours. StoreDamaged only if an integrity check agrees.

    A disk without room breaks reads as well (the file beside it that readers share cannot be
    made), and so looks like damage: the check tells them apart.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if isinstance(error, sqlite3.IntegrityError):
        return StoreConflict(f"{path} already holds another value: {error}")
    if code in _BUSY:
        return StoreBusy(f"another program holds {path}; end it or wait for it, and try again")
    if code in _NO_ROOM:
        return StoreFull(
            f"{path} cannot be written ({error}); free room on its disk, or make it writable"
        )
    if code in _DAMAGED and not is_sound(path):
        return StoreDamaged(f"{path} is damaged ({error}); put it aside and restore a copy")
    return StoreError(f"{path}: {error}")


def is_sound(path: Path | str) -> bool:
    """Whether SQLite's own integrity check passes; nothing is written. False only if it fails: a
    file that cannot be looked at now is not called damaged.
    """
    try:
        connection = sqlite3.connect(f"file:{Path(path).absolute()}?mode=ro", uri=True, timeout=5)
        try:
            return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED


def connect(path: Path | str, *, is_known: bool = False) -> sqlite3.Connection:
    """Open a file durably, made when missing and readable by its owner only: it holds secrets.

    WAL with synchronous=FULL: with less, a power failure may forget a committed row, and so what
    was sent. One with tables that is not in WAL may be another program's: it is left as it is until
    the caller `is_known` to have looked. Raises StoreError.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_private(path)
    except OSError as error:
        raise StoreFull(
            f"{path} cannot be written ({error.strerror}); free room on its disk, or make it "
            "writable"
        ) from error
    connection = sqlite3.connect(
        path, timeout=_SLICE_MS / 1000, isolation_level=None, check_same_thread=False
    )
    try:
        patiently(lambda: _set_up(connection, is_known=is_known), path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path) -> None:
    """Make an empty file for its owner alone where there is none yet.

    One that is there is never opened by us: to close it would free the locks that SQLite holds on
    it for other connections of this process, and another process could then spoil the database
    (sqlite.org/howtocorrupt.html, 2.2).
    """
    if path.exists():
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    os.close(os.open(fresh, os.O_CREAT | os.O_RDWR, 0o600))
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass  # another one made it meanwhile
    finally:
        fresh.unlink()


def _set_up(connection: sqlite3.Connection, *, is_known: bool) -> None:
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if is_known or not tables:
        _make_durable(connection)


def _make_durable(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")  # kept in the file


def patiently(step: Callable[[], _T], path: Path | str) -> _T:
    """Return what `step` returns, tried again while another program holds the file.

    `step` must be safe to repeat. Says once that it waits. Raises StoreError.
    """
    return wait_out(step, sqlite3.Error, lambda error: fault_of(error, path), PATIENCE_S)


def wait_out(
    step: Callable[[], _T],
    kind: type[_E],
    fault_of: Callable[[_E], StoreError],
    patience_s: float,
) -> _T:
    """Return what `step` returns, tried again for `patience_s` while a database is busy; `fault_of`
    says what an error of its `kind` means. Raises StoreError.
    """
    began, is_said = time.monotonic(), False
    while True:
        try:
            return step()
        except kind as error:
            fault = fault_of(error)
            waited_s = time.monotonic() - began
            if not isinstance(fault, StoreBusy) or waited_s >= patience_s or is_hurried():
                raise fault from error
            if waited_s >= _SAID_AFTER_S and not is_said:
                _log.warning("%s; waiting for it", fault)
                is_said = True
            time.sleep(0.02)  # a lock that SQLite refuses at once is not asked for in a row


class SqliteFile:
    """One connection behind a lock, for the threads of one process. Also a context manager.

    A subclass names its tables in `_schema` and their version in `_layout` (PRAGMA user_version).
    """

    _schema = ""
    _layout = 1

    def __init__(self, path: Path | str) -> None:
        """Open the file, with its tables made when missing. Raises StoreError."""
        self.path = Path(path)
        self._mutex = threading.RLock()
        self._is_writing = False
        self._connection = connect(self.path)
        try:
            patiently(self._make_tables, self.path)
            patiently(lambda: _make_durable(self._connection), self.path)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._mutex:
            self._connection.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction, committed at the end, undone when anything is raised; one inside
        another is a part of it. Raises StoreError.
        """
        with self._mutex:
            if self._is_writing:
                yield self._connection
                return
            patiently(lambda: self._connection.execute("BEGIN IMMEDIATE"), self.path)
            self._is_writing = True
            try:
                yield self._connection
                patiently(lambda: self._connection.execute("COMMIT"), self.path)
            except BaseException as error:
                self._undo()
                if isinstance(error, sqlite3.Error):
                    raise fault_of(error, self.path) from error
                raise
            finally:
                self._is_writing = False

    def _undo(self) -> None:
        if self._connection.in_transaction:  # a full disk has ended it already
            self._connection.execute("ROLLBACK")

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of a query. Raises StoreError."""
        with self._mutex:
            return patiently(lambda: self._connection.execute(query, values).fetchall(), self.path)

    def _one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        """Return the first row of a query, or None. Raises StoreError."""
        with self._mutex:
            return patiently(lambda: self._connection.execute(query, values).fetchone(), self.path)

    def _make_tables(self) -> None:
        if self._has_tables():
            return
        # One transaction: after a crash there is the whole layout, or nothing.
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            if not self._has_tables():  # another one may have made them meanwhile
                for statement in _statements(self._schema):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version={self._layout}")
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise

    def _has_tables(self) -> bool:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        (tables,) = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and found != self._layout:
            raise StoreVersion(
                f"{self.path} has layout {found} and this program knows {self._layout}: use the "
                "program that made it, or another file"
            )
        return bool(tables)


def _statements(script: str) -> list[str]:
    """Return the statements of a script (sqlite3's own way commits what is open before it)."""
    found, begun = [], ""
    for part in script.split(";"):
        begun += part + ";"
        if sqlite3.complete_statement(begun):
            found.append(begun)
            begun = ""
    return found
