"""Orders to a running node: only one process sends for its account, so others leave it a note.

An order is a file in the node's data folder; the loop carries it out and answers in another file.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from offchain.errors import DmsmError

_POLL_S = 0.2

Facts = dict[str, Any]


class OrderFailed(DmsmError):
    """A running node did not carry an order out; the message is its reason."""


def give_order(data: Path, order: Mapping[str, Any], *, timeout_s: float) -> Facts:
    """Leave an order for the running node and wait for what it found. Raises OrderFailed."""
    folder = data / "orders"
    folder.mkdir(exist_ok=True, mode=0o700)
    name = secrets.token_hex(8)
    _write(folder / f"{name}.json", order)
    answer_file, give_up_at = folder / f"{name}.answer", time.monotonic() + timeout_s
    while not answer_file.exists():
        if time.monotonic() > give_up_at:
            (folder / f"{name}.json").unlink(missing_ok=True)
            raise OrderFailed(
                f"the process that works with {data} took no order in {timeout_s:.0f} s"
            )
        time.sleep(_POLL_S)
    answer = json.loads(answer_file.read_text(encoding="utf-8"))
    answer_file.unlink()
    if "failed" in answer:
        raise OrderFailed(answer["failed"])
    return dict(answer["facts"])


def carry_out_orders(data: Path, carry_out: Callable[[Facts], Facts]) -> None:
    """Carry out what waits, each once, and answer. A DmsmError is answered as the reason."""
    folder = data / "orders"
    for file in sorted(folder.glob("*.json")):
        order = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        try:
            answer: Facts = {"facts": carry_out(order)}
        except DmsmError as error:
            answer = {"failed": str(error)}
        _write(file.with_suffix(".answer"), answer)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    unfinished = path.with_suffix(".part")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(value, file)
    os.replace(unfinished, path)
