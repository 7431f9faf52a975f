"""What holds of every bill: lines add up, windows may be cut, devices have no order."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.billing.bill import Bill
from offchain.billing.components import Tariff
from offchain.billing.household import Household
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import Meter, RegisterReading
from offchain.billing.rounding import half_away

from .world import at, bill, flat, schedule, series, tariff

HOUR, DAY = 3_600, 86_400
ZONES = ["Europe/Amsterdam", "America/New_York", "Pacific/Chatham", "Australia/Lord_Howe"]
START = at("UTC", "2024-03-25")
SPOT = series(
    START - 3 * DAY,
    [Random(7).randrange(-90_000, 300_000) for _ in range(96 * 30)],
    resolution_s=900,
)


def rich(zone_name: str, *, tiers_and_peaks: bool) -> Tariff:
    """Return a tariff with each component; tiers and peaks do not survive cuts of the window."""
    spot = {
        "kind": "dynamic",
        "name": "spot",
        "resolution_s": 900,
        "factor_ppm": 1_210_000,
        "adder": 1_234,
        "series": [SPOT.digest],
    }
    periods = [
        {"name": "night", "price": 123_457, "from": "22:00", "to": "06:30"},
        {"name": "weekend", "price": -3_333, "days": ["sat", "sun"]},
        {"name": "day", "price": 234_567},
    ]
    tiers = [{"up_to_wh": 90_000, "price": 11}, {"up_to_wh": None, "price": 1_001}]
    by_month = [
        {"kind": "tiered", "name": "slabs", "per": "month", "tiers": tiers},
        {
            "kind": "peak",
            "name": "capacity",
            "resolution_s": 900,
            "price_per_kw": 3_333_333,
            "minimum_w": 700,
        },
    ]
    return tariff(
        **{
            "import": [
                *(flat(77_777, "levy"), schedule(*periods), spot),
                *(by_month if tiers_and_peaks else []),
            ]
        },
        export=[schedule(*periods, name="feed-in"), {**spot, "name": "given"}],
        fixed=[{"name": per, "per": per, "amount": 9_999_999} for per in ("day", "month")],
        time_zone=zone_name,
    )


steps = st.lists(
    st.tuples(st.integers(1, 30_000), st.integers(0, 4_000), st.integers(0, 3_000)),
    min_size=1,
    max_size=40,
)


def readings_of(rows: list[tuple[int, int, int]], start: int = START) -> list[RegisterReading]:
    readings = [RegisterReading(start, 100, 200)]
    for seconds, taken, given_back in rows:
        last = readings[-1]
        readings.append(
            RegisterReading(
                last.time_s + seconds, last.import_wh + taken, last.export_wh + given_back
            )
        )
    return readings


def energy_of_lines(found: Bill, component: str) -> int:
    return sum(line.wh for line in found.lines if line.component == component)


@given(rows=steps, zone_name=st.sampled_from(ZONES), data=st.data())
@settings(max_examples=150)
def test_make_bill__any_window__lines_of_a_component_add_up_to_the_energy(
    rows: list, zone_name: str, data: st.DataObject
) -> None:
    readings = readings_of(rows)
    start = data.draw(st.integers(START - DAY, readings[-1].time_s))
    end = data.draw(st.integers(start + 1, start + 5 * DAY))
    found = bill(readings, rich(zone_name, tiers_and_peaks=True), start, end, [SPOT])
    for component in ("levy", "energy", "spot", "slabs"):
        assert energy_of_lines(found, component) == found.import_wh
    for component in ("feed-in", "given"):
        assert energy_of_lines(found, component) == found.export_wh
    assert 0 <= found.estimated_wh <= found.import_wh + found.export_wh
    assert found.subtotal + sum(tax.amount for tax in found.taxes) + found.rounding == found.total


@given(rows=steps, zone_name=st.sampled_from(ZONES), data=st.data())
@settings(max_examples=150)
def test_make_bill__a_window_cut_anywhere__has_the_same_lines_up_to_a_rounding_each(
    rows: list, zone_name: str, data: st.DataObject
) -> None:
    readings = readings_of(rows)
    start, end = START, readings[-1].time_s
    if end - start < 2:
        return
    cut = data.draw(st.integers(start + 1, end - 1))
    price = rich(zone_name, tiers_and_peaks=False)
    whole = bill(readings, price, start, end, [SPOT])
    one, two = (bill(readings, price, *w, [SPOT]) for w in ((start, cut), (cut, end)))
    assert len(whole.lines) == len(one.lines) == len(two.lines)
    for all_of_it, first, second in zip(whole.lines, one.lines, two.lines, strict=True):
        assert all_of_it.wh == first.wh + second.wh
        assert abs(all_of_it.amount - first.amount - second.amount) <= 1
    assert whole.import_wh == one.import_wh + two.import_wh


@given(devices=st.lists(steps, min_size=2, max_size=4), data=st.data())
@settings(max_examples=60)
def test_make_bill__devices_in_another_order__gives_the_same_bill(
    devices: list, data: st.DataObject
) -> None:
    meters = [(f"0x{i:040x}", Meter(readings_of(rows))) for i, rows in enumerate(devices)]
    turned = data.draw(st.permutations(meters))
    price = rich("Europe/Amsterdam", tiers_and_peaks=True)
    found = [
        bill(Household(dict(order)), price, START, START + 2 * DAY, [SPOT])
        for order in (meters, turned)
    ]
    assert found[0].to_json() == found[1].to_json()
    one = found[0]
    assert sum(device["import_wh"] for device in one.devices.values()) == one.import_wh


def year_of(zone_name: str, seed: int) -> tuple[list[RegisterReading], PriceSeries]:
    chance = Random(seed)
    start, end = at(zone_name, "2024-01-01"), at(zone_name, "2025-01-01")
    rows = [
        (6 * HOUR, chance.randrange(5_000), chance.randrange(3_000))
        for _ in range((end - start) // (6 * HOUR) + 8)
    ]
    prices = [chance.randrange(-90_000, 300_000) for _ in range(366 * 24 + 48)]
    return readings_of(rows, start - DAY), series(start // HOUR * HOUR - HOUR, prices)


@given(zone_name=st.sampled_from(ZONES), seed=st.integers(0, 10**6))
@settings(max_examples=8)
def test_make_bill__of_the_twelve_months__add_up_to_the_year(zone_name: str, seed: int) -> None:
    readings, prices = year_of(zone_name, seed)
    spot = {
        "kind": "dynamic",
        "name": "spot",
        "resolution_s": HOUR,
        "factor_ppm": 10**6,
        "adder": 5,
        "series": [prices.digest],
    }
    tiers = [{"up_to_wh": 190_000, "price": 101}, {"up_to_wh": None, "price": 1_001}]
    capacity = {"resolution_s": 900, "price_per_kw": 3_333_333, "minimum_w": 700}
    price = tariff(
        time_zone=zone_name,
        **{
            "import": [
                spot,
                {"kind": "tiered", "name": "slabs", "per": "month", "tiers": tiers},
                {"kind": "peak", "name": "capacity", **capacity},
            ]
        },
        export=[flat(333)],
        fixed=[{"name": per, "per": per, "amount": 9_999_999} for per in ("day", "month")],
    )
    edges = [*(date(2024, month, 1).isoformat() for month in range(1, 13)), "2025-01-01"]
    months = [bill(readings, price, first, after, [prices]) for first, after in pairwise(edges)]
    year = bill(readings, price, edges[0], edges[-1], [prices])
    for i, line in enumerate(year.lines):
        parts = [month.lines[i] for month in months]
        assert sum(part.wh for part in parts) == line.wh
        assert abs(sum(part.amount for part in parts) - line.amount) <= 6  # thirteen roundings
    assert sum(month.import_wh for month in months) == year.import_wh


@given(st.fractions(max_denominator=1_000))
def test_half_away__any_fraction__is_at_most_a_half_away_and_odd(value: Fraction) -> None:
    found = half_away(value)
    assert abs(found - value) * 2 <= 1
    assert half_away(-value) == -found
    if abs(found - value) * 2 == 1:
        assert abs(found) > abs(value)
