"""Local days of any zone: clocks that change, midnights that are missing or doubled, lost days."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from offchain.billing.zones import zone, zone_names
from offchain.errors import BillingError

HOUR = 3_600


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("name", "short", "long", "difference"),
    [
        ("Europe/Amsterdam", "2024-03-31", "2024-10-27", HOUR),
        ("America/New_York", "2024-03-10", "2024-11-03", HOUR),
        ("Australia/Lord_Howe", "2024-10-06", "2024-04-07", HOUR // 2),
        ("Pacific/Chatham", "2024-09-29", "2024-04-07", HOUR),
    ],
)
def test_days__both_days_of_daylight_saving__are_shorter_and_longer(
    name: str, short: str, long: str, difference: int
) -> None:
    [first] = zone(name).days(date.fromisoformat(short), date.fromisoformat(short))
    [second] = zone(name).days(date.fromisoformat(long), date.fromisoformat(long))
    assert first.end - first.start == 24 * HOUR - difference
    assert second.end - second.start == 24 * HOUR + difference


def test_day_start__midnight_does_not_occur__is_the_first_instant_after() -> None:
    # São Paulo, 2018-11-04: 00:00 became 01:00.
    assert zone("America/Sao_Paulo").day_start(date(2018, 11, 4)) == utc("2018-11-04T03:00")


def test_day_start__midnight_occurs_twice__is_the_first_one() -> None:
    # Havana, 2024-11-03: 01:00 became 00:00. Saint John's, 2010-11-07: 00:01 became 23:01.
    assert zone("America/Havana").day_start(date(2024, 11, 3)) == utc("2024-11-03T04:00")
    assert zone("America/St_Johns").day_start(date(2010, 11, 7)) == utc("2010-11-07T02:30")


def test_day_start__clock_put_back_at_midnight__is_when_the_date_is_shown_at_last() -> None:
    # São Paulo, 2018-02-18: what would have been 00:00 was 23:00 again.
    assert zone("America/Sao_Paulo").day_start(date(2018, 2, 18)) == utc("2018-02-18T03:00")


def test_days__a_day_that_the_zone_left_out__is_none() -> None:
    apia = zone("Pacific/Apia")
    days = apia.days(date(2011, 12, 29), date(2011, 12, 31))
    assert [day.date for day in days] == [date(2011, 12, 29), date(2011, 12, 31)]
    assert days[0].end == days[1].start == utc("2011-12-30T10:00")
    assert apia.days_in((2011, 12)) == 30
    assert zone("Europe/Amsterdam").days_in((2024, 2)) == 29


def test_days_between__after_a_doubled_midnight__is_the_day_that_has_begun() -> None:
    st_johns = zone("America/St_Johns")
    put_back = st_johns.day_start(date(2010, 11, 7)) + 60
    assert st_johns.wall_clock(put_back).date() == date(2010, 11, 6)  # 23:01 again
    [day] = st_johns.days_between(put_back, put_back + 120)
    assert day.date == date(2010, 11, 7)


def test_days_between__window_of_three_days__gives_them_end_to_end() -> None:
    cairo = zone("Africa/Cairo")
    start, end = cairo.day_start(date(2024, 4, 25)), cairo.day_start(date(2024, 4, 28))
    days = cairo.days_between(start, end)
    assert [day.date.day for day in days] == [25, 26, 27]
    assert (days[0].start, days[-1].end) == (start, end)
    assert all(one.end == two.start for one, two in pairwise(days))
    assert len(cairo.days_between(start - 1, end + 1)) == 5


@pytest.mark.parametrize("name", ["Europe/Dublin", "Africa/Casablanca", "Antarctica/Troll"])
def test_offset_runs__over_six_years__say_what_the_rules_say_each_hour(name: str) -> None:
    local, rules = zone(name), zoneinfo.ZoneInfo(name)
    start, end = utc("2019-01-01T00:00"), utc("2025-01-01T00:00")
    runs = local.offset_runs(start, end)
    assert (runs[0].start, runs[-1].end) == (start, end)
    for run in runs:
        for instant in {run.start, run.end - 1, *range(run.start, run.end, 40 * HOUR)}:
            offset = datetime.fromtimestamp(instant, rules).utcoffset()
            assert offset == timedelta(seconds=run.offset_s)


@pytest.mark.parametrize("name", ["Europe/Amsterdamm", "", "../zones", "/etc/passwd", "Europe"])
def test_zone__no_name_of_a_zone__is_refused(name: str) -> None:
    with pytest.raises(BillingError, match="is no time zone"):
        zone(name)


def test_zone__every_name__has_a_day_in_2024() -> None:
    for name in zone_names():
        [day] = zone(name).days(date(2024, 6, 1), date(2024, 6, 1))
        assert day.end - day.start == 24 * HOUR
