"""Readings, tariffs and vectors for the tests of bills, made in one place and small."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from offchain.billing import price_series, tariff_document
from offchain.billing.bill import Bill
from offchain.billing.components import Tariff
from offchain.billing.household import Household
from offchain.billing.making import make_bill
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import Meter, RegisterReading
from offchain.billing.window import parse_instant
from offchain.billing.zones import zone

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "billing"
Json = dict[str, Any]


def document(**members: Any) -> Json:
    """Return a tariff's JSON: nothing costs anything, but for the members given."""
    empty: Json = {
        "v": 2,
        "name": "test",
        "currency": "EUR",
        "minor_digits": 2,
        "time_zone": "Europe/Amsterdam",
        "valid_from": "2020-01-01",
        "valid_to": None,
        "holidays": [],
        "import": [],
        "export": [],
        "fixed": [],
        "taxes": [],
    }
    return empty | members


def flat(price: int, name: str = "energy") -> Json:
    return {"kind": "flat", "name": name, "price": price}


def schedule(*periods: Json, name: str = "energy") -> Json:
    return {"kind": "schedule", "name": name, "periods": list(periods)}


def tariff(**members: Any) -> Tariff:
    return read(document(**members))


def read(value: Json) -> Tariff:
    return tariff_document.parse(json.dumps(value).encode())


def series(start: int, prices: Sequence[int], **members: Any) -> PriceSeries:
    value = {"name": "spot", "currency": "EUR", "resolution_s": 3_600} | members
    return price_series.decode(price_series.encode(start=start, prices=prices, **value))


def regular(
    start: int, end: int, step: int, wh: Callable[[int], int] = lambda _: 100, export_wh: int = 0
) -> list[RegisterReading]:
    """Return readings every `step` seconds; wh(i) is the import of interval i, in Wh."""
    readings, register = [], 5_000
    for i, instant in enumerate(range(start, end + 1, step)):
        readings.append(RegisterReading(instant, register, 70 + i * export_wh))
        register += wh(i)
    return readings


def household(*devices: Sequence[RegisterReading]) -> Household:
    """Return a household of unnamed readings if there is one device, else of named ones."""
    if len(devices) == 1:
        return Household.of_readings(devices[0])
    return Household({f"0x{i:040x}": Meter(rows) for i, rows in enumerate(devices)})


def bill(
    readings: Sequence[RegisterReading] | Household,
    tariffs: Tariff | Sequence[Tariff],
    window_from: str | int,
    window_to: str | int,
    at_hand: Sequence[PriceSeries] = (),
) -> Bill:
    """Bill a window given as local dates or unix seconds."""
    listed = [tariffs] if isinstance(tariffs, Tariff) else list(tariffs)
    local = zone(listed[0].time_zone)
    return make_bill(
        readings if isinstance(readings, Household) else household(readings),
        listed,
        at_hand,
        window_from=parse_instant(str(window_from), local),
        window_to=parse_instant(str(window_to), local),
    )


def at(zone_name: str, day: str) -> int:
    """Return the first instant of a local day."""
    return parse_instant(day, zone(zone_name))
