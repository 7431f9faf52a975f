"""What the agent tells: JSON lines on stdout, and a status file. Never a reading's values."""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from offchain.types import Account


class Progress:
    """Write one JSON object a line; `status_file` always holds the last status, whole."""

    def __init__(
        self, *, device: Account, status_file: Path | None = None, out: TextIO | None = None
    ) -> None:
        self._device = device
        self._status_file = status_file
        self._out = out or sys.stdout
        self._lock = threading.Lock()

    def tell(self, event: str, **details: Any) -> None:
        """Write an event line at once."""
        line = json.dumps({"event": event, "device": self._device, **details})
        with self._lock:
            print(line, file=self._out, flush=True)

    def status(self, **details: Any) -> None:
        """Replace the status file."""
        if self._status_file is None:
            return
        fresh = self._status_file.with_suffix(".tmp")
        fresh.write_text(json.dumps({"device": self._device, **details}) + "\n", "utf-8")
        os.replace(fresh, self._status_file)
