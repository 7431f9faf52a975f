"""Ctrl-C, SIGTERM and a closed terminal end a run in order: once, and to the end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

QUIET_S = 10.0


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt in the body on SIGINT, SIGTERM and SIGHUP.

    Whoever is impatient signals again: what comes within 10 s of the first is left out, so that
    stopping what was started is not interrupted itself. SIGINT is heeded also where a shell starts
    its background jobs with it ignored; SIGHUP is not where somebody asked so (nohup).
    """
    heeded = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heeded.append(signal.SIGHUP)
    last_at = -QUIET_S

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal last_at
        if time.monotonic() - last_at >= QUIET_S:
            last_at = time.monotonic()
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
