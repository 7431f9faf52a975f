"""Windows by local dates and months, and long ones in parts that make one bill."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.billing.household import Household
from offchain.billing.registers import Meter, RegisterReading
from offchain.billing.window import local_days, local_month, parse_instant
from offchain.billing.window_parts import joined, split_window, utc_days, whole_utc_days
from offchain.billing.zones import zone, zone_names
from offchain.errors import BillingError, RegisterError

from .test_properties import SPOT, START, readings_of, rich, steps
from .world import at, bill

DAY = 86_400
ZONES = ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]


def unix(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("zone_name", "month", "start", "end"),
    [
        ("America/Los_Angeles", "2024-03", "2024-03-01 08:00", "2024-04-01 07:00"),
        ("Asia/Kolkata", "2024-12", "2024-11-30 18:30", "2024-12-31 18:30"),
        ("Pacific/Apia", "2011-12", "2011-12-01 10:00", "2011-12-31 10:00"),  # of thirty days
        ("America/Sao_Paulo", "2018-11", "2018-11-01 03:00", "2018-12-01 02:00"),
        ("Africa/Cairo", "2024-04", "2024-03-31 22:00", "2024-04-30 21:00"),
    ],
)
def test_local_month__of_any_zone__begins_and_ends_with_its_days(
    zone_name: str, month: str, start: str, end: str
) -> None:
    assert local_month(month, zone(zone_name)) == (unix(start), unix(end))


@pytest.mark.parametrize("text", ["2024-13", "2024-1", "2024", "1969-12", "March", "2024-01-01"])
def test_local_month__of_what_is_none__is_refused(text: str) -> None:
    with pytest.raises(BillingError, match="is no month"):
        local_month(text, zone("UTC"))


def test_local_month__of_every_zone__has_28_to_31_days_end_to_end() -> None:
    for name in sorted(zone_names()):
        months = [local_month(f"2024-{month:02}", zone(name)) for month in range(1, 13)]
        for (start, end), (following, _) in pairwise(months):
            assert end == following
            assert 27 * DAY < end - start < 32 * DAY


def test_local_days__from_a_day_that_was_left_out__begin_with_the_next() -> None:
    apia = zone("Pacific/Apia")
    window = local_days("2011-12-30", "2012-01-01", apia)
    assert window == (unix("2011-12-30 10:00"), unix("2011-12-31 10:00"))  # the 31st alone


def test_local_days__of_none_but_a_day_that_was_left_out__says_so() -> None:
    with pytest.raises(BillingError, match="no local day from 2011-12-30 until before 2011-12-31"):
        local_days("2011-12-30", "2011-12-31", zone("Pacific/Apia"))


def test_local_days__from_within_a_day__are_refused() -> None:
    start = parse_instant("2024-01-01", zone("Asia/Kolkata"))
    with pytest.raises(BillingError, match="not the beginning of a local day of Asia/Kolkata"):
        local_days(str(start + 1), "2024-02-01", zone("Asia/Kolkata"))
    assert local_days(str(start), "2024-02", zone("Asia/Kolkata"))[0] == start


@given(
    zone_name=st.sampled_from(ZONES),
    first=st.integers(15_000, 19_000),
    days=st.integers(1, 40),
    sizes=st.lists(st.integers(0, 100), min_size=45, max_size=45),
    room=st.integers(300, 1_000),
)
@settings(max_examples=200)
def test_split_window__of_any_days__has_room_in_each_part_and_no_part_too_many(
    zone_name: str, first: int, days: int, sizes: list[int], room: int
) -> None:
    local = zone(zone_name)
    listed = local.days_between(first * DAY, (first + days) * DAY)
    window = listed[0].start, listed[-1].end
    bytes_of_day = dict(zip(utc_days(window), sizes, strict=False))
    parts = split_window(window, local, bytes_of_day=bytes_of_day, room_bytes=room)
    assert [parts[0][0], *(end for _, end in parts)] == [*(start for start, _ in parts), window[1]]
    starts = {day.start for day in listed}
    for (start, end), following in zip(parts, [*parts[1:], None], strict=True):
        assert start in starts
        assert sum(bytes_of_day.get(day, 0) for day in utc_days((start, end))) <= room
        if following is not None:  # one day more would have had no room
            longer = next(day.end for day in listed if day.start == following[0])
            assert sum(bytes_of_day.get(day, 0) for day in utc_days((start, longer))) > room


def test_split_window__of_a_day_without_room__names_it() -> None:
    local = zone("Europe/Amsterdam")
    window = local_days("2024-03-01", "2024-03-04", local)
    sizes = dict.fromkeys(utc_days(window), 10) | {
        utc_days((at(local.name, "2024-03-02"),) * 2).start + 1: 99
    }
    with pytest.raises(BillingError, match="2024-03-02 alone take up to 109 bytes"):
        split_window(window, local, bytes_of_day=sizes, room_bytes=50)


def of_part(readings: list[RegisterReading], window: tuple[int, int]) -> list[RegisterReading]:
    """Return what an answer holds of a part: its whole UTC days, and a reading on each side."""
    start, end = whole_utc_days(window)
    inside = [i for i, reading in enumerate(readings) if start <= reading.time_s < end]
    if not inside:
        return []
    return readings[max(0, inside[0] - 1) : inside[-1] + 2]


@given(rows=steps, room=st.integers(1, 6), zone_name=st.sampled_from(ZONES))
@settings(max_examples=80)
def test_make_bill__of_the_readings_of_all_parts__is_the_bill_of_the_whole(
    rows: list, room: int, zone_name: str
) -> None:
    readings = readings_of(rows)
    local = zone(zone_name)
    days = local.days_between(START, readings[-1].time_s + 1)
    window = days[0].start, days[-1].end
    sizes = dict.fromkeys(utc_days(window), 1)
    parts = split_window(window, local, bytes_of_day=sizes, room_bytes=max(2, room))
    price = rich(zone_name, tiers_and_peaks=True)
    together = joined(of_part(readings, part) for part in parts)
    series = [SPOT]
    assert bill(together, price, *window, series) == bill(readings, price, *window, series)


def test_joined__of_answers_that_contradict_each_other__is_refused() -> None:
    one, other = RegisterReading(100, 5, 0), RegisterReading(100, 6, 0)
    with pytest.raises(RegisterError, match="different readings of the time 100"):
        joined([[one], [other]])


def test_household__of_joined_parts__covers_what_the_parts_cover() -> None:
    readings = readings_of([(3_600, 10, 0)] * 72)
    found = joined([readings[:40], readings[30:]])
    assert found == readings
    assert Household({"a": Meter(found)}).covered((0, 2**32)) == (START, START + 72 * 3_600)
