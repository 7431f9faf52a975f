"""Open what a service works with, once its disk has room and no other program holds its stores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from offchain.cli.stopping import stop_signals
from offchain.containment import FULL_AGAIN_S, FULL_RETRY_S, contained
from offchain.errors import StoreBusy, StoreFull
from offchain.settings import load_profile
from offchain.states import States

_T = TypeVar("_T")


@contextmanager
def at_service(
    profile: Path, opening: Callable[[], AbstractContextManager[_T]]
) -> Iterator[tuple[threading.Event, _T]]:
    """Yield what says to stop, and what `opening` opens, with logs as a service has them.

    Raises like `opened_patiently`, and SettingsError for a profile that cannot be read.
    """
    load_profile(profile)  # said before anything slow is loaded
    from offchain.cli.logs import configure_logs

    configure_logs()
    with stop_signals() as stop, opened_patiently(opening, stop) as opened:
        yield stop, opened


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
    import structlog

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
