"""A running node's care for its content: owed copies at once, a look at everything once a day."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import structlog

from offchain.cli.session import open_content
from offchain.errors import DmsmError
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
    log = structlog.get_logger("offchain.cli.store")
    try:
        with open_content(profile) as store:  # connections of its own: the worker's are in use
            while isinstance(store, CopiedStore) and not stop.is_set():
                _round(store, log)
                stop.wait(_POLL_S)
    except DmsmError as error:
        log.error("no store upkeep", error=type(error).__name__, reason=str(error))


def _round(store: CopiedStore, log: structlog.stdlib.BoundLogger) -> None:
    try:
        store.pay_owed()
        if due := due_stores(store):
            seen = look_after(store, due)
            say = log.info if seen.is_whole else log.warning
            say("stores looked through", stores=due, **asdict(seen))
    except DmsmError as error:  # the next round tries again
        log.error("store upkeep failed", error=type(error).__name__, reason=str(error))
