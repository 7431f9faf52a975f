"""What time it is: a chain that stands still says nothing of it, a wrong machine clock says wrong.

Contracts judge by the time of the block that a transaction comes into, which its sealer takes from
a clock; so "now" is the later of the newest block's time and this machine's clock. The clock is
passed over when blocks show that it is ahead of those who seal them: one that arrives here fresh
and is old by this clock (docs/decisions/034-what-now-is.md).
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from offchain.chain.facts import Block
from offchain.forking import ForkLock

PACE_S = 60.0  # so far apart chain and clock may be, where nobody said how often a block comes
_ARRIVALS = 8  # one sealer may stamp its blocks too early; not all of so many are its
_log = logging.getLogger(__name__)


class _Told(StrEnum):
    """What the member was told last of the two clocks."""

    AGREE = "the newest block and this machine's clock agree about the time"
    IDLE = "the newest block is {0} s old: deadlines go by this machine's clock"
    BEHIND = "this machine's clock is {0} s behind the newest block: deadlines go by the block"
    AHEAD = "this machine's clock is {0} s ahead of the blocks: deadlines go by the blocks; set it"


class ChainClock:
    """The time by a chain and by this machine. Threads may share it.

    `pace_s`: how far apart the two may be before the member is told.
    """

    def __init__(
        self,
        *,
        pace_s: float = PACE_S,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace_s, self._clock, self._monotonic = pace_s, clock, monotonic
        self._arrivals: deque[float] = deque(maxlen=_ARRIVALS)  # how old each was, at least
        self._seen: tuple[int, float, float] | None = None  # the newest block's number, and when
        self._told = _Told.AGREE
        self._lock = ForkLock()

    def now(self, newest: Block) -> int:
        """Return the time, unix seconds, given the newest block."""
        with self._lock:
            here_s = self._clock()
            self._note_arrival(newest, here_s)
            ahead_s = min(self._arrivals, default=0.0)
            is_ahead = ahead_s > self._pace_s
            believed_s = here_s - ahead_s if is_ahead else here_s
            self._tell(here_s - newest.timestamp, ahead_s if is_ahead else None)
            return max(newest.timestamp, int(believed_s))

    def _note_arrival(self, newest: Block, here_s: float) -> None:
        """Note how old a block was when it came, if it came between two looks near each other.

        Near by either clock: while a machine sleeps, its monotonic one stands still.
        """
        before, looked_at = self._seen, self._monotonic()
        self._seen = newest.number, looked_at, here_s
        if before is None or newest.number == before[0]:
            return
        if newest.number < before[0]:
            self._arrivals.clear()
        elif (waited_s := max(looked_at - before[1], here_s - before[2])) <= self._pace_s:
            self._arrivals.append(max(0.0, here_s - newest.timestamp - waited_s))

    def _tell(self, old_s: float, ahead_s: float | None) -> None:
        """Say in the log which of the two counts, when that changes."""
        told, seconds = _Told.AGREE, old_s
        if ahead_s is not None:
            told, seconds = _Told.AHEAD, ahead_s
        elif old_s > self._pace_s:
            told = _Told.IDLE
        elif -old_s > self._pace_s:
            told, seconds = _Told.BEHIND, -old_s
        if told is not self._told:
            level = logging.INFO if told is _Told.AGREE else logging.WARNING
            _log.log(level, told.format(round(seconds)))
            self._told = told
