"""States that last, said when they begin and when they end: a log that repeats itself is not read.

Who says them asks here whether a state is to be said now. Two reasons are the same when their words
are: numbers, names of blocks and ids in them may change at every look.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Container, Hashable
from dataclasses import dataclass, replace

_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\b[0-9a-fA-F]{16,}\b|\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class State:
    """Something that lasts: why, since when (by the clock), how often it was met, when said."""

    reason: str
    began_s: float
    times: int
    said_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A state that is over: why it was, how long it lasted, in how many looks it was met."""

    reason: str
    lasted_s: float
    times: int


class States:
    """The states of one loop, each under a key. One thread uses it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[Hashable, State] = {}

    def hold(self, key: Hashable, reason: str, *, again_s: float | None = None) -> bool:
        """Note that a state holds; return whether to say it: it began, it has other words, or it
        was said `again_s` ago.
        """
        now, held = self._clock(), self._held.get(key)
        if held is None:
            self._held[key] = State(reason, now, 1, now)
            return True
        is_due = again_s is not None and now - held.said_s >= again_s
        is_said = is_due or words(reason) != words(held.reason)
        self._held[key] = replace(
            held, reason=reason, times=held.times + 1, said_s=now if is_said else held.said_s
        )
        return is_said

    def end(self, key: Hashable) -> Ended | None:
        """Note that a state does not hold; return what it was, None when it did not hold before."""
        held = self._held.pop(key, None)
        if held is None:
            return None
        return Ended(held.reason, round(self._clock() - held.began_s, 1), held.times)

    def end_others(self, keys: Container[Hashable]) -> list[tuple[Hashable, Ended]]:
        """End all states but those under `keys`; return what they were."""
        over = [key for key in self._held if key not in keys]
        return [(key, ended) for key in over if (ended := self.end(key)) is not None]


def words(reason: str) -> str:
    """Return a reason without its numbers."""
    return _NUMBERS.sub("#", reason)
