"""Bill and advice: exact integers of readings and tariff."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.billing.answers import (
    CHEAPEST_HOURS,
    DeviceReadings,
    compute_advice,
    compute_bill,
)
from offchain.billing.tariff import Tariff, intervals
from offchain.types import SECONDS_PER_DAY, Reading, to_account

DEVICE = to_account("0x" + "22" * 20)
OTHER = to_account("0x" + "33" * 20)
MIDNIGHT = 17_000 * SECONDS_PER_DAY


def tariff(*, utc_offset_s: int = 0) -> Tariff:
    day = tuple(100_000 if hour < 6 else 200_000 + hour * 1_000 for hour in range(24))
    return Tariff(
        name="test",
        utc_offset_s=utc_offset_s,
        flat_microusd_per_kwh=150_000,
        time_of_use_microusd_per_kwh=tuple((day, day) for _ in range(12)),
    )


def readings(
    steps_wh: list[int], *, device: str = DEVICE, start_s: int = MIDNIGHT
) -> list[Reading]:
    register, rows = 5_000, []
    for index, step in enumerate([0, *steps_wh]):
        register += step
        rows.append(
            Reading(
                chain_id=1,
                device=device,
                seq=index + 1,
                time_s=start_s + 3600 * index,
                import_wh=register,
                export_wh=0,
                power_w=step,
                temperature_dc=0,
                nonce=bytes(32),
            )
        )
    return rows


def test_compute_bill__given_two_devices__adds_energy_and_prices_by_hour() -> None:
    first = DeviceReadings(readings([1_000, 2_000]), None)
    second = DeviceReadings(readings([500], device=OTHER), None)

    bill = compute_bill({DEVICE: first, OTHER: second}, tariff())

    assert bill.energy_wh == 3_500
    assert bill.flat_microusd == 525_000
    assert bill.time_of_use_microusd == 350_000  # hours 0 and 1 are cheap
    assert bill.devices[OTHER].energy_wh == 500
    assert bill.tariff_digest == tariff().digest


def test_compute_bill__given_opening_reading__begins_with_its_interval() -> None:
    rows = readings([1_000, 2_000])

    bill = compute_bill({DEVICE: DeviceReadings(rows[1:], rows[0])}, tariff())

    assert bill.energy_wh == 3_000


@given(st.lists(st.integers(0, 2**19), min_size=1, max_size=60))
def test_compute_bill__given_any_steps__is_the_exact_sum_rounded_half_up_once(
    steps: list[int],
) -> None:
    rows = readings(steps)
    bill = compute_bill({DEVICE: DeviceReadings(rows, None)}, tariff())

    exact = sum(
        Fraction(one.energy_wh * (100_000 if hour % 24 < 6 else 200_000 + hour % 24 * 1_000), 1_000)
        for hour, one in enumerate(intervals(rows))
    )
    assert bill.time_of_use_microusd == int(exact + Fraction(1, 2))
    assert bill.energy_wh == sum(steps)


def test_compute_advice__given_constant_load__finds_nothing_to_shift() -> None:
    advice = compute_advice({DEVICE: DeviceReadings(readings([300] * 24), None)}, tariff())

    assert advice.standing_load_w == 300
    assert advice.shiftable_wh == 0 and advice.saving_microusd == 0
    assert advice.cheapest_hours == tuple(range(CHEAPEST_HOURS))


def test_compute_advice__given_evening_peak__saves_the_difference_of_prices() -> None:
    steps = [100] * 24
    steps[20] = 1_100

    advice = compute_advice({DEVICE: DeviceReadings(readings(steps), None)}, tariff())

    assert advice.standing_load_w == 100
    assert advice.shiftable_wh == 1_000
    assert advice.saving_microusd == 220_000 - 100_000
    assert advice.hourly_mean_wh[20] == 1_100 // 2  # the last reading stands on a second day


@pytest.mark.parametrize("offset_h", [-5, 9])
def test_compute_advice__given_tariff_time__counts_its_hours(offset_h: int) -> None:
    steps = [100] * 24
    steps[12] = 700

    advice = compute_advice(
        {DEVICE: DeviceReadings(readings(steps), None)}, tariff(utc_offset_s=offset_h * 3600)
    )

    hour = (12 + offset_h) % 24
    assert max(range(24), key=lambda one: advice.hourly_mean_wh[one]) == hour


def test_compute_advice__given_one_reading__has_no_interval() -> None:
    advice = compute_advice({DEVICE: DeviceReadings(readings([])[:1], None)}, tariff())

    assert advice.standing_load_w == 0 and sum(advice.hourly_mean_wh) == 0
