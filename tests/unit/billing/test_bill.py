"""Whole bills: what is covered, several tariffs and devices, cases that were wrong, refusals."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from offchain.billing.making import make_bill
from offchain.billing.registers import RegisterReading
from offchain.errors import BillingError, TariffError

from .world import at, bill, flat, household, regular, series, tariff

HOUR, DAY = 3_600, 86_400
MIDNIGHT = at("Europe/Amsterdam", "2024-01-15")
UTC_FLAT = tariff(**{"import": [flat(200_000)]}, time_zone="UTC")


def test_bill__monthly_readings__bills_what_was_used_from_each_reading_on() -> None:
    # Read on each 1st: 300 kWh were used in January, 10 in February, 20 in March.
    days = ["2022-01-01", "2022-02-01", "2022-03-01", "2022-04-01"]
    readings = [
        RegisterReading(at("UTC", day), wh, 0)
        for day, wh in zip(days, (1_000_000, 1_300_000, 1_310_000, 1_330_000), strict=True)
    ]
    found = [bill(readings, UTC_FLAT, *window).import_wh for window in pairwise(days)]
    assert found == [300_000, 10_000, 20_000]


@pytest.mark.parametrize("zone_name", ["Australia/Sydney", "America/Los_Angeles", "Asia/Kolkata"])
def test_bill__a_constant_load__is_the_same_each_local_day(zone_name: str) -> None:
    start = at(zone_name, "2022-01-08")
    readings = regular(start - 30 * HOUR, start + 80 * HOUR, HOUR, lambda _: 1_000)
    price = tariff(**{"import": [flat(1)]}, time_zone=zone_name)
    assert bill(readings, price, "2022-01-08", "2022-01-09").import_wh == 24_000
    assert bill(readings, price, "2022-01-08", "2022-01-10").import_wh == 48_000


@pytest.mark.parametrize(
    ("first", "last", "covers", "complete"),
    [
        (0, DAY, (0, DAY), True),
        (-HOUR, DAY + HOUR, (0, DAY), True),
        (HOUR, DAY, (HOUR, DAY), False),
        (0, DAY - HOUR, (0, DAY - HOUR), False),
        (-5 * HOUR, -HOUR, (0, 0), False),
        (DAY, DAY + HOUR, (0, 0), False),
    ],
)
def test_bill__readings_short_of_the_window__says_what_it_covers(
    first: int, last: int, covers: tuple[int, int], complete: bool
) -> None:
    price = tariff(
        **{"import": [flat(10_000)]}, fixed=[{"name": "f", "per": "day", "amount": 24_000}]
    )
    readings = regular(MIDNIGHT + first, MIDNIGHT + last, HOUR)
    found = bill(readings, price, "2024-01-15", "2024-01-16")
    assert (found.covers_from, found.covers_to) == tuple(MIDNIGHT + x for x in covers)
    hours = (covers[1] - covers[0]) // HOUR
    assert found.is_complete == complete
    assert [(line.wh, line.amount) for line in found.lines] == [
        (100 * hours, 1_000 * hours),
        (0, 1_000 * hours),
    ]


def test_bill__unknown_intervals__are_counted_where_they_overlap_what_is_covered() -> None:
    readings = [
        RegisterReading(MIDNIGHT - 2 * HOUR, 50, 0),
        RegisterReading(MIDNIGHT - HOUR, 10, 0, 1),  # before the window
        RegisterReading(MIDNIGHT + HOUR, 5, 0, 1),  # over its beginning
        RegisterReading(MIDNIGHT + 2 * HOUR, 105, 0),
        RegisterReading(MIDNIGHT + DAY, 0, 0, 1),
        RegisterReading(MIDNIGHT + DAY + HOUR, 0, 0, 1),  # after its end
    ]
    found = bill(readings, UTC_FLAT, MIDNIGHT, MIDNIGHT + DAY)
    assert (found.unknown_intervals, found.import_wh, found.estimated_wh) == (2, 100, 0)
    assert bill(readings, UTC_FLAT, MIDNIGHT + HOUR, MIDNIGHT + DAY).unknown_intervals == 1
    assert found.is_complete


def test_bill__an_open_tariff_and_later_ones__each_day_has_the_latest() -> None:
    opened = tariff(name="open", **{"import": [flat(100_000)]})
    closed = tariff(
        name="closed",
        valid_from="2024-01-10",
        valid_to="2024-01-12",
        **{"import": [flat(200_000)]},
    )
    later = tariff(name="later", valid_from="2024-01-14", **{"import": [flat(400_000)]})
    start, end = at("Europe/Amsterdam", "2024-01-09"), at("Europe/Amsterdam", "2024-01-16")
    readings = regular(start, end, HOUR)
    found = bill(readings, [later, opened, closed], "2024-01-09", "2024-01-16")
    assert found.tariffs == (opened.digest, closed.digest, later.digest)
    # The 9th, 12th and 13th are the open one's again: a closed one in between ends by itself.
    assert [line.wh for line in found.lines] == [3 * 2_400, 2 * 2_400, 2 * 2_400]
    assert bill(readings, [opened, later, closed, later], "2024-01-09", "2024-01-16") == found


def test_bill__an_interval_over_a_change_of_tariff__is_estimated_on_both_registers() -> None:
    one = tariff(valid_to="2024-01-15", **{"import": [flat(5)]})
    two = tariff(name="two", valid_from="2024-01-15", **{"import": [flat(5)]})
    readings = regular(MIDNIGHT - 1_800, MIDNIGHT + 1_800, HOUR, export_wh=10)
    found = bill(readings, [one, two], MIDNIGHT - 1_800, MIDNIGHT + 1_800)
    assert found.estimated_wh == 100 + 10


def test_bill__lost_day__needs_no_tariff() -> None:
    members = {"time_zone": "Pacific/Apia", "import": [flat(1)]}
    one = tariff(valid_from="2010-01-01", valid_to="2011-12-30", **members)
    two = tariff(valid_from="2011-12-31", **members)
    start, end = at("Pacific/Apia", "2011-12-29"), at("Pacific/Apia", "2012-01-01")
    found = bill(regular(start, end, HOUR), [two, one], "2011-12-29", "2012-01-01")
    assert [line.wh for line in found.lines] == [2_400, 2_400]


@pytest.mark.parametrize(
    ("validities", "named"),
    [
        ([("2024-01-16", None)], "2024-01-15"),
        ([("2024-01-01", "2024-01-16")], "2024-01-16"),
        ([("2024-01-01", "2024-01-16"), ("2024-01-17", None)], "2024-01-16"),
        ([("2024-01-01", "2024-02-01"), ("2024-01-16", "2024-02-01")], "2024-01-16"),
        ([("2024-01-01", None), ("2024-01-01", None)], "2024-01-15"),
        ([("2024-01-01", None), ("2024-01-01", "2024-02-01")], "2024-01-15"),
    ],
)
def test_bill__a_day_without_one_tariff__is_refused_by_its_date(
    validities: list[tuple[str, str | None]], named: str
) -> None:
    tariffs = [
        tariff(name=f"number {i}", valid_from=start, valid_to=end)
        for i, (start, end) in enumerate(validities)
    ]
    readings = regular(MIDNIGHT, MIDNIGHT + HOUR, HOUR)  # covered or not
    with pytest.raises(BillingError, match=named):
        bill(readings, tariffs, "2024-01-15", "2024-01-17")


@pytest.mark.parametrize(
    "members", [{"currency": "USD"}, {"minor_digits": 3}, {"time_zone": "Europe/Brussels"}]
)
def test_bill__tariffs_that_do_not_go_together__are_refused_by_member(members: dict) -> None:
    one = tariff(name="one", valid_to="2024-01-16")
    two = tariff(name="two", valid_from="2024-01-16", **members)
    with pytest.raises(BillingError, match=f"'one' and 'two' differ in {next(iter(members))}"):
        bill(regular(MIDNIGHT, MIDNIGHT + DAY, HOUR), [one, two], "2024-01-15", "2024-01-17")


def spot(*digests: str) -> dict:
    return {
        "kind": "dynamic",
        "name": "spot",
        "resolution_s": HOUR,
        "factor_ppm": 10**6,
        "adder": 0,
        "series": list(digests),
    }


@pytest.mark.parametrize(
    ("start", "count", "named"),
    [(0, 5, 5), (1, 23, 0), (-3, 5, 2), (30, 5, 0)],
    ids=["ends-early", "begins-late", "ends-early-from-before", "elsewhere"],
)
def test_bill__an_instant_without_a_price__is_named(start: int, count: int, named: int) -> None:
    prices = series(MIDNIGHT + start * HOUR, [1] * count)
    with pytest.raises(BillingError, match=str(MIDNIGHT + named * HOUR)):
        bill(
            regular(MIDNIGHT, MIDNIGHT + DAY, HOUR, lambda _: 0),  # used or not
            tariff(**{"import": [spot(prices.digest)]}),
            "2024-01-15",
            "2024-01-16",
            [prices],
        )


def test_bill__a_gap_between_two_series__is_named() -> None:
    one, two = series(MIDNIGHT, [1] * 5), series(MIDNIGHT + 6 * HOUR, [1] * 40)
    price = tariff(**{"import": [spot(two.digest, one.digest)]})
    with pytest.raises(BillingError, match=str(MIDNIGHT + 5 * HOUR)):
        bill(regular(MIDNIGHT, MIDNIGHT + DAY, HOUR), price, "2024-01-15", "2024-01-16", [two, one])


def test_bill__no_price_where_nothing_is_covered__is_no_matter() -> None:
    price = tariff(**{"import": [spot("ab" * 32)]})
    found = bill(regular(MIDNIGHT - DAY, MIDNIGHT, HOUR), price, "2024-01-15", "2024-01-16")
    assert [(line.wh, line.amount) for line in found.lines] == [(0, 0)]


@pytest.mark.parametrize(
    ("members", "named"),
    [({"resolution_s": 900}, "900 s in EUR"), ({"currency": "SEK"}, "3600 s in SEK")],
)
def test_bill__series_that_do_not_fit_their_component__are_refused(
    members: dict, named: str
) -> None:
    other = series(MIDNIGHT, [1] * 200, **members)
    with pytest.raises(TariffError, match=named):
        bill(
            regular(MIDNIGHT, MIDNIGHT + DAY, HOUR),
            tariff(**{"import": [spot(other.digest)]}),
            "2024-01-15",
            "2024-01-16",
            [other],
        )


def test_bill__two_series_of_a_component_that_overlap__are_refused() -> None:
    one, two = series(MIDNIGHT, [1] * 30), series(MIDNIGHT + 29 * HOUR, [1] * 30)
    price = tariff(**{"import": [spot(one.digest, two.digest)]})
    with pytest.raises(TariffError, match=str(MIDNIGHT + 29 * HOUR)):
        bill(regular(MIDNIGHT, MIDNIGHT + DAY, HOUR), price, "2024-01-15", "2024-01-16", [one, two])


@pytest.mark.parametrize(
    ("start", "end", "named"),
    [
        ("2024-01-15", "2024-01-15", "must end after it begins"),
        ("2024-01-16", "2024-01-15", "must end after it begins"),
        ("2024-01-15", "300000000000", "between 1970 and 9997"),
        ("1980-01-01", "2081-01-01", "at most 100 years"),
        ("1969-12-31", "2024-01-15", "'1969-12-31' is no date"),
        ("2024-13-01", "2024-01-15", "'2024-13-01' is no date"),
        ("today", "2024-01-15", "'today' is no date"),
    ],
)
def test_bill__a_window_that_is_none__is_refused(start: str, end: str, named: str) -> None:
    with pytest.raises(BillingError, match=named):
        bill(regular(MIDNIGHT, MIDNIGHT + DAY, HOUR), UTC_FLAT, start, end)


def test_make_bill__no_tariff__is_refused() -> None:
    home = household(regular(MIDNIGHT, MIDNIGHT + DAY, HOUR))
    with pytest.raises(BillingError, match="at least one tariff"):
        make_bill(home, [], window_from=MIDNIGHT, window_to=MIDNIGHT + DAY)


def test_bill__the_last_days_there_are__can_be_billed() -> None:
    start, end = at("Europe/Amsterdam", "9997-12-30"), at("Europe/Amsterdam", "9997-12-31")
    found = bill(regular(start, end, HOUR), tariff(**{"import": [flat(1)]}), start, end)
    assert found.import_wh == 2_400


def test_bill__several_devices__sums_exactly_and_rounds_once() -> None:
    price = tariff(**{"import": [flat(500)]}, time_zone="UTC")
    home = household(*([RegisterReading(0, 0, 0), RegisterReading(HOUR, 1, 2)] for _ in range(3)))
    price = tariff(**{"import": [flat(500)]}, time_zone="UTC", valid_from="1970-01-01")
    found = bill(home, price, 0, HOUR)
    assert [(line.wh, line.amount) for line in found.lines] == [(3, 2)]  # 1.5, not three times 0.5
    assert found.to_json()["devices"] == {
        f"0x{i:040x}": {"import_wh": 1, "export_wh": 2} for i in range(3)
    }


def test_billing__its_code__holds_no_float() -> None:
    folder = Path(make_bill.__code__.co_filename).parent
    for path in folder.glob("*.py"):
        text = path.read_text()
        assert "float(" not in text and " / 2" not in text, path
