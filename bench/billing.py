"""How long a bill and advice take: `make bench-billing`. A year of quarters, the richest tariff.

Richest: every component at once, in both sections, with a price each quarter hour. Times are of
the processor, the least of several runs, as other programs may share the machine.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench.figures import Figure, unexplained
from offchain.billing import price_series, readings_csv, tariff_document
from offchain.billing.advising import make_advice
from offchain.billing.components import Tariff
from offchain.billing.household import Household
from offchain.billing.making import make_bill
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import RegisterReading
from offchain.billing.window import parse_instant
from offchain.billing.zones import zone
from offchain.records import meter_csv

_QUARTER_S = 900
_ZONE = zone("Europe/Amsterdam")
_YEAR_LIMIT_S = 0.3
_ADVICE_LIMIT_S = 1.0
# Linear is four; the processor's caches take their part (up to 5.5 seen). Quadratic is sixteen.
_LINEAR_LIMIT = 6.0
_FIRST_YEAR = 2021


def richest(digests: Sequence[str]) -> Tariff:
    """Return a tariff of all components, whose dynamic ones take these series."""
    nights = [
        {"name": "night", "price": 180_000, "from": "23:00", "to": "07:00"},
        {"name": "weekend", "price": 190_000, "days": ["sat", "sun", "holiday"]},
        {"name": "winter", "price": 260_000, "months": [11, 12, 1, 2]},
        {"name": "day", "price": 240_000},
    ]
    spot = {"kind": "dynamic", "resolution_s": _QUARTER_S, "series": list(digests)}
    tiers = [{"up_to_wh": 200_000, "price": 10_000}, {"up_to_wh": None, "price": 20_000}]
    peak = {"resolution_s": _QUARTER_S, "price_per_kw": 3_366_667, "minimum_w": 2_500}
    document: dict[str, Any] = {
        "v": 2,
        "name": "richest",
        "currency": "EUR",
        "minor_digits": 2,
        "time_zone": _ZONE.name,
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
    return tariff_document.parse(json.dumps(document).encode())


def home(start: int, end: int) -> list[RegisterReading]:
    """Return readings of quarter hours, both registers moving."""
    chance, taken, given = random.Random(2022), 1_000_000, 500_000
    readings = []
    for instant in range(start, end + 1, _QUARTER_S):
        readings.append(RegisterReading(instant, taken, given))
        taken += chance.randrange(400)
        given += chance.randrange(200)
    return readings


def spot_prices(start: int, end: int) -> PriceSeries:
    """Return a price for each quarter hour, some of them negative."""
    chance = random.Random(2023)
    prices = [chance.randrange(-50_000, 250_000) for _ in range(start, end, _QUARTER_S)]
    data = price_series.encode(
        name="spot", currency="EUR", resolution_s=_QUARTER_S, start=start, prices=prices
    )
    return price_series.decode(data)


def least_s(call: Callable[[], object], rounds: int = 5) -> float:
    """Return the least CPU time of a call over several rounds."""
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        call()
        times.append(time.process_time() - begin)
    return min(times)


def bill_time_s(years: int) -> float:
    """Return how long a bill of so many years takes, from readings to its JSON."""
    start, end = (
        parse_instant(f"{year}-01-01", _ZONE) for year in (_FIRST_YEAR, _FIRST_YEAR + years)
    )
    readings, spot = home(start, end), spot_prices(start, end)
    tariff = richest([spot.digest])
    window = {"window_from": start, "window_to": end}
    return least_s(
        lambda: make_bill(Household.of_readings(readings), [tariff], [spot], **window).to_json()
    )


def advice_time_s(years: int) -> float:
    """Return how long advice on so many years takes, from readings to its JSON."""
    start, end = (
        parse_instant(f"{year}-01-01", _ZONE) for year in (_FIRST_YEAR, _FIRST_YEAR + years)
    )
    readings, spot = home(start, end), spot_prices(start, end)
    tariff = richest([spot.digest])
    window = {"window_from": start, "window_to": end, "as_of": end - 3 * 86_400}
    return least_s(
        lambda: make_advice(Household.of_readings(readings), [tariff], [spot], **window).to_json()
    )


def file_time_s() -> float:
    """Return how long reading a year of quarter hours from CSV takes."""
    start, end = (parse_instant(f"{_FIRST_YEAR + i}-01-01", _ZONE) for i in (0, 1))
    rows = (f"{r.time_s},{r.import_wh},{r.export_wh},0,200" for r in home(start, end))
    data = "\n".join([meter_csv.HEADER, *rows]).encode()
    return least_s(lambda: readings_csv.parse(data))


def main() -> int:
    """Print each figure; return 1 where one is missed without a written reason."""
    year_s, four_years_s, advice_s = bill_time_s(1), bill_time_s(4), advice_time_s(1)
    figures = [
        Figure("bill_year_of_quarters", year_s, _YEAR_LIMIT_S, "s", at_most=True),
        Figure("bill_four_years_vs_one", four_years_s / year_s, _LINEAR_LIMIT, at_most=True),
        Figure("advice_year_of_quarters", advice_s, _ADVICE_LIMIT_S, "s", at_most=True),
        Figure("bill_read_csv_of_a_year", file_time_s(), unit="s"),
    ]
    for figure in figures:
        print(figure.line())
    return 1 if unexplained(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
