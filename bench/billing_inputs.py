"""What the benches of bills measure with: the richest tariff, a home, and prices of each quarter.

Richest: every component at once, in both sections, with a price each quarter hour.
"""

from __future__ import annotations

import json
import random
from typing import Any

from offchain.billing import price_series
from offchain.billing.registers import RegisterReading, Span
from offchain.billing.window import parse_instant
from offchain.billing.zones import zone

QUARTER_S = 900
ZONE = zone("Europe/Amsterdam")
FIRST_YEAR = 2021
SPOT = "spot"


def years(count: int) -> Span:
    """Return the instants of so many local years."""
    first, end = (parse_instant(f"{FIRST_YEAR + i}-01-01", ZONE) for i in (0, count))
    return first, end


def months() -> list[Span]:
    """Return the instants of each local month of the first year."""
    edges = [parse_instant(f"{FIRST_YEAR}-{month:02}-01", ZONE) for month in range(1, 13)]
    return list(zip(edges, [*edges[1:], years(1)[1]], strict=True))


def richest(series: list[str] | dict[str, str]) -> bytes:
    """Return a tariff of all components as JSON, whose dynamic ones take this series."""
    nights = [
        {"name": "night", "price": 180_000, "from": "23:00", "to": "07:00"},
        {"name": "weekend", "price": 190_000, "days": ["sat", "sun", "holiday"]},
        {"name": "winter", "price": 260_000, "months": [11, 12, 1, 2]},
        {"name": "day", "price": 240_000},
    ]
    spot = {"kind": "dynamic", "resolution_s": QUARTER_S, "series": series}
    tiers = [{"up_to_wh": 200_000, "price": 10_000}, {"up_to_wh": None, "price": 20_000}]
    peak = {"resolution_s": QUARTER_S, "price_per_kw": 3_366_667, "minimum_w": 2_500}
    document: dict[str, Any] = {
        "v": 2,
        "name": "richest",
        "currency": "EUR",
        "minor_digits": 2,
        "time_zone": ZONE.name,
        "valid_from": "2020-01-01",
        "valid_to": None,
        "holidays": [f"{year}-12-25" for year in range(2021, 2026)],
        "import": [
            {"kind": "flat", "name": "network", "price": 45_000},
            {"kind": "schedule", "name": "energy", "periods": nights},
            {**spot, "name": "spot", "factor_ppm": 1_030_000, "adder": 21_500},
            {"kind": "tiered", "name": "levy", "per": "month", "tiers": tiers},
            {"kind": "peak", "name": "capacity", **peak},
        ],
        "export": [
            {"kind": "schedule", "name": "feed-in", "periods": nights},
            {**spot, "name": "spot", "factor_ppm": 1_000_000, "adder": -5_000},
        ],
        "fixed": [
            {"name": "standing", "per": "day", "amount": 250_000},
            {"name": "meter", "per": "month", "amount": 2_000_000},
        ],
        "taxes": [{"name": "VAT", "rate_ppm": 210_000, "on": ["import", "export", "fixed"]}],
    }
    return json.dumps(document).encode()


def home(window: Span, every_s: int = QUARTER_S) -> list[RegisterReading]:
    """Return readings of a window, both registers moving, its two ends included."""
    chance, taken, given = random.Random(2022), 1_000_000, 500_000
    readings = []
    for instant in range(window[0], window[1] + 1, every_s):
        readings.append(RegisterReading(instant, taken, given))
        taken += chance.randrange(400)
        given += chance.randrange(200)
    return readings


def spot_prices(window: Span) -> bytes:
    """Return a series with a price for each quarter hour, some of them negative."""
    chance = random.Random(2023)
    start, end = window
    prices = [chance.randrange(-50_000, 250_000) for _ in range(start, end, QUARTER_S)]
    return price_series.encode(
        name=SPOT, currency="EUR", resolution_s=QUARTER_S, start=start, prices=prices
    )
