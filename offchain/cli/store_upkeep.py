"""A running node's care for its content: owed copies at once, a look at everything once a day."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

import structlog

from offchain.cli.loop_log import LoopLog
from offchain.cli.session import open_content
from offchain.containment import ENDING
from offchain.settings import Profile
from offchain.storage.copies import CopiedStore
from offchain.storage.upkeep import due_stores, look_after

_POLL_S = 5.0


@contextmanager
def store_upkeep(profile: Profile, stop: threading.Event) -> Iterator[None]:
    """Care for the node's stores until `stop` is set, beside the chain's work: what has a deadline
    does not wait for a slow store. The block ends when the step at hand is done.
    """
    thread = threading.Thread(target=_run, args=(profile, stop), name="store-upkeep")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _run(profile: Profile, stop: threading.Event) -> None:
    """Look after the stores until `stop`. An error ends a round, never the thread."""
    log = structlog.get_logger("offchain.cli.store")
    loop = LoopLog(log)
    while not stop.is_set():
        try:
            loop.attempt("store upkeep", lambda: _look_after(profile, stop, loop, log))
        except ENDING as error:
            log.error("no store upkeep", error=type(error).__name__, reason=str(error))
            return
        stop.wait(_POLL_S)


def _look_after(
    profile: Profile, stop: threading.Event, loop: LoopLog, log: structlog.stdlib.BoundLogger
) -> None:
    with open_content(profile) as store:  # connections of its own: the worker's are in use
        while isinstance(store, CopiedStore) and not stop.is_set():
            loop.attempt("a round of store upkeep", partial(_round, store, log))
            stop.wait(_POLL_S)
        stop.wait()  # a store without copies needs none of this


def _round(store: CopiedStore, log: structlog.stdlib.BoundLogger) -> None:
    store.pay_owed()
    if due := due_stores(store):
        seen = look_after(store, due)
        say = log.info if seen.is_whole else log.warning
        say("stores looked through", stores=due, **asdict(seen))
