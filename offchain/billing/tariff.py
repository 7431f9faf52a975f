"""Tariffs and exact costs in micro-dollars; no floats (docs/formats.md §10)."""

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.types import Reading

MAX_BYTES = 65_536
MAX_PRICE_MICROUSD = 10**12
MAX_UTC_OFFSET_S = 14 * 3_600
_WH_PER_KWH = 1_000


class Interval(NamedTuple):
    """The energy used from `start_s` until the next reading."""

    start_s: int
    energy_wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A flat price, and one by month (0..11), weekday or weekend, and hour of its standard time.

    Standard time is UTC plus `utc_offset_s` (within 14 hours), without daylight saving.
    Prices are micro-dollars a kWh, in [0, 10^12].
    """

    name: str
    utc_offset_s: int
    flat_microusd_per_kwh: int
    time_of_use_microusd_per_kwh: tuple[tuple[tuple[int, ...], ...], ...]

    def encode(self) -> bytes:
        """Return the canonical JSON. Raises FormatError for what `decode` would refuse."""
        obj = {
            "v": 1,
            "name": self.name,
            "utc_offset_s": self.utc_offset_s,
            "flat_microusd_per_kwh": self.flat_microusd_per_kwh,
            "time_of_use_microusd_per_kwh": self.time_of_use_microusd_per_kwh,
        }
        data = canonical_json.dumps(obj)
        decode(data)
        return data

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.encode()).digest()


def decode(data: bytes) -> Tariff:
    """Decode a tariff. Raises FormatError."""
    names = "name utc_offset_s flat_microusd_per_kwh time_of_use_microusd_per_kwh"
    value = canonical_json.loads(data, max_bytes=MAX_BYTES)
    obj = fields.versioned(value, names, what="a tariff")
    months = _exactly(obj["time_of_use_microusd_per_kwh"], 12)
    return Tariff(
        name=fields.text(obj["name"], "name", min_bytes=1, max_bytes=128),
        utc_offset_s=fields.integer(
            obj["utc_offset_s"], "utc_offset_s", low=-MAX_UTC_OFFSET_S, high=MAX_UTC_OFFSET_S
        ),
        flat_microusd_per_kwh=_price(obj["flat_microusd_per_kwh"]),
        time_of_use_microusd_per_kwh=tuple(
            tuple(tuple(_price(price) for price in _exactly(hours, 24)) for hours in _exactly(m, 2))
            for m in months
        ),
    )


def price_at(tariff: Tariff, time_s: int) -> int:
    """Return the time-of-use price of the hour, in the tariff's time, that holds a unix time."""
    moment = datetime.fromtimestamp(time_s, UTC) + timedelta(seconds=tariff.utc_offset_s)
    month = tariff.time_of_use_microusd_per_kwh[moment.month - 1]
    return month[moment.weekday() >= 5][moment.hour]


def intervals(readings: Sequence[Reading], *, opening: Reading | None = None) -> list[Interval]:
    """Return the intervals between consecutive readings, the first from `opening` if there is one.

    Each has the import register's difference and the time of its earlier reading. Raises
    FormatError when that register falls or a time does not rise.
    """
    rows = list(readings) if opening is None else [opening, *readings]
    found = []
    for before, after in itertools.pairwise(rows):
        if after.import_wh < before.import_wh or after.time_s <= before.time_s:
            raise FormatError(f"reading {after.seq} goes back in time or register")
        found.append(Interval(before.time_s, after.import_wh - before.import_wh))
    return found


def flat_cost_microusd(tariff: Tariff, used: Iterable[Interval]) -> int:
    """Return the cost at the flat price, rounded half up once."""
    return _per_kwh(sum(interval.energy_wh for interval in used) * tariff.flat_microusd_per_kwh)


def time_of_use_cost_microusd(tariff: Tariff, used: Iterable[Interval]) -> int:
    """Return the cost by the hour of each interval's start, rounded half up once."""
    return _per_kwh(sum(one.energy_wh * price_at(tariff, one.start_s) for one in used))


def _per_kwh(microusd_wh_per_kwh: int) -> int:
    return (microusd_wh_per_kwh + _WH_PER_KWH // 2) // _WH_PER_KWH


def _price(value: object) -> int:
    return fields.integer(value, "a price", high=MAX_PRICE_MICROUSD)


def _exactly(value: object, items: int) -> list[object]:
    return fields.sequence(value, "a table of prices", min_items=items, max_items=items)
