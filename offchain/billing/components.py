"""What a tariff is made of, as values. Prices are integers in micro-units of the currency a kWh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holiday"
MINUTES_A_DAY = 1_440


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """One price at all times."""

    name: str
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A price on some days of some months, in minutes [start, end) of the wall clock.

    `months` and `days` of None hold always. An `end` that is not above `start` lies on the next
    day; the range then belongs to the day on which it begins.
    """

    name: str
    price: int
    months: frozenset[int] | None
    days: frozenset[str] | None
    start: int
    end: int

    @property
    def passes_midnight(self) -> bool:
        """Tell whether the range ends on the day after it began."""
        return self.end < self.start

    def applies(self, month: int, day_kind: str) -> bool:
        """Tell whether a range begins on a day of this month and kind (a weekday or holiday)."""
        if self.months is not None and month not in self.months:
            return False
        return self.days is None or day_kind in self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Prices by the wall clock: the first period that matches."""

    name: str
    periods: tuple[Period, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """Prices of a series, times `factor_ppm` in millionths (floored), plus `adder`.

    The series are named by their digests, or all by the one name under which they are published.
    """

    name: str
    resolution_s: int
    factor_ppm: int
    adder: int
    series: frozenset[str]
    series_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A price up to so many Wh of a calendar month; None in the last tier."""

    up_to_wh: int | None
    price: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiered:
    """Prices by the energy of the calendar month so far."""

    name: str
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """A charge a month by the largest mean power of a quarter hour, of at least `minimum_w`."""

    name: str
    price_per_kw: int
    minimum_w: int


Component = Flat | Schedule | Dynamic | Tiered | Peak


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedCharge:
    """A charge of `amount` micro-units a local day ("day") or calendar month ("month")."""

    name: str
    per: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """A tax of `rate_ppm` millionths on the lines of some sections."""

    name: str
    rate_ppm: int
    on: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A tariff, version 2, valid on the local days [valid_from, valid_to); None: open-ended.

    `digest` is the SHA-256 of the document's canonical JSON, in hex.
    """

    digest: str
    name: str
    currency: str
    minor_digits: int
    time_zone: str
    valid_from: date
    valid_to: date | None
    holidays: frozenset[date]
    imports: tuple[Component, ...]
    exports: tuple[Component, ...]
    fixed: tuple[FixedCharge, ...]
    taxes: tuple[Tax, ...]

    def is_valid_on(self, day: date) -> bool:
        """Tell whether `day` is one of its local days."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)
