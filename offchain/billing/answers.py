"""The bill and the advice as pure functions of readings and tariff: node and auditor compute the
same integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.billing.result import Advice, Bill, DeviceBill
from offchain.billing.tariff import (
    Interval,
    Tariff,
    flat_cost_microusd,
    intervals,
    price_at,
    time_of_use_cost_microusd,
)
from offchain.types import SECONDS_PER_DAY, Account, Reading, day_of

CHEAPEST_HOURS = 6
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class DeviceReadings:
    """A device's readings in the window, and the last one before it, from which the first
    interval runs.
    """

    readings: Sequence[Reading]
    opening: Reading | None


def compute_bill(devices: Mapping[Account, DeviceReadings], tariff: Tariff) -> Bill:
    """Compute energy and cost under the flat and the time-of-use tariff, for each device and in
    all.

    Costs are rounded once, in all and a device alike, so the total may differ from the sum of the
    lines by rounding.
    """
    by_device = {device: _intervals(one) for device, one in devices.items()}
    pooled = [interval for of_device in by_device.values() for interval in of_device]
    total = _device_bill(pooled, tariff)
    return Bill(
        energy_wh=total.energy_wh,
        flat_microusd=total.flat_microusd,
        time_of_use_microusd=total.time_of_use_microusd,
        tariff_digest=tariff.digest,
        devices={device: _device_bill(one, tariff) for device, one in by_device.items()},
    )


def compute_advice(devices: Mapping[Account, DeviceReadings], tariff: Tariff) -> Advice:
    """Compute what a household can do: its standing load, its cheapest hours, and what shifting
    would save.

    Hours and days are those of the tariff's standard time. standing_load_w: sum over devices of
    the lower decile of the intervals' mean power. hourly_mean_wh: energy of the intervals that
    start in each hour, a day with readings (rounded down). cheapest_hours: the 6 hours with the
    lowest time-of-use prices summed over those days, cheapest first (ties: earlier first).
    shiftable_wh: energy above the standing load in the 6 dearest hours; saving: what it would
    cost less at the lowest price of its own day, rounded half up once.
    """
    spans = {device: _spans(one) for device, one in devices.items()}
    readings = [reading for one in devices.values() for reading in one.readings]
    days = sorted({day_of(reading.time_s + tariff.utc_offset_s) for reading in readings})
    ranked = _hours_by_price(tariff, days)
    cheapest, dearest = ranked[:CHEAPEST_HOURS], set(ranked[-CHEAPEST_HOURS:])
    standing = {device: _standing_load_w(of_device) for device, of_device in spans.items()}
    shiftable = [
        Interval(start_s=span.start_s, energy_wh=excess)
        for device, of_device in spans.items()
        for span in of_device
        if _hour(tariff, span.start_s) in dearest
        and (excess := _excess_wh(span, standing[device])) > 0
    ]
    return Advice(
        standing_load_w=sum(standing.values()),
        cheapest_hours=tuple(cheapest),
        hourly_mean_wh=_hourly_mean_wh(spans, tariff, len(days)),
        shiftable_wh=sum(interval.energy_wh for interval in shiftable),
        saving_microusd=_saving_microusd(shiftable, tariff),
    )


@dataclass(frozen=True, slots=True, repr=False)
class _Span:
    start_s: int
    seconds: int
    energy_wh: int


def _intervals(one: DeviceReadings) -> list[Interval]:
    return intervals(one.readings, opening=one.opening)


def _spans(one: DeviceReadings) -> list[_Span]:
    points = [*([one.opening] if one.opening else []), *one.readings]
    ends = [point.time_s for point in points[1:]]
    return [
        _Span(interval.start_s, end_s - interval.start_s, interval.energy_wh)
        for interval, end_s in zip(_intervals(one), ends, strict=True)
    ]


def _device_bill(of_device: Sequence[Interval], tariff: Tariff) -> DeviceBill:
    return DeviceBill(
        energy_wh=sum(interval.energy_wh for interval in of_device),
        flat_microusd=flat_cost_microusd(tariff, of_device),
        time_of_use_microusd=time_of_use_cost_microusd(tariff, of_device),
    )


def _hour(tariff: Tariff, time_s: int) -> int:
    return (time_s + tariff.utc_offset_s) % SECONDS_PER_DAY // _HOUR_S


def _prices_of_day(tariff: Tariff, day: int) -> list[int]:
    """Return the day's 24 prices; `day` counts days of the tariff's time."""
    midnight = day * SECONDS_PER_DAY - tariff.utc_offset_s
    return [price_at(tariff, midnight + hour * _HOUR_S) for hour in range(24)]


def _hours_by_price(tariff: Tariff, days: Sequence[int]) -> list[int]:
    by_day = [_prices_of_day(tariff, day) for day in days]
    totals = [sum(prices[hour] for prices in by_day) for hour in range(24)]
    return sorted(range(24), key=lambda hour: (totals[hour], hour))


def _standing_load_w(spans: Sequence[_Span]) -> int:
    powers = sorted(span.energy_wh * _HOUR_S // span.seconds for span in spans)
    return powers[len(powers) // 10] if powers else 0


def _excess_wh(span: _Span, standing_w: int) -> int:
    return span.energy_wh - standing_w * span.seconds // _HOUR_S


def _hourly_mean_wh(
    spans: Mapping[Account, Sequence[_Span]], tariff: Tariff, days: int
) -> tuple[int, ...]:
    totals = [0] * 24
    for of_device in spans.values():
        for span in of_device:
            totals[_hour(tariff, span.start_s)] += span.energy_wh
    return tuple(total // max(1, days) for total in totals)


def _saving_microusd(shiftable: Sequence[Interval], tariff: Tariff) -> int:
    saving = 0
    for interval in shiftable:
        day = day_of(interval.start_s + tariff.utc_offset_s)
        lowest = min(_prices_of_day(tariff, day))
        saving += interval.energy_wh * (price_at(tariff, interval.start_s) - lowest)
    return (saving + 500) // 1000
