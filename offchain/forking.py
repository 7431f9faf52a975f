"""A lock that a forked child finds open.

What another thread holds at the moment of a fork stays held in the child for ever, where that
thread is not. So locks of the whole process, and of objects that a child may go on using, are of
this kind; what they guard must be whole between any two steps, or be made anew in the child.

Stores, connections and threads belong to the process that opened them: a child opens its own.
"""

import os
import threading
import weakref
from types import TracebackType


class ForkLock:
    """A lock for `with`; not to be taken twice by one thread."""

    __slots__ = ("__weakref__", "_held", "_lock")

    def __init__(self) -> None:
        self._held = self._lock = threading.Lock()
        _locks.add(self)

    def __enter__(self) -> None:
        lock = self._lock
        lock.acquire()
        self._held = lock

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.release()

    def _open(self) -> None:
        self._lock = threading.Lock()


_locks: weakref.WeakSet[ForkLock] = weakref.WeakSet()


def _open_all() -> None:
    for lock in list(_locks):
        lock._open()


os.register_at_fork(after_in_child=_open_all)
