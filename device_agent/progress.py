"""What the agent tells: JSON lines on stdout, and a status file. Never a reading's values."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from offchain.types import Account


class Progress:
    """Write one JSON object a line; `status_file` always holds the last status, whole.

    Neither raises OSError: no sample is lost because nobody listens. device: None while unknown.
    """

    def __init__(
        self, *, device: Account | None, status_file: Path | None = None, out: TextIO | None = None
    ) -> None:
        self._device = device
        self._status_file = status_file
        self._out = out or sys.stdout
        self._lock = threading.Lock()
        self._took: dict[str, int] = {}

    def tell(self, event: str, **details: Any) -> None:
        """Write an event line at once."""
        line = json.dumps({"event": event, "device": self._device, **details})
        with self._lock, suppress(OSError):
            print(line, file=self._out, flush=True)

    @contextmanager
    def timing(self, step: str) -> Iterator[None]:
        """Add what the body takes to a step's time, in the sending thread; see `taken_ms`."""
        started = time.monotonic_ns()
        yield
        self._took[step] = self._took.get(step, 0) + time.monotonic_ns() - started

    def taken_ms(self) -> dict[str, float]:
        """Return the milliseconds of each step since the last call, and begin anew."""
        took, self._took = self._took, {}
        return {step: round(spent / 1e6, 1) for step, spent in took.items()}

    def status(self, **details: Any) -> None:
        """Replace the status file."""
        if self._status_file is None:
            return
        fresh = self._status_file.with_suffix(".tmp")
        with suppress(OSError):  # a full disk: the old status stays
            fresh.write_text(json.dumps({"device": self._device, **details}) + "\n", "utf-8")
            os.replace(fresh, self._status_file)
