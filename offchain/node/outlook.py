"""What a window's data set would hold: told to the operator before anything is sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.errors import FormatError
from offchain.node.windows import HeldWindow
from offchain.records import dataset
from offchain.types import SECONDS_PER_DAY, Account, day_of


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A device whose owner consents and that cannot be in the data set, and why."""

    device: Account
    owner: Account
    why: str


@dataclass(frozen=True, slots=True, repr=False)
class Gathered:
    """The devices that can be in a data set, by account, with their owners; and the others."""

    windows: tuple[HeldWindow, ...]
    owners: Mapping[Account, Account]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would be sold. `days` are the window's UTC days by number, ascending.

    device_days: on how many days the devices have readings, summed over the devices.
    """

    homes: int
    devices: int
    rows: int
    days: range
    empty_days: tuple[int, ...]
    device_days: int
    left_out: tuple[LeftOut, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every device has readings on every day, and none is left out."""
        return self.device_days == self.devices * len(self.days) and not self.left_out


def outlook(gathered: Gathered, *, from_s: int, to_s: int) -> Outlook:
    """Count homes, rows and days of what was gathered for a window of whole UTC days."""
    days = range(from_s // SECONDS_PER_DAY, to_s // SECONDS_PER_DAY)
    by_device = [{day_of(one.time_s) for one in window.readings} for window in gathered.windows]
    with_data = set[int]().union(*by_device)
    return Outlook(
        homes=len({gathered.owners[window.device] for window in gathered.windows}),
        devices=len(gathered.windows),
        rows=sum(len(window.readings) for window in gathered.windows),
        days=days,
        empty_days=tuple(day for day in days if day not in with_data),
        device_days=sum(map(len, by_device)),
        left_out=gathered.left_out,
    )


def why_unfit(window: HeldWindow) -> str | None:
    """Say why a device's rows cannot be written into a data set; None if they can."""
    if len(window.readings) > dataset.MAX_DEVICE_ROWS:
        return f"it has more than {dataset.MAX_DEVICE_ROWS:,} readings; publish fewer days at once"
    try:
        dataset.interval_values(window.readings)
    except FormatError as error:
        return str(error)
    return None


def named(left_out: Sequence[LeftOut]) -> str:
    """Say who is left out, in one line."""
    return "; ".join(f"{one.device} of {one.owner}: {one.why}" for one in left_out)


def said(seen: Outlook) -> str:
    """Say what would be sold, in one line."""
    told = f"{seen.homes} homes, {seen.rows} rows, {len(seen.days)} days"
    empty = f", {len(seen.empty_days)} of them without data" if seen.empty_days else ""
    left_out = f"; left out: {named(seen.left_out)}" if seen.left_out else ""
    return told + empty + left_out
