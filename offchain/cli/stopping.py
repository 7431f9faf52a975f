"""Graceful ends: SIGTERM and Ctrl-C set a flag that the loops look at."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from offchain.sqlite_file import hurry


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and SIGINT set; a second signal ends the process as usual.

    Nobody waits for a store that another program holds once the event is set.
    """
    stop = threading.Event()
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        stop.set()
        hurry(True)
        signal.signal(number, before[signal.Signals(number)])

    for name in before:
        signal.signal(name, on_signal)
    try:
        yield stop
    finally:
        hurry(False)
        for name, handler in before.items():
            signal.signal(name, handler)
