"""What SQLAlchemy, SQLite and PostgreSQL raise, as one of ours."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from offchain.errors import (
    StoreBusy,
    StoreConflict,
    StoreDamaged,
    StoreError,
    StoreFull,
)
from offchain.sqlite_file import fault_of as sqlite_fault

# PostgreSQL's SQLSTATE by class or whole (its manual, appendix A).
_CONFLICT = ("23",)  # integrity constraint violation
_FULL = ("53100", "53200", "25006", "42501")  # disk, memory, read only, no privilege
_DAMAGED = ("XX001", "XX002")  # data corrupted, index corrupted
_BUSY = ("08", "53300", "55P03", "57P0", "57014", "40")  # connection, locks, shutdown, rollback


def fault_of(error: SQLAlchemyError, name: str) -> StoreError:
    """Return what was raised as one of ours; `name` says which database."""
    original = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(original, sqlite3.Error):
        return sqlite_fault(original, name)
    if isinstance(error, IntegrityError):
        return StoreConflict(f"{name} already holds another value: {original}")
    state = getattr(original, "sqlstate", None)
    if state is None:
        if _is_connection_fault(original):
            return StoreBusy(f"{name} does not answer ({_line(original)}); is it running?")
        return StoreError(f"{name}: {_line(error)}")
    text = _line(original)
    if state.startswith(_CONFLICT):
        return StoreConflict(f"{name} already holds another value: {text}")
    if state.startswith(_FULL):
        return StoreFull(f"{name} cannot be written ({text}); free room on it, or its rights")
    if state.startswith(_DAMAGED):
        return StoreDamaged(f"{name} is damaged ({text}); restore a copy")
    if state.startswith(_BUSY):
        return StoreBusy(f"{name} is busy or stopping ({text}); try again")
    return StoreError(f"{name}: {text}")


def _is_connection_fault(original: object) -> bool:
    """Whether a driver's error without a state says that the server cannot be reached."""
    return type(original).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout")


def _line(error: object) -> str:
    """Return the first line of an error's text: the rest names statements and values."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
