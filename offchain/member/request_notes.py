"""What a household asked, kept by lock: the chain holds the question only sealed to the node."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from offchain.member.errors import MemberError


@dataclass(frozen=True, repr=False)
class AskedRequest:
    """A question: request type, devices, window [window_from, window_to) in unix seconds, which is
    local days of `time_zone`, and the product whose tariffs price it.

    message, opening: the sealed message M and its opening r ‖ coins, which a dispute shows to the
    judges; None where they are not known.
    """

    type_id: int
    devices: tuple[str, ...]
    window_from: int
    window_to: int
    time_zone: str
    product: str
    message: bytes | None = None
    opening: bytes | None = None


class RequestNotes:
    """One small file a request in the household's own folder, written before anything is paid."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, lock_id: bytes, asked: AskedRequest) -> None:
        """Keep a question durably."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        content: dict[str, object] = {
            "type_id": asked.type_id,
            "devices": list(asked.devices),
            "from": asked.window_from,
            "to": asked.window_to,
            "time_zone": asked.time_zone,
            "product": asked.product,
        }
        if asked.message is not None and asked.opening is not None:
            content |= {"message": asked.message.hex(), "opening": asked.opening.hex()}
        unfinished = self._path(lock_id).with_suffix(".part")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self._path(lock_id))

    def read(self, lock_id: bytes) -> AskedRequest:
        """Return a question. Raises MemberError if there is no note of it."""
        try:
            content = json.loads(self._path(lock_id).read_text(encoding="utf-8"))
            return AskedRequest(
                content["type_id"],
                tuple(content["devices"]),
                content["from"],
                content["to"],
                content["time_zone"],
                content["product"],
                message=_bytes_of(content.get("message")),
                opening=_bytes_of(content.get("opening")),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MemberError(
                f"{self._folder} has no note of what lock {lock_id.hex()} asked; it is written by "
                "the request, and an audit needs it"
            ) from error

    def find(self, lock_id: bytes) -> AskedRequest | None:
        """Return a question, or None if there is no note of it."""
        try:
            return self.read(lock_id)
        except MemberError:
            return None

    def _path(self, lock_id: bytes) -> Path:
        return self._folder / f"{lock_id.hex()}.json"


def _bytes_of(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
