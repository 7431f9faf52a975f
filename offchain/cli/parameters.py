"""What is typed on the command line, turned into values; a bad one exits 2 and names the option."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

# What an option or argument takes that names a file to read.
READABLE: dict[str, Any] = {"exists": True, "dir_okay": False, "readable": True}

_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_AFTER = re.compile(r"\+([0-9]{1,9})([smhd])")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time: absolute (`at`, unix seconds), or `after_s` seconds from the chain's now."""

    at: int | None
    after_s: int = 0

    def on(self, now: int) -> int:
        """Return unix seconds, given the chain's now."""
        return now + self.after_s if self.at is None else self.at


def parse_account(text: str) -> str:
    """Read an account, 0x and 40 hexadecimal digits, as checksum text."""
    from offchain.types import to_account

    try:
        return to_account(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no account (0x and 40 hexadecimal digits)") from None


def parse_id(text: str) -> bytes:
    """Read the id of a lock, broadcast or data set: 64 hexadecimal digits, with or without 0x."""
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise typer.BadParameter(f"{text!r} is no id (64 hexadecimal digits)")
    return found


def parse_day(text: str) -> int:
    """Read a date YYYY-MM-DD as the unix time of its UTC midnight."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date (YYYY-MM-DD)") from None
    return int(day.timestamp())


def parse_moment(text: str) -> Moment:
    """Read `+30m` (s, m, h, d from now), a date, or a time like 2026-01-31T12:00:00Z."""
    if after := _AFTER.fullmatch(text):
        return Moment(None, int(after[1]) * _UNIT_S[after[2]])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time; write +30m, 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None
    if found.tzinfo is None and len(text) > len("2026-01-31"):
        raise typer.BadParameter(f"{text!r} lacks its zone; write {text}Z for UTC")
    return Moment(int(found.replace(tzinfo=found.tzinfo or UTC).timestamp()))


def require_window(window_from: int, window_to: int) -> None:
    """Refuse a window that does not end after it begins."""
    if window_to <= window_from:
        raise typer.BadParameter("--to must be later than --from (it is not included)")


ProfileOption = Annotated[
    Path,
    typer.Option("--profile", envvar="DMSM_PROFILE", help="The member's profile (TOML)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON: wei and unix seconds.")]
FromOption = Annotated[
    int, typer.Option("--from", parser=parse_day, metavar="DATE", help="First UTC day.")
]
ToOption = Annotated[
    int, typer.Option("--to", parser=parse_day, metavar="DATE", help="UTC day after the last.")
]
OptionalFrom = Annotated[
    int | None, typer.Option("--from", parser=parse_day, metavar="DATE", help="First UTC day.")
]
OptionalTo = Annotated[
    int | None,
    typer.Option("--to", parser=parse_day, metavar="DATE", help="UTC day after the last."),
]
DataSetArgument = Annotated[
    bytes, typer.Argument(parser=parse_id, metavar="SET", show_default=False)
]
LockArgument = Annotated[bytes, typer.Argument(parser=parse_id, metavar="LOCK", show_default=False)]
BroadcastArgument = Annotated[
    bytes, typer.Argument(parser=parse_id, metavar="BROADCAST", show_default=False)
]
DeviceArgument = Annotated[
    str, typer.Argument(parser=parse_account, metavar="DEVICE", show_default=False)
]
DEFAULT_PROFILE = Path("dmsm.toml")
