"""What a user asked, kept by lock: the chain holds the question only sealed to the node."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from offchain.services.errors import ServiceError


@dataclass(frozen=True)
class AskedRequest:
    """A question: request type, devices, window [window_from, window_to) in unix seconds."""

    type_id: int
    devices: tuple[str, ...]
    window_from: int
    window_to: int


class RequestNotes:
    """One small file a request in a folder of the user's own, written before anything is paid."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, lock_id: bytes, asked: AskedRequest) -> None:
        """Keep a question durably."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = {
            "type_id": asked.type_id,
            "devices": list(asked.devices),
            "from": asked.window_from,
            "to": asked.window_to,
        }
        unfinished = self._path(lock_id).with_suffix(".part")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self._path(lock_id))

    def read(self, lock_id: bytes) -> AskedRequest:
        """Return a question. Raises ServiceError if there is no note of it."""
        try:
            content = json.loads(self._path(lock_id).read_text(encoding="utf-8"))
            devices = tuple(content["devices"])
            return AskedRequest(content["type_id"], devices, content["from"], content["to"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ServiceError(
                f"{self._folder} has no note of what lock {lock_id.hex()} asked; it is written by "
                "the request, and an audit needs it"
            ) from error

    def _path(self, lock_id: bytes) -> Path:
        return self._folder / f"{lock_id.hex()}.json"
