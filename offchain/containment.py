"""What nobody foresaw costs one step alone: it becomes an error of ours, and is told once.

Whoever runs steps in a row already goes on behind a `DmsmError`. So a step is done inside
`contained`, which turns any other exception into one: an unforeseen one, or the store fault that
it stands for. KeyboardInterrupt and SystemExit pass: they end a process as ever.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import sqlite3
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offchain.errors import DmsmError, StoreDamaged, StoreError, StoreFull, StoreVersion, Unforeseen
from offchain.forking import ForkLock
from offchain.sqlite_file import fault_of

# What no other try can mend: a process that meets one ends, and can be started again.
ENDING = (StoreDamaged, StoreVersion)
STORE_CODE, VERSION_CODE, UNFORESEEN_CODE, FULL_CODE = 5, 6, 7, 8
FULL_AGAIN_S = 60.0  # so often a process that waits for room says so
FULL_RETRY_S = 2.0

_ROOT = Path(__file__).resolve().parents[1]
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
_MOST_KINDS = 1_000
_log = logging.getLogger(__name__)
_times: Counter[str] = Counter()
_mutex = ForkLock()


@contextmanager
def contained(what: str) -> Iterator[None]:
    """Do a step, named `what`, of which nothing but a DmsmError comes out.

    An unforeseen error is logged with its trace when it comes first, and counted from then on.
    """
    try:
        yield
    except DmsmError:
        raise
    except Exception as error:  # the one place that is there for every kind
        raise ours(what, error) from error


def ours(what: str, error: Exception, *, is_logged: bool = True) -> DmsmError:
    """Return an exception as one of ours: itself, the store fault it means, or Unforeseen, which is
    logged and counted unless its caller shows it.
    """
    if isinstance(error, DmsmError):
        return error
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return StoreFull(f"no room to write ({error}); free room on that disk, or make it writable")
    if isinstance(error, sqlite3.Error):
        fault = fault_of(error, "a database")
        if type(fault) is not StoreError and not isinstance(fault, ENDING):
            return fault
    return _unforeseen(what, error, is_logged=is_logged)


def exit_code(error: BaseException) -> int | None:
    """Return the code with which a process ends for an error that has one of its own, else None."""
    codes = {
        StoreDamaged: STORE_CODE,
        StoreVersion: VERSION_CODE,
        Unforeseen: UNFORESEEN_CODE,
        StoreFull: FULL_CODE,
    }
    return next((code for kind, code in codes.items() if isinstance(error, kind)), None)


def _unforeseen(what: str, error: Exception, *, is_logged: bool) -> Unforeseen:
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
    # The innermost place in the project's own code names the kind, not a library's beneath it.
    own = [place for place in places if not place.startswith("/")] or places or ["nowhere"]
    name = hashlib.sha256(f"{what}|{type(error).__name__}|{own[-1]}".encode()).hexdigest()[:8]
    times = _counted(name)
    said = f"{what} failed: unforeseen {_said(error)} at {own[-1]} (error {name})"
    if is_logged and times == 1:
        _log.error("%s; trace: %s", said, " > ".join(places))
    elif is_logged and str(times).strip("0") == "1":  # 10, 100, …: not each repeat is told
        _log.error("%s: %d times by now", said, times)
    return Unforeseen(said, name=name, times=times)


def _counted(name: str) -> int:
    with _mutex:
        if len(_times) >= _MOST_KINDS and name not in _times:
            _times.clear()
        _times[name] += 1
        return _times[name]


def _said(error: Exception) -> str:
    """Name an error. Its text is told only where it can hold nothing that was read: logs are
    without plaintext.
    """
    told = isinstance(error, OSError | sqlite3.Error)
    return f"{type(error).__name__}: {error}" if told else type(error).__name__


def _short(filename: str) -> str:
    path = Path(filename)
    is_own = path.is_relative_to(_ROOT) and "site-packages" not in path.parts
    return str(path.relative_to(_ROOT)) if is_own else filename
