"""Wait for a store that another program holds, or whose disk is full: nothing is lost meanwhile."""

import time
from collections.abc import Callable
from typing import TypeVar

from device_agent.progress import Progress
from offchain.containment import FULL_AGAIN_S, FULL_RETRY_S, contained
from offchain.errors import StoreBusy, StoreFull
from offchain.states import States

_T = TypeVar("_T")


class Patience:
    """Try steps again until the store allows them; tell that one waits, at every minute, and when
    that ends. One thread uses it.

    give_up_after_s: None for who must not end, as a meter that cannot be read again.
    """

    def __init__(self, progress: Progress, *, give_up_after_s: float | None) -> None:
        self._progress = progress
        self._give_up_after_s = give_up_after_s
        self._states = States()

    def until_done(self, what: str, step: Callable[[], _T]) -> _T:
        """Return what `step` returns. It must be safe to repeat: a fault has written nothing.

        Raises StoreBusy or StoreFull after `give_up_after_s`, and what is no matter of time.
        """
        began = time.monotonic()
        while True:
            try:
                with contained(what):
                    found = step()
            except (StoreBusy, StoreFull) as error:
                self._tell(what, error)
                limit_s = self._give_up_after_s
                if limit_s is not None and time.monotonic() - began >= limit_s:
                    raise
                time.sleep(FULL_RETRY_S)
                continue
            if ended := self._states.end(what):
                self._progress.tell("store_works_again", lasted_s=ended.lasted_s, times=ended.times)
            return found

    def _tell(self, what: str, error: StoreBusy | StoreFull) -> None:
        if self._states.hold(what, str(error), again_s=FULL_AGAIN_S):
            event = "no_room" if isinstance(error, StoreFull) else "store_busy"
            self._progress.tell(event, reason=str(error))
