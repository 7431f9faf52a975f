"""Advice as a value, each number with what it comes from, and its JSON (docs/formats.md §17)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProfileHour:
    """What was taken in one hour of the wall clock.

    `mean_wh` is `import_wh` over the `hours` that were measured, rounded once; None without any.
    """

    hours: int
    import_wh: int
    mean_wh: int | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StandingLoad:
    """What always runs: the measured hour of this `rank`, of `hours` sorted by their Wh, least
    first.

    Of the hours in which something was fed in none counts. `wh` is what a load of `watts` takes
    over all hours of the window that are covered whole, `costs` what that costs.
    """

    hours: int
    rank: int
    watts: int
    wh: int
    costs: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PriceRun:
    """Hours in a row that have one price, in micro-units a kWh, None where it is not known (yet).

    `is_` is "cheap", "dear" or None; days differ in what is cheap.
    """

    start: int
    end: int
    price: int | None
    is_: str | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ComingDay:
    """The prices of a coming local day; `tariff` is None where none is valid on it (yet)."""

    date: str
    tariff: str | None
    runs: tuple[PriceRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Shift:
    """What was taken above the standing load in the dear hours of each day, and what it would
    cost in the cheapest hour of the same day.
    """

    hours: int
    wh: int
    costs: int
    would_cost: int

    @property
    def saves(self) -> int:
        """The difference."""
        return self.costs - self.would_cost


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PeakAdvice:
    """The quarter hour that set a month's capacity charge, and the largest one of other days.

    `at` is its beginning, None where nothing lies above `minimum_w`. `saves` is what the month
    would have cost less had its day not gone above `other_watts`.
    """

    tariff: str
    component: str
    month: str
    at: int | None
    watts: int
    other_watts: int
    minimum_w: int
    costs: int
    saves: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OwnUse:
    """What was fed in of `export_wh` and could have been used instead of energy of the same day.

    `wh` is moved from the dearest hours above the standing load into those that bring least, as
    long as that saves: `paid` for it was this, `credited` that.
    """

    export_wh: int
    wh: int
    paid: int
    credited: int

    @property
    def saves(self) -> int:
        """The difference."""
        return self.paid - self.credited


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Advice:
    """Advice, version 2. Energies in Wh, powers in W, amounts in micro-units with their taxes.

    It looks back over [covers_from, covers_to) of the window asked for, and ahead from `as_of`.
    `hours_measured` are the hours it knows, `hours_left_out` those that lie in long or unknown
    intervals.
    """

    currency: str
    time_zone: str
    window_from: int
    window_to: int
    covers_from: int
    covers_to: int
    as_of: int
    hours_measured: int
    hours_left_out: int
    profile: tuple[ProfileHour, ...]
    standing: StandingLoad | None
    coming: tuple[ComingDay, ...]
    shift: Shift
    peaks: tuple[PeakAdvice, ...]
    own_use: OwnUse | None
    tariffs: tuple[str, ...]
    series: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the advice as the values of its JSON (docs/formats.md §17)."""
        return {
            "v": VERSION,
            "currency": self.currency,
            "time_zone": self.time_zone,
            "from": self.window_from,
            "to": self.window_to,
            "covers_from": self.covers_from,
            "covers_to": self.covers_to,
            "as_of": self.as_of,
            "hours_measured": self.hours_measured,
            "hours_left_out": self.hours_left_out,
            "profile": [asdict(one) for one in self.profile],
            "standing": None if self.standing is None else asdict(self.standing),
            "coming": [_day_to_json(day) for day in self.coming],
            "shift": asdict(self.shift) | {"saves": self.shift.saves},
            "peaks": [asdict(one) for one in self.peaks],
            "own_use": _own_use_to_json(self.own_use),
            "tariffs": list(self.tariffs),
            "series": list(self.series),
        }


def _day_to_json(day: ComingDay) -> dict[str, Any]:
    runs = [
        {"from": run.start, "to": run.end, "price": run.price, "is": run.is_} for run in day.runs
    ]
    return {"date": day.date, "tariff": day.tariff, "runs": runs}


def _own_use_to_json(own_use: OwnUse | None) -> dict[str, Any] | None:
    return None if own_use is None else asdict(own_use) | {"saves": own_use.saves}
