"""Orders to a running node: only one process sends for its account, so others leave it a note.

An order is a file in the node's data folder; the loop carries it out and answers in another file.
On its way an order is `NAME.json` (given), `NAME.taken` (begun: it is never begun twice), then gone
or, with a `.reason` beside it, in `orders/refused/`.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import structlog

from offchain.containment import contained
from offchain.errors import DmsmError, StoreFull, Unforeseen

_POLL_S = 0.2
_MOMENT_S = 2.0  # a file that is no order yet may be one that is being written
_ANSWER_BYTES = 4096  # as much room is made sure of before an order is taken
_INTERRUPTED = (
    "the process ended while it carried this out: see whether it was done, then give it again"
)

Facts = dict[str, Any]


class OrderFailed(DmsmError):
    """A running node did not carry an order out; the message is its reason."""


class _NoOrder(DmsmError):
    """The bytes of a file in the orders folder are no order."""


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
    """Carry out what waits, each once, and answer. A DmsmError is answered as the reason.

    What is no order, and what fails for a reason that nobody foresaw, is put into `orders/refused/`
    with the reason; the others go on. Raises StoreFull, with the order left where it is, when there
    is no room for its answer.
    """
    for file in sorted((data / "orders").glob("*.json")):
        try:
            order = _read(file)
        except _NoOrder as error:
            _refuse_unless_new(file, str(error))
            continue
        except FileNotFoundError:  # its giver has taken it back
            continue
        _make_room(file)
        taken = file.with_suffix(".taken")
        os.replace(file, taken)
        answer = _done(taken, order, carry_out)
        _write(taken.with_suffix(".answer"), answer)
        taken.unlink(missing_ok=True)


def refuse_interrupted(data: Path) -> None:
    """Put aside what an earlier process had begun when it ended: once is all it may be done."""
    for taken in sorted((data / "orders").glob("*.taken")):
        _write(taken.with_suffix(".answer"), {"failed": _INTERRUPTED})
        _refuse(taken, _INTERRUPTED)


def _done(taken: Path, order: Facts, carry_out: Callable[[Facts], Facts]) -> Facts:
    try:
        with contained("an order"):
            facts = carry_out(order)
    except Unforeseen as error:
        _refuse(taken, str(error))
        return {"failed": str(error)}
    except DmsmError as error:
        return {"failed": str(error)}
    return {"facts": facts}


def _read(file: Path) -> Facts:
    try:
        order = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise _NoOrder(f"no order can be read from it: {error}") from error
    if not isinstance(order, dict):
        raise _NoOrder("it holds JSON that is no order")
    return order


def _refuse_unless_new(file: Path, reason: str) -> None:
    try:
        age_s = time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return
    if not 0 <= age_s < _MOMENT_S:
        _refuse(file, reason)


def _refuse(file: Path, reason: str) -> None:
    folder = file.parent / "refused"
    folder.mkdir(exist_ok=True, mode=0o700)
    (folder / f"{file.stem}.reason").write_text(reason + "\n", encoding="utf-8")
    os.replace(file, folder / f"{file.stem}.json")
    structlog.get_logger("offchain.cli.node").error(
        "order refused", file=file.name, put_aside=str(folder), reason=reason
    )


def _make_room(file: Path) -> None:
    """Raise StoreFull unless an answer can be written; nothing has been done by then."""
    try:
        with _private(file.with_suffix(".part")) as unfinished:
            unfinished.write(" " * _ANSWER_BYTES)
    except OSError as error:
        raise StoreFull(
            f"{file.parent} cannot be written ({error.strerror}); free room on its disk, or make "
            "it writable"
        ) from error


def _write(path: Path, value: Mapping[str, Any]) -> None:
    """Write a file that is there whole or not at all, after a loss of power as well."""
    unfinished = path.with_suffix(".part")
    with _private(unfinished) as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def _private(path: Path) -> IO[str]:
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")
