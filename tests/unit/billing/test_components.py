"""What each component charges, worked out by hand: edges, months, peaks, changes of clocks."""

from __future__ import annotations

from typing import Any

import pytest

from offchain.billing.bill import Bill
from offchain.billing.registers import RegisterReading
from offchain.errors import BillingError

from .world import at, bill, document, flat, read, regular, schedule, series, tariff

HOUR, DAY = 3_600, 86_400
MIDNIGHT = at("Europe/Amsterdam", "2024-01-15")


def wh_and_amounts(found: Bill) -> dict[str | None, tuple[int, int]]:
    return {line.period: (line.wh, line.amount) for line in found.lines}


def imported(*components: dict, **members: Any):
    return tariff(**{"import": list(components)}, **members)


@pytest.mark.parametrize(
    ("price", "wh", "amount"),
    [(250_000, 3, 750), (1, 500, 1), (1, 499, 0), (-1, 500, -1), (-1, 499, 0), (-333, 1_001, -333)],
)
def test_flat__price_and_energy__rounds_half_away_from_zero(
    price: int, wh: int, amount: int
) -> None:
    readings = [RegisterReading(MIDNIGHT, 0, 0), RegisterReading(MIDNIGHT + HOUR, wh, wh)]
    found = bill(
        readings,
        tariff(**{"import": [flat(price)]}, export=[flat(price)]),
        MIDNIGHT,
        MIDNIGHT + HOUR,
    )
    assert [line.amount for line in found.lines] == [amount, -amount]
    assert found.subtotal == 0


NIGHT_AND_DAY = (
    {"name": "night", "price": 100_000, "from": "22:00", "to": "06:00"},
    {"name": "day", "price": 300_000},
)


@pytest.mark.parametrize(
    ("zone_name", "day", "night_hours", "day_hours"),
    [
        ("Europe/Amsterdam", "2024-01-15", 8, 16),
        ("Europe/Amsterdam", "2024-03-31", 7, 16),
        ("Europe/Amsterdam", "2024-10-27", 9, 16),
        ("America/New_York", "2024-03-10", 7, 16),
        ("America/New_York", "2024-11-03", 9, 16),
        ("Pacific/Chatham", "2024-09-29", 7, 16),
        ("Pacific/Chatham", "2024-04-07", 9, 16),
        ("America/Sao_Paulo", "2018-11-04", 7, 16),  # 00:00 does not occur
        ("America/Sao_Paulo", "2018-02-17", 9, 16),  # 23:00 occurs twice
    ],
)
def test_schedule__clocks_change__an_hour_is_there_as_often_as_it_occurs(
    zone_name: str, day: str, night_hours: int, day_hours: int
) -> None:
    start = at(zone_name, day)
    hours = night_hours + day_hours
    found = bill(
        regular(start, start + hours * HOUR, HOUR),
        imported(
            schedule(*NIGHT_AND_DAY),
            time_zone=zone_name,
            valid_from="2010-01-01",
            fixed=[{"name": "standing", "per": "day", "amount": 240_000}],
        ),
        start,
        start + hours * HOUR,
    )
    assert [line.wh for line in found.lines] == [100 * night_hours, 100 * day_hours, 0]
    assert found.lines[2].amount == 240_000  # a whole day, however long
    assert found.is_complete
    assert found.estimated_wh == 0


def test_schedule__half_an_hour_of_daylight_saving__is_there_twice() -> None:
    start, end = (at("Australia/Lord_Howe", day) for day in ("2024-04-07", "2024-04-08"))
    assert end - start == 24 * HOUR + HOUR // 2
    twice = {"name": "twice", "price": 1_000, "from": "01:30", "to": "02:00"}
    found = bill(
        regular(start, end, HOUR // 2),
        imported(schedule(twice, {"name": "rest", "price": 0}), time_zone="Australia/Lord_Howe"),
        "2024-04-07",
        "2024-04-08",
    )
    assert wh_and_amounts(found)["twice"] == (200, 200)


def test_schedule__clock_put_back_to_the_day_before_its_first__has_a_price_or_says_not() -> None:
    # Saint John's, 2010-11-07: at 00:01 it was 23:01 of the 6th again, a Saturday.
    start, end = (at("America/St_Johns", day) for day in ("2010-11-07", "2010-11-08"))
    members = {"time_zone": "America/St_Johns", "valid_from": "2010-11-07"}
    sundays = {"name": "sunday", "price": 1_000, "days": ["sun"]}
    readings = regular(start, end, 60, lambda _: 1)
    both = imported(schedule(sundays, {"name": "rest", "price": 0}), **members)
    found = bill(readings, both, "2010-11-07", "2010-11-08")
    assert wh_and_amounts(found) == {"sunday": (24 * 60 + 1, 1_441), "rest": (59, 0)}
    only = imported(schedule(sundays), valid_to="2010-11-08", **members)
    with pytest.raises(BillingError, match=str(start + 60)):
        bill(readings, only, "2010-11-07", "2010-11-08")


def test_schedule__cut_inside_an_interval__splits_it_and_calls_it_estimated() -> None:
    readings = [RegisterReading(MIDNIGHT + 5 * HOUR, 0, 0)]
    readings.append(RegisterReading(MIDNIGHT + 5 * HOUR + 5_400, 100, 40))  # 05:00 to 06:30
    readings.append(RegisterReading(MIDNIGHT + 7 * HOUR, 150, 40))
    found = bill(
        readings,
        tariff(**{"import": [schedule(*NIGHT_AND_DAY)]}, export=[flat(1)]),
        MIDNIGHT + 5 * HOUR,
        MIDNIGHT + 7 * HOUR,
    )
    assert wh_and_amounts(found)["night"] == (66, 6_600)  # floor(100 · 60 / 90)
    assert wh_and_amounts(found)["day"] == (84, 25_200)
    assert found.estimated_wh == 100  # the import of that interval, not its export


def test_schedule__neighbours_of_one_price_and_name__are_no_cut() -> None:
    same = [{"name": "a", "price": 5, "to": "12:00"}, {"name": "a", "price": 5, "from": "12:00"}]
    other = [same[0], {"name": "b", "price": 5, "from": "12:00"}]
    readings = regular(MIDNIGHT + 11 * HOUR + 1_800, MIDNIGHT + 13 * HOUR + 1_800, HOUR)
    window = readings[0].time_s, readings[-1].time_s
    assert bill(readings, imported(schedule(*same)), *window).estimated_wh == 0
    assert bill(readings, imported(schedule(*other)), *window).estimated_wh == 100


def test_dynamic__factor_and_adder__floor_the_product_alone() -> None:
    prices = [1, -1, 100_000, -100_000]
    spot = {
        "kind": "dynamic",
        "name": "spot",
        "resolution_s": HOUR,
        "factor_ppm": 1_500_000,
        "adder": 10,
        "series": [series(MIDNIGHT, prices).digest],
    }
    found = [
        bill(
            [RegisterReading(t, i * 1_000, 0) for i, t in enumerate((start, start + HOUR))],
            imported(spot),
            start,
            start + HOUR,
            [series(MIDNIGHT, prices)],
        )
        for start in range(MIDNIGHT, MIDNIGHT + 4 * HOUR, HOUR)
    ]
    assert [one.subtotal for one in found] == [1 + 10, -2 + 10, 150_010, -149_990]


def test_dynamic__several_series__each_instant_has_its_own_and_they_are_named_by_time() -> None:
    one = series(MIDNIGHT, [10_000, 10_000])
    names = (f"spot {i}" for i in range(99))
    later = (series(MIDNIGHT + 2 * HOUR, [20_000, 20_000], name=name) for name in names)
    two = next(found for found in later if found.digest < one.digest)
    unused, not_named = (
        series(MIDNIGHT + 4 * HOUR, [30_000]),
        series(MIDNIGHT, [99, 98, 97]),
    )
    spot = {
        "kind": "dynamic",
        "name": "spot",
        "resolution_s": HOUR,
        "factor_ppm": 10**6,
        "adder": 0,
        "series": [two.digest, unused.digest, one.digest],
    }
    found = bill(
        regular(MIDNIGHT, MIDNIGHT + 4 * HOUR, HOUR, lambda _: 1_000),
        imported(spot),
        MIDNIGHT,
        MIDNIGHT + 4 * HOUR,
        [not_named, two, unused, one],
    )
    assert found.subtotal == 60_000
    assert found.series == (one.digest, two.digest)


def test_dynamic__series_by_published_name__the_first_that_holds_an_instant_gives_its_price() -> (
    None
):
    first = series(MIDNIGHT, [10_000, 10_000], name="day ahead")
    second = series(MIDNIGHT + HOUR, [70_000, 70_000, 70_000], name="day ahead")
    other = series(MIDNIGHT, [5] * 9, name="another")
    spot = {
        "kind": "dynamic",
        "name": "spot",
        "resolution_s": HOUR,
        "factor_ppm": 10**6,
        "adder": 0,
        "series": {"name": "day ahead"},
    }
    readings = regular(MIDNIGHT, MIDNIGHT + 4 * HOUR, HOUR, lambda _: 1_000)
    window = MIDNIGHT, MIDNIGHT + 4 * HOUR
    found = bill(readings, imported(spot), *window, [other, first, second])
    assert found.subtotal == 10_000 + 10_000 + 70_000 + 70_000
    turned = bill(readings, imported(spot), *window, [second, first])
    assert turned.subtotal == 10_000 + 3 * 70_000


SLABS = {
    "kind": "tiered",
    "name": "slabs",
    "per": "month",
    "tiers": [
        {"up_to_wh": 3_100, "price": 100_000},
        {"up_to_wh": 6_200, "price": 200_000},
        {"up_to_wh": None, "price": 300_000},
    ],
}


@pytest.mark.parametrize(
    ("day_wh", "wh"),
    [(100, [3_100, 0, 0]), (150, [3_100, 1_550, 0]), (300, [3_100, 3_100, 3_100]), (0, [0, 0, 0])],
)
def test_tiered__a_whole_month__fills_tier_after_tier(day_wh: int, wh: list[int]) -> None:
    start, end = at("Asia/Tokyo", "2024-01-01"), at("Asia/Tokyo", "2024-02-01")
    tokyo = imported(SLABS, time_zone="Asia/Tokyo")
    found = bill(regular(start, end, DAY, lambda _: day_wh), tokyo, "2024-01-01", "2024-02-01")
    assert [line.wh for line in found.lines] == wh
    assert [line.period for line in found.lines] == ["tier 1", "tier 2", "tier 3"]


def test_tiered__parts_of_two_months__have_limits_in_proportion_each() -> None:
    start, end = at("Asia/Tokyo", "2024-01-31"), at("Asia/Tokyo", "2024-02-02")
    tokyo = imported(SLABS, time_zone="Asia/Tokyo")
    found = bill(regular(start, end, HOUR), tokyo, "2024-01-31", "2024-02-02")
    # January: 3,100 / 31 = 100; February: floor(3,100 / 29) = 106, floor(6,200 / 29) = 213.
    assert [line.wh for line in found.lines] == [206, 100 + 107, 2_400 - 200 + 2_400 - 213]


def test_tiered__month_edge_inside_an_interval__calls_it_estimated() -> None:
    edge = at("Asia/Tokyo", "2024-02-01")
    readings = regular(edge - 1_800, edge + 1_800, HOUR)
    window = readings[0].time_s, readings[-1].time_s
    assert bill(readings, imported(SLABS, time_zone="Asia/Tokyo"), *window).estimated_wh == 100
    assert bill(readings, imported(flat(1), time_zone="Asia/Tokyo"), *window).estimated_wh == 0


def peak(price: int = 1_000_000, minimum_w: int = 0) -> dict:
    return {
        "kind": "peak",
        "name": "capacity",
        "resolution_s": 900,
        "price_per_kw": price,
        "minimum_w": minimum_w,
    }


@pytest.mark.parametrize("largest", [0, 77, 31 * 96 - 1])
def test_peak__a_month__is_charged_by_its_largest_quarter_hour(largest: int) -> None:
    start, end = at("Asia/Tokyo", "2024-01-01"), at("Asia/Tokyo", "2024-02-01")
    readings = regular(start, end, 900, lambda i: 1_250 if i == largest else 3)
    found = bill(readings, imported(peak(), time_zone="Asia/Tokyo"), "2024-01-01", "2024-02-01")
    assert [(line.wh, line.amount) for line in found.lines] == [(0, 5_000_000)]


def test_peak__two_months_and_a_part__are_charged_each_with_the_minimum() -> None:
    start, end = at("Asia/Tokyo", "2024-01-01"), at("Asia/Tokyo", "2024-03-30")
    march = at("Asia/Tokyo", "2024-03-01")
    readings = regular(start, end, 900, lambda i: 1_250 if start + i * 900 == march else 3)
    found = bill(
        readings,
        imported(peak(minimum_w=2_000), time_zone="Asia/Tokyo"),
        "2024-01-01",
        "2024-03-30",
    )
    assert found.subtotal == 2_000_000 + 2_000_000 + 4_677_419  # 5 kW, 29 days of 31


def test_peak__quarter_hours_are_of_utc_and_lie_wholly_in_the_part() -> None:
    # The window is 00:05 to 00:35 UTC: only 00:15 to 00:30 lies in it.
    start = 1_704_067_200 + 300
    readings = [
        RegisterReading(start, 0, 0),
        RegisterReading(start + 600, 600, 0),  # 00:15
        RegisterReading(start + 1_500, 700, 0),  # 00:30
        RegisterReading(start + 1_800, 900, 0),
    ]
    share = imported(peak(price=31 * 86_400), time_zone="UTC")
    assert bill(readings, share, start, start + 1_800).subtotal == 1_800 * 400 // 1_000


def test_peak__no_quarter_hour_in_the_window__is_the_minimum() -> None:
    readings = [RegisterReading(MIDNIGHT, 0, 0), RegisterReading(MIDNIGHT + 899, 500, 0)]
    found = bill(readings, imported(peak(31 * 86_400, 3_000)), MIDNIGHT, MIDNIGHT + 899)
    assert found.subtotal == 3 * 899


def test_peak__quarter_hours_inside_long_intervals__are_no_cut() -> None:
    readings = regular(MIDNIGHT, MIDNIGHT + 4 * HOUR, HOUR, lambda _: 1_000)
    found = bill(readings, imported(peak(31 * 24)), MIDNIGHT, MIDNIGHT + 4 * HOUR)
    assert found.estimated_wh == 0
    assert found.subtotal == 4  # a kW, four hours of 24, a day of 31


@pytest.mark.parametrize(
    ("per", "window", "amount"),
    [
        ("day", ("2024-02-01", "2024-03-01"), 29 * 1_000_000),
        ("month", ("2024-02-01", "2024-03-01"), 1_000_000),
        ("month", ("2024-02-28", "2024-03-02"), 101_224),  # 2/29 + 1/31 = 0.1012236
        ("month", ("2024-01-01", "2025-01-01"), 12_000_000),
        ("day", ("2024-03-31", "2024-04-01"), 1_000_000),
        ("month", ("2024-03-31", "2024-04-01"), 32_258),  # a day is a day, of 23 hours too
    ],
)
def test_fixed__windows_of_local_days__count_days(
    per: str, window: tuple[str, str], amount: int
) -> None:
    start, end = (at("Europe/Amsterdam", day) for day in window)
    charge = tariff(fixed=[{"name": "standing", "per": per, "amount": 1_000_000}])
    assert bill(regular(start, end, end - start), charge, *window).subtotal == amount


def test_fixed__part_of_a_day_of_23_hours__is_a_part_of_those() -> None:
    start = at("Europe/Amsterdam", "2024-03-31")
    charge = tariff(fixed=[{"name": "standing", "per": "day", "amount": 23_000}])
    found = bill(regular(start, start + 5 * HOUR, HOUR), charge, start, start + 5 * HOUR)
    assert found.subtotal == 5_000


def test_fixed__month_with_a_lost_day__has_thirty() -> None:
    start, end = at("Pacific/Apia", "2011-12-29"), at("Pacific/Apia", "2012-01-01")
    charge = tariff(
        time_zone="Pacific/Apia",
        valid_from="2010-01-01",
        fixed=[{"name": name, "per": name, "amount": 30_000} for name in ("day", "month")],
    )
    found = bill(regular(start, end, HOUR), charge, "2011-12-29", "2012-01-01")
    assert [line.amount for line in found.lines] == [60_000, 2_000]


def test_taxes__on_sections__are_rounded_each_and_not_taxed() -> None:
    value = document(
        **{"import": [flat(1_000)]},
        export=[flat(400)],
        fixed=[{"name": "day", "per": "day", "amount": 150}],
        taxes=[
            {"name": "levy", "rate_ppm": 100_000, "on": ["import"]},
            {"name": "VAT", "rate_ppm": 10_000, "on": ["import", "export", "fixed"]},
            {"name": "none", "rate_ppm": 500_000, "on": []},
        ],
    )
    readings = [RegisterReading(MIDNIGHT, 0, 0), RegisterReading(MIDNIGHT + DAY, 1_000, 1_000)]
    found = bill(readings, read(value), "2024-01-15", "2024-01-16")
    assert [(tax.name, tax.amount) for tax in found.taxes] == [
        ("levy", 100),
        ("VAT", 8),  # 7.5
        ("none", 0),
    ]
    assert (found.subtotal, found.total, found.rounding) == (750, 0, -858)


@pytest.mark.parametrize(
    ("digits", "exact", "total"),
    [
        *[(2, 15_000, 20_000), (2, 14_999, 10_000), (2, -15_000, -20_000)],
        *[(0, 500_000, 1_000_000), (3, 1_499, 1_000), (6, 7, 7)],
    ],
)
def test_total__minor_unit__is_rounded_half_away_from_zero(
    digits: int, exact: int, total: int
) -> None:
    charge = tariff(minor_digits=digits, fixed=[{"name": "f", "per": "day", "amount": exact}])
    found = bill(regular(MIDNIGHT, MIDNIGHT + DAY, DAY), charge, "2024-01-15", "2024-01-16")
    assert (found.total, found.rounding) == (total, total - exact)
