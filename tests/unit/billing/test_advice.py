"""Advice: against a second implementation, and against the bills of households that follow it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.billing import price_series, readings_csv, tariff_document
from offchain.billing.advice import Advice
from offchain.billing.advising import make_advice
from offchain.billing.coming_days import limits
from offchain.billing.components import Tariff
from offchain.billing.household import Household
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import Meter, RegisterReading
from offchain.billing.window import parse_instant
from offchain.billing.zones import zone
from offchain.errors import BillingError

from . import chance, reference, reference_advice
from .world import at, bill, flat, household, read, regular, schedule, series, tariff

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "advice"
FOLDERS = sorted(path for path in VECTORS.iterdir() if path.is_dir())
CASES, GROUPS = 800, 2
HOUR, DAY = 3_600, 86_400
ZONES = [
    "Europe/Amsterdam",
    "America/Los_Angeles",
    "Australia/Sydney",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
]


def advise(
    readings: Any,
    tariffs: Tariff | list[Tariff],
    window_from: str | int,
    window_to: str | int,
    *,
    as_of: str | int | None = None,
    at_hand: list[PriceSeries] | None = None,
) -> Advice:
    listed = [tariffs] if isinstance(tariffs, Tariff) else tariffs
    local = zone(listed[0].time_zone)
    return make_advice(
        readings if isinstance(readings, Household) else household(readings),
        listed,
        at_hand or (),
        window_from=parse_instant(str(window_from), local),
        window_to=parse_instant(str(window_to), local),
        as_of=parse_instant(str(window_to if as_of is None else as_of), local),
    )


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def day_and_night(zone_name: str, **members: Any) -> Tariff:
    periods = [
        {"name": "night", "price": 111_111, "from": "23:00", "to": "07:00"},
        {"name": "evening", "price": 333_333, "from": "17:00", "to": "21:00"},
        {"name": "day", "price": 222_222},
    ]
    taxes = [{"name": "VAT", "rate_ppm": 210_000, "on": ["import"]}]
    return tariff(time_zone=zone_name, taxes=taxes, **{"import": [schedule(*periods)]}, **members)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_make_advice__of_a_vector__gives_its_advice(folder: Path) -> None:
    args, expected = load(folder / "args.json"), load(folder / "advice.json")
    tariffs = [tariff_document.parse(p.read_bytes()) for p in sorted(folder.glob("tariff*.json"))]
    at_hand = [price_series.parse(p.read_bytes()) for p in sorted(folder.glob("series*.json"))]
    readings = readings_csv.parse((folder / "readings.csv").read_bytes())
    found = advise(
        readings, tariffs, args["from"], args["to"], as_of=args["as_of"], at_hand=at_hand
    )
    assert found.to_json() == expected


@pytest.mark.slow
@pytest.mark.parametrize("group", range(GROUPS))
def test_make_advice__random_case__agrees_with_the_second_implementation(group: int) -> None:
    refused = 0
    for number in range(group * CASES // GROUPS, (group + 1) * CASES // GROUPS):
        draw = Random(number)
        devices, tariffs, at_hand, begin, end = chance.case(draw)
        local = zone(tariffs[0]["time_zone"])
        as_of = parse_instant(str(begin), local) + draw.randrange(-100_000, 300_000)
        meters = {
            account or "": Meter([RegisterReading(*row) for row in rows])
            for account, rows in devices.items()
        }
        try:
            theirs = reference_advice.advice(devices, tariffs, at_hand, begin, end, as_of)
        except reference.Refused:
            refused += 1
            theirs = None
        try:
            ours = advise(
                Household(meters),
                [read(one) for one in tariffs],
                begin,
                end,
                as_of=as_of,
                at_hand=[price_series.parse(json.dumps(one).encode()) for one in at_hand],
            ).to_json()
        except BillingError:
            ours = None
        assert ours == theirs, f"case {number}"
    assert refused < CASES // GROUPS // 4  # the cases are advice, by far


@pytest.mark.parametrize("zone_name", ZONES)
@pytest.mark.parametrize("days", [1, 2, 3])
@pytest.mark.parametrize("first", ["2022-01-08", "2022-03-27", "2022-04-02", "2022-10-30"])
def test_make_advice__given_a_constant_load__shows_it_in_every_hour(
    zone_name: str, days: int, first: str
) -> None:
    start = at(zone_name, first)
    end = zone(zone_name).days_between(start, start + 40 * DAY)[days].start
    readings = regular(start // HOUR * HOUR - DAY, end + DAY, HOUR, lambda _: 1_000)
    found = advise(readings, day_and_night(zone_name), start, end)
    shown = [hour.mean_wh for hour in found.profile]
    assert set(shown) <= {1_000, None}
    assert shown.count(None) <= (days == 1)  # an hour that did not occur on the only day
    assert sum(hour.hours for hour in found.profile) == found.hours_measured > 24 * days - 2
    assert found.standing is not None and found.standing.watts == 1_000
    assert found.shift.wh == found.shift.saves == 0


steps = st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 2_000)), min_size=24, max_size=72)


def hourly(rows: list[tuple[int, int]], start: int) -> list[RegisterReading]:
    readings = [RegisterReading(start, 0, 0)]
    for taken, given_back in rows:
        last = readings[-1]
        readings.append(
            RegisterReading(last.time_s + HOUR, last.import_wh + taken, last.export_wh + given_back)
        )
    return readings


def costs_of(readings: list[RegisterReading], price: Tariff) -> int:
    found = bill(readings, price, readings[0].time_s, readings[-1].time_s)
    return found.subtotal + sum(tax.amount for tax in found.taxes)


@given(rows=steps, zone_name=st.sampled_from(ZONES[:4]))
@settings(max_examples=60)
def test_make_advice__of_energy_to_shift__saves_what_the_bill_of_who_shifts_it_is_less(
    rows: list, zone_name: str
) -> None:
    price, local = day_and_night(zone_name), zone(zone_name)
    start = at(zone_name, "2024-06-03")
    rows = [(taken, 0) for taken, _ in rows]
    readings = hourly(rows, start)
    found = advise(readings, price, start, readings[-1].time_s)
    assert found.standing is not None
    evening, moved = {17, 18, 19, 20}, 0
    follows = list(rows)
    for day in local.days_between(start, readings[-1].time_s):
        here = [i for i in range(len(rows)) if day.start <= start + i * HOUR < day.end]
        clocks = {i: local.wall_clock(start + i * HOUR).hour for i in here}
        dearest = [i for i in here if clocks[i] in evening]
        if not dearest:  # a part of a day, without its evening: other hours are the dear ones
            dearest = [i for i in here if clocks[i] not in {23, *range(7)}]
        if len(dearest) == len(here):
            continue
        for i in dearest:
            above = max(0, rows[i][0] - found.standing.watts)
            follows[i] = (follows[i][0] - above, 0)
            follows[here[0]] = (follows[here[0]][0] + above, 0)  # an hour of the night
            moved += above
    assert found.shift.wh == moved
    less = costs_of(readings, price) - costs_of(hourly(follows, start), price)
    assert abs(found.shift.saves - less) <= 8  # each line, tax and amount is rounded once


@given(rows=steps)
@settings(max_examples=60)
def test_make_advice__of_own_use__saves_what_the_bill_is_less(rows: list) -> None:
    price = tariff(**{"import": [flat(300_000)]}, export=[flat(80_000)])
    start = at("Europe/Amsterdam", "2024-06-03")
    readings = hourly(rows, start)
    found = advise(readings, price, start, readings[-1].time_s)
    if found.own_use is None:
        assert all(given_back == 0 for _, given_back in rows)
        return
    last = readings[-1]
    used = RegisterReading(
        last.time_s, last.import_wh - found.own_use.wh, last.export_wh - found.own_use.wh
    )
    less = costs_of(readings, price) - costs_of([readings[0], used], price)
    assert abs(found.own_use.saves - less) <= 4
    assert found.own_use.wh <= found.own_use.export_wh == last.export_wh


@given(data=st.data())
@settings(max_examples=20)
def test_make_advice__of_a_peak__costs_the_bills_line_and_saves_what_a_lower_one_would(
    data: st.DataObject,
) -> None:
    peak = {"name": "capacity", "resolution_s": 900, "price_per_kw": 3_333_333, "minimum_w": 2_500}
    taxes = [{"name": "VAT", "rate_ppm": 60_000, "on": ["import"]}]
    price = tariff(taxes=taxes, **{"import": [{"kind": "peak", **peak}]})
    start = at("Europe/Amsterdam", "2024-06-03")
    watts = data.draw(st.lists(st.integers(0, 2_000), min_size=96 * 2, max_size=96 * 3))
    (found,) = advise(quarterly(watts, start), price, start, start + 900 * len(watts)).peaks
    assert found.watts == 4 * max(watts)
    assert abs(found.costs - costs_of(quarterly(watts, start), price)) <= 2
    if found.at is None:
        assert found.watts <= 2_500 and found.saves == 0
        return
    place = (found.at - start) // 900
    assert watts[place] == max(watts) and max(watts[:place], default=-1) < max(watts)
    day = place // 96
    lower = [
        min(wh, found.other_watts // 4) if i // 96 == day else wh for i, wh in enumerate(watts)
    ]
    less = costs_of(quarterly(watts, start), price) - costs_of(quarterly(lower, start), price)
    assert abs(found.saves - less) <= 3


def quarterly(wh: list[int], start: int) -> list[RegisterReading]:
    return regular(start, start + 900 * len(wh), 900, lambda i: wh[i] if i < len(wh) else 0)


def test_make_advice__given_long_and_unknown_intervals__leaves_their_hours_out() -> None:
    start = at("Europe/Amsterdam", "2024-06-03")
    readings = [row for row in regular(start, start + DAY, HOUR) if row.time_s % (6 * HOUR) < 5]
    whole = regular(start + DAY + HOUR, start + 2 * DAY, HOUR, lambda _: 70)
    shift = readings[-1].import_wh
    rows = readings + [row._replace(import_wh=row.import_wh + shift) for row in whole]
    rows[-1] = rows[-1]._replace(restarted=1)
    found = advise(rows, day_and_night("Europe/Amsterdam"), start, start + 2 * DAY)
    assert (found.hours_measured, found.hours_left_out) == (22, 24)
    assert found.standing is not None and found.standing.wh == 46 * found.standing.watts


def test_make_advice__of_monthly_readings__knows_no_hour_and_says_so() -> None:
    readings = [RegisterReading(at("UTC", f"2022-0{m}-01"), m * 10_000, 0) for m in (1, 2, 3)]
    found = advise(readings, day_and_night("UTC"), "2022-02-01", "2022-03-01")
    assert found.hours_measured == 0 and found.hours_left_out == 28 * 24
    assert found.standing is None and all(hour.mean_wh is None for hour in found.profile)


def test_make_advice__of_coming_days__tells_prices_as_far_as_series_and_tariffs_do() -> None:
    start = at("Europe/Amsterdam", "2024-06-03")
    spot = series(start, [50_000 + 1_000 * hour for hour in range(24)] + [7_000] * 12)
    dynamic = {"kind": "dynamic", "name": "spot", "resolution_s": HOUR, "factor_ppm": 10**6}
    price = tariff(
        valid_to="2024-06-05", **{"import": [dynamic | {"adder": 9, "series": [spot.digest]}]}
    )
    as_of = start + 20 * HOUR + 1
    found = advise(
        regular(start, start + HOUR, HOUR), price, start, start + HOUR, as_of=as_of, at_hand=[spot]
    )
    today, tomorrow, after = found.coming
    assert [run.price for run in today.runs] == [71_009, 72_009, 73_009]  # 21:00 to 24:00
    assert {run.is_ for run in today.runs} == {"dear"}
    assert [(run.end - run.start, run.price, run.is_) for run in tomorrow.runs] == [
        (12 * HOUR, 7_009, None),  # all hours that are known cost the same
        (12 * HOUR, None, None),
    ]
    assert after.tariff is None and after.runs == ()


@pytest.mark.parametrize(
    ("prices", "cheap", "dear"),
    [
        ([5] * 24, None, None),
        ([1] * 20 + [2] * 4, 1, 2),
        ([1] * 4 + [2] * 20, 1, 2),
        ([1] * 3 + [2] * 18 + [3] * 3, 1, 3),
        ([1] * 8 + [2] * 12 + [3] * 4, 1, 3),
        ([1] * 2 + [2] * 4 + [3] * 13 + [4] * 4 + [5], 2, 4),
        (list(range(24)), 5, 18),
        (list(range(8)), 1, 6),
        ([], None, None),
    ],
)
def test_limits__of_a_days_prices__never_call_one_price_both(
    prices: list[int], cheap: int | None, dear: int | None
) -> None:
    found = limits(prices)
    assert (found and found.cheap, found and found.dear) == (cheap, dear)
