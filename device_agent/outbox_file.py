"""The outbox's SQLite file: one holder at a time, durable, and never deleted when damaged."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from device_agent.errors import BadSetup
from offchain.errors import StoreFull
from offchain.sqlite_file import SqliteFile, is_sound


class OutboxFile(SqliteFile):
    """One connection behind a lock, for the threads of one process. Also a context manager."""

    _layout = 3  # PRAGMA user_version of files that this code makes

    def __init__(self, path: Path) -> None:
        """Open the file, made when missing. One that fails SQLite's own integrity check is put
        aside first, never deleted; one that cannot be looked at now is left as it is.

        Raises BadSetup when another process holds it, StoreVersion when another version made it,
        StoreBusy and StoreFull when it is to be tried again.
        """
        self._lock_file = _hold(path)
        try:
            damaged = path.exists() and not is_sound(path)
            self.put_aside = _put_aside(path) if damaged else None
            super().__init__(path)
        except BaseException:
            self._let_go()
            raise

    def close(self) -> None:
        """Close the file and let others hold it."""
        super().close()
        self._let_go()

    def _let_go(self) -> None:
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    def give_way_to(self, fresh: Path) -> Path:
        """Let another file take this one's place at once; return where this one lies then.

        Nothing but `close` may follow; other processes are kept out until it.
        """
        super().close()  # what its log holds goes into the file
        aside = _free_name(self.path, "replaced")
        os.link(self.path, aside)
        os.replace(fresh, self.path)
        return aside

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Make all that is written inside one transaction, and keep other threads out.

        Raises StoreError, after which nothing of it was written.
        """
        with self._write():
            yield

    def _one(self, query: str, *values: object) -> Any:
        return super()._one(query, *values)


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


def _hold(path: Path) -> int:
    """Take the lock that the system drops when the process dies."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreFull(
            f"{path}.lock cannot be written ({error.strerror}); free room on its disk, or make it "
            "writable"
        ) from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise BadSetup(f"another process holds {path}; stop that agent first") from error
    return held
