"""Open what a service works with, once its disk has room and no other program holds its stores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import structlog

from offchain.containment import FULL_AGAIN_S, FULL_RETRY_S, contained
from offchain.errors import StoreBusy, StoreFull
from offchain.states import States

_T = TypeVar("_T")


@contextmanager
def opened_patiently(
    opening: Callable[[], AbstractContextManager[_T]], stop: threading.Event
) -> Iterator[_T]:
    """Yield what `opening` opens, and close it at the end; says at every minute why it waits.

    Raises what opening raises, and why it waited when `stop` is set meanwhile.
    """
    with ExitStack() as stack:
        yield _until_open(lambda: stack.enter_context(opening()), stop)


def _until_open(step: Callable[[], _T], stop: threading.Event) -> _T:
    log, states = structlog.get_logger("offchain.cli"), States()
    while True:
        try:
            with contained("opening"):
                return step()
        except (StoreBusy, StoreFull) as error:
            what = "no room" if isinstance(error, StoreFull) else "store busy"
            if states.hold(what, str(error), again_s=FULL_AGAIN_S):
                log.error(what, reason=str(error))
            if stop.wait(FULL_RETRY_S):
                raise
