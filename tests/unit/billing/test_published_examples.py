"""Examples that suppliers publish, to the cent: their rates and energies, our lines.

Where a source leaves hours or a charge unsaid, the test says what was taken. Only figures are used.
"""

from __future__ import annotations

import pytest

from offchain.billing.registers import RegisterReading

from .world import Json, at, bill, flat, regular, schedule, tariff

MICRO_A_CENT = 10_000


def month_of(wh: int, zone_name: str, first: str, after: str) -> list[RegisterReading]:
    start, end = at(zone_name, first), at(zone_name, after)
    return [RegisterReading(start, 0, 0), RegisterReading(end, wh, 0)]


def test_seymour__summer_rates_and_2000_kwh__is_277_dollars_88() -> None:
    """City of Seymour (Indiana), electric utility, "bill comparison", summer: $ 277.88.

    https://cityofseymour.org/departments/utilities/residential-electricity/bill-comparison/
    """
    zone_name = "America/Indiana/Indianapolis"
    limits = [(250_000, 64_000), (700_000, 49_000), (1_250_000, 47_500), (None, 44_600)]
    tiers = [{"up_to_wh": limit, "price": price} for limit, price in limits]
    rates = tariff(
        currency="USD",
        time_zone=zone_name,
        **{
            "import": [
                {"kind": "tiered", "name": "rate schedule", "per": "month", "tiers": tiers},
                flat(85_000, "power cost"),
            ]
        },
        fixed=[{"name": "base customer charge", "per": "month", "amount": 7_500_000}],
        taxes=[{"name": "city sales tax", "rate_ppm": 10_000, "on": ["import", "fixed"]}],
    )
    window = "2024-07-01", "2024-08-01"
    found = bill(month_of(2_000_000, zone_name, *window), rates, *window)
    assert [line.amount // MICRO_A_CENT for line in found.lines] == [
        *(1_600, 2_205, 2_612, 3_345),  # the page rounds 26.125 to 26.13
        *(17_000, 750),
    ]
    assert found.total == 277_88 * MICRO_A_CENT


@pytest.mark.parametrize(
    ("on_peak_percent", "cents"), [(45, 96_58), (35, 88_14), (30, 83_92), (25, 79_70)]
)
def test_river_falls__time_of_day_rates__cost_what_the_utility_shows(
    on_peak_percent: int, cents: int
) -> None:
    """River Falls Municipal Utilities (Wisconsin), "Time-of-Day Rates" of 2020-09-29.

    675.54 kWh a month, $ 0.1910 on peak (8 to 20 o'clock, Monday to Friday, but for six holidays)
    and $ 0.0660 off peak: $ 96.58 at 45 % on peak, and 88.14, 83.92, 79.70 with 10, 15, 20 % of the
    use shifted. The page leaves the charge a month out; 14.00 is what its standard cost of 88.98
    holds beside 675.54 kWh at 0.1110. https://wi-riverfalls.civicplus.com/606/Time-of-Day-Rates
    """
    zone_name, window = "America/Chicago", ("2020-11-01", "2020-12-01")
    peak_hours = {"name": "on peak", "price": 191_000, "from": "08:00", "to": "20:00"}
    rates = tariff(
        currency="USD",
        time_zone=zone_name,
        holidays=["2020-11-26"],
        **{
            "import": [
                schedule(
                    {**peak_hours, "days": ["mon", "tue", "wed", "thu", "fri"]},
                    {"name": "off peak", "price": 66_000},
                )
            ]
        },
        fixed=[{"name": "customer", "per": "month", "amount": 14_000_000}],
    )
    on_peak_wh = 675_540 * on_peak_percent // 100
    noon = at(zone_name, "2020-11-03") + 12 * 3_600  # a Tuesday: all on-peak use in one hour
    start, end = (at(zone_name, day) for day in window)
    off_peak_wh = 675_540 - on_peak_wh
    readings = [
        RegisterReading(start, 0, 0),
        RegisterReading(start + 3_600, off_peak_wh, 0),
        RegisterReading(noon, off_peak_wh, 0),
        RegisterReading(noon + 3_600, 675_540, 0),
        RegisterReading(end, 675_540, 0),
    ]
    found = bill(readings, rates, *window)
    assert [line.wh for line in found.lines] == [on_peak_wh, off_peak_wh, 0]
    assert found.total == cents * MICRO_A_CENT


@pytest.mark.parametrize(
    ("price", "meter_cents", "demand", "cents"),
    [
        (127_000, 15_00, None, 142_00),  # residential: $ 127.00 + 15.00
        (110_000, 25_00, None, 135_00),  # small commercial: $ 110.00 + 25.00
        (90_000, 15_00, 9_500_000, 200_00),  # large: $ 90.00 + 15.00, and 10 kW at 9.50
    ],
)
def test_goodland__a_thousand_kwh__costs_what_the_city_shows(
    price: int, meter_cents: int, demand: int | None, cents: int
) -> None:
    """City of Goodland (Kansas), "Utility Rates", example of how to calculate: 1,000 kWh.

    https://goodlandks.gov/about-goodland/online-bill-pay/utility-rates/
    """
    zone_name, window = "America/Chicago", ("2024-06-01", "2024-07-01")
    components: list[Json] = [flat(price)]
    if demand is not None:
        components.append(
            {
                "kind": "peak",
                "name": "demand",
                "resolution_s": 900,
                "price_per_kw": demand,
                "minimum_w": 0,
            }
        )
    rates = tariff(
        currency="USD",
        time_zone=zone_name,
        **{"import": components},
        fixed=[{"name": "meter", "per": "month", "amount": meter_cents * MICRO_A_CENT}],
    )
    start, end = (at(zone_name, day) for day in window)
    # 10 kW in one of 2,880 quarter hours; the others share the rest: 997,500 = 2,879 · 346 + 1,366.
    wh = [2_500, *[347] * 1_366, *[346] * (2_879 - 1_366)]
    found = bill(regular(start, end, 900, [*wh, 0].__getitem__), rates, *window)
    assert found.import_wh == 1_000_000
    assert found.total == cents * MICRO_A_CENT
