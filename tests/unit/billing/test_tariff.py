"""Tariffs, exact costs, and Algorithm 1's twin."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.billing import tariff
from offchain.billing.tariff import Interval, Tariff
from offchain.errors import FormatError
from offchain.records.judge import judge
from offchain.types import Policy, Status, Verdict
from tests.unit.records.samples import MIDNIGHT, readings

TABLE = tuple(
    tuple(
        tuple(1_000_000 * month + 10_000 * weekend + hour for hour in range(24))
        for weekend in range(2)
    )
    for month in range(12)
)
TARIFF = Tariff(
    name="test", utc_offset_s=0, flat_microusd_per_kwh=333, time_of_use_microusd_per_kwh=TABLE
)
SATURDAY_NOON_IN_JULY = 1_468_670_400  # 2016-07-16 12:00 UTC


def test_decode__given_encoded_tariff__gives_it_back_with_its_digest():
    again = tariff.decode(TARIFF.encode())
    assert again == TARIFF and again.digest == TARIFF.digest
    assert replace(TARIFF, flat_microusd_per_kwh=334).digest != TARIFF.digest


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"flat_microusd_per_kwh": -1},
        {"flat_microusd_per_kwh": 10**12 + 1},
        {"utc_offset_s": 14 * 3_600 + 1},
        {"time_of_use_microusd_per_kwh": TABLE[:11]},
        {"time_of_use_microusd_per_kwh": (*TABLE[:11], TABLE[0][:1])},
        {"time_of_use_microusd_per_kwh": (*TABLE[:11], (TABLE[0][0], TABLE[0][0][:23]))},
    ],
)
def test_encode__given_unfit_tariff__refuses(change):
    with pytest.raises(FormatError):
        replace(TARIFF, **change).encode()


def test_price_at__given_month_day_and_hour__reads_the_table():
    assert tariff.price_at(TARIFF, SATURDAY_NOON_IN_JULY) == 6_010_012
    assert tariff.price_at(TARIFF, SATURDAY_NOON_IN_JULY - 86_400) == 6_000_012


def test_price_at__given_offset__uses_the_tariffs_own_time():
    eastern = replace(TARIFF, utc_offset_s=-13 * 3_600)
    assert tariff.price_at(eastern, SATURDAY_NOON_IN_JULY) == 6_000_023  # still Friday, 23 h


def test_flat_cost__given_remainders__rounds_half_up_once():
    half = replace(TARIFF, flat_microusd_per_kwh=1)
    assert tariff.flat_cost_microusd(half, [Interval(MIDNIGHT, 250), Interval(MIDNIGHT, 250)]) == 1
    assert tariff.flat_cost_microusd(half, [Interval(MIDNIGHT, 250), Interval(MIDNIGHT, 249)]) == 0


@given(st.lists(st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 2**20)), max_size=30))
def test_time_of_use_cost__given_intervals__is_the_exact_rounded_sum(pairs):
    used = [Interval(*pair) for pair in pairs]
    exact = sum(one.energy_wh * tariff.price_at(TARIFF, one.start_s) for one in used)
    cost = tariff.time_of_use_cost_microusd(TARIFF, used)
    assert -500 < exact - 1_000 * cost <= 500 or exact - 1_000 * cost == -500


def test_intervals__given_opening__begins_from_it():
    rows = readings(4)
    assert len(tariff.intervals(rows)) == 3
    with_opening = tariff.intervals(rows[1:], opening=rows[0])
    assert with_opening == tariff.intervals(rows)
    assert with_opening[0].start_s == rows[0].time_s
    assert sum(one.energy_wh for one in with_opening) == rows[-1].import_wh - rows[0].import_wh


@pytest.mark.parametrize("change", [{"import_wh": 0}, {"time_s": 1}])
def test_intervals__given_reading_that_goes_back__refuses(change):
    first, second = readings(2)
    with pytest.raises(FormatError):
        tariff.intervals([first, replace(second, **change)])


POLICY = Policy(
    low_power_w=100,
    high_power_w=2_000,
    high_feed_in_w=0,
    temperature_warning_dc=300,
    heartbeat_seconds=60,
    feeds_in=False,
    is_sealed=False,
)


@pytest.mark.parametrize(
    ("power_w", "status"),
    [
        (-1, Status.SHUT_DOWN),
        (0, Status.SHUT_DOWN),
        (1, Status.TOO_LOW),
        (100, Status.TOO_LOW),
        (101, Status.IN_OPERATION),
        (1_999, Status.IN_OPERATION),
        (2_000, Status.TOO_HIGH),
    ],
)
def test_judge__given_power_at_each_edge__follows_algorithm_1(power_w, status):
    assert judge(POLICY, power_w=power_w, temperature_dc=299) == Verdict(status, False)
    assert judge(POLICY, power_w=power_w, temperature_dc=300) == Verdict(status, True)
    feeding = replace(POLICY, feeds_in=True)
    assert judge(feeding, power_w=-power_w, temperature_dc=0).status == status


@pytest.mark.parametrize(
    ("power_w", "status"),
    [
        (-(2**31) + 1, Status.TOO_HIGH),
        (-2_500, Status.TOO_HIGH),
        (-2_499, Status.IN_OPERATION),
        (-1, Status.IN_OPERATION),
        (0, Status.SHUT_DOWN),
        (1, Status.TOO_LOW),
        (101, Status.IN_OPERATION),
        (2_000, Status.TOO_HIGH),
    ],
)
def test_judge__given_a_meter_of_both_ways__has_a_threshold_for_each(power_w, status):
    both_ways = replace(POLICY, high_feed_in_w=2_500)
    assert judge(both_ways, power_w=power_w, temperature_dc=0) == Verdict(status, False)


def test_judge__given_no_temperature__never_finds_it_too_high():
    any_heat = replace(POLICY, temperature_warning_dc=-(2**31))
    assert judge(any_heat, power_w=500, temperature_dc=-2_732).temperature_too_high
    assert not judge(any_heat, power_w=500, temperature_dc=None).temperature_too_high


def test_policy__given_contract_tuple__reads_and_writes_it():
    assert Policy.from_chain(POLICY.as_tuple()) == POLICY
