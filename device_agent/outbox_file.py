"""The outbox's SQLite file: one holder at a time, durable, and never deleted when damaged."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from device_agent.errors import BadSetup

_LAYOUT = 2  # PRAGMA user_version of files that this code makes


class OutboxFile:
    """One connection behind a lock, for the threads of one process. Also a context manager."""

    _schema = ""

    def __init__(self, path: Path) -> None:
        """Open the file, made when missing. A damaged one is put aside first, never deleted.

        Raises BadSetup when another process holds it, or another version made it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock_file = _hold(path)
        damaged = path.exists() and not _is_sound(path)
        self.put_aside = _put_aside(path) if damaged else None
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._mutex = threading.RLock()
        self._is_writing = False
        self._database = _connect(path)
        self._make_tables(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let others hold it."""
        with self._mutex:
            self._database.close()
        os.close(self._lock_file)

    def give_way_to(self, fresh: Path) -> Path:
        """Let another file take this one's place at once; return where this one lies then.

        Nothing but `close` may follow; other processes are kept out until it.
        """
        with self._mutex:
            self._database.close()  # what its log holds goes into the file
        aside = _free_name(self._path, "replaced")
        os.link(self._path, aside)
        os.replace(fresh, self._path)
        return aside

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Make all that is written inside one transaction, and keep other threads out."""
        with self._write():
            yield

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._mutex:
            if self._is_writing:  # inside `atomic`: the outermost commits or undoes
                yield self._database
                return
            self._database.execute("BEGIN IMMEDIATE")
            self._is_writing = True
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            else:
                self._database.execute("COMMIT")
            finally:
                self._is_writing = False

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._mutex:
            return self._database.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> Any:
        with self._mutex:
            return self._database.execute(query, values).fetchone()

    def _make_tables(self, path: Path) -> None:
        is_new = self._one("SELECT count(*) FROM sqlite_master")[0] == 0
        if not is_new and self._one("PRAGMA user_version")[0] != _LAYOUT:
            self.close()
            raise BadSetup(f"{path}: another version of the agent made this outbox")
        # One transaction: after a crash there is the whole layout, or nothing.
        layout = f"BEGIN IMMEDIATE; {self._schema} PRAGMA user_version={_LAYOUT}; COMMIT;"
        self._database.executescript(layout)


def _put_aside(path: Path) -> Path:
    """Rename a damaged database with its log; return its new name."""
    aside = _free_name(path, "damaged")
    for tail in ("", "-wal", "-shm"):
        part = Path(f"{path}{tail}")
        if part.exists():
            part.rename(f"{aside}{tail}")
    return aside


def _free_name(path: Path, why: str) -> Path:
    number = 1
    while (name := path.with_name(f"{path.name}.{why}-{number}")).exists():
        number += 1
    return name


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    # FULL: with less, a power failure may forget a committed row, and so what was sent.
    database.execute("PRAGMA synchronous=FULL")
    return database


def _hold(path: Path) -> int:
    """Take the lock that the system drops when the process dies."""
    held = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise BadSetup(f"another process holds {path}; stop that agent first") from error
    return held


def _is_sound(path: Path) -> bool:
    try:
        database = _connect(path)
        try:
            return database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        finally:
            database.close()
    except sqlite3.DatabaseError:
        return False
