"""The real households: what is derived from the data set's files."""

import csv
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from offchain.billing import tariff_document
from offchain.billing.day_pattern import DayPatterns
from offchain.billing.pricing import schedule_steps
from offchain.billing.zones import zone
from offchain.demo.households import (
    FIRST_TIME_S,
    HOUR_S,
    SOLAR_KW,
    load_homes,
    load_tariff,
)
from offchain.demo.options import DemoInputError, DemoOptions
from offchain.demo.run import DATA_DIR
from offchain.types import day_of

pytestmark = pytest.mark.skipif(
    not (DATA_DIR / "pricing.csv").is_file(), reason="the household data is not there: make setup"
)


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA_DIR / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_load_homes__nothing_asked__gives_five_homes_and_their_first_seven_days() -> None:
    homes = load_homes(DemoOptions(), DATA_DIR)
    assert [home.name for home in homes] == [f"home-{number:02}" for number in range(1, 6)]
    for home in homes:
        assert len(home.samples) == 160  # the first day begins at 08:00 UTC
        assert len({day_of(sample.time_s) for sample in home.samples}) == 7
        assert len(home.meter) == 8_760


def test_load_homes__all_seventeen__are_in_the_order_of_their_numbers() -> None:
    homes = load_homes(DemoOptions(homes=17, days=1), DATA_DIR)
    assert [home.name for home in homes] == [f"home-{number:02}" for number in range(1, 18)]


def test_load_homes__more_than_there_are__is_refused() -> None:
    with pytest.raises(DemoInputError, match=r"^--homes 18: only 17 are there"):
        load_homes(DemoOptions(homes=18), DATA_DIR)


def test_load_homes__a_real_home__has_the_rounded_running_sum_as_register() -> None:
    home = load_homes(DemoOptions(homes=2, days=400), DATA_DIR)[1]
    total = Decimal(0)
    for row, sample in zip(rows_of("Building_2.csv"), home.samples, strict=True):
        total += Decimal(row["Equipment Electric Power [kWh]"])
        exact_wh = total * 1_000
        assert sample.import_wh == int(exact_wh.quantize(Decimal(1), ROUND_HALF_UP))
    assert [s.time_s for s in home.samples] == [FIRST_TIME_S + HOUR_S * n for n in range(8_760)]


def test_load_homes__a_real_home__has_power_and_temperature_as_documented() -> None:
    home = load_homes(DemoOptions(homes=2, days=3), DATA_DIR)[1]
    pairs = zip(home.samples, home.samples[1:], strict=False)
    assert all(after.power_w == after.import_wh - before.import_wh for before, after in pairs)
    weather = rows_of("weather.csv")
    for sample, row in zip(home.samples, weather, strict=False):
        assert sample.temperature_dc == round(Decimal(row["Outdoor Drybulb Temperature [C]"]) * 10)


def test_load_homes__no_data__names_make_setup(tmp_path: Path) -> None:
    with pytest.raises(DemoInputError, match="make setup"):
        load_homes(DemoOptions(), tmp_path)


def test_load_homes__the_first_home__has_the_panels_of_the_data_set() -> None:
    schema = json.loads((DATA_DIR / "schema.json").read_text())
    panels = schema["buildings"]["Building_1"]["pv"]["attributes"]["nominal_power"]
    assert panels == SOLAR_KW
    taken = fed_in = Decimal(0)
    (first, *others) = load_homes(DemoOptions(homes=3, days=400), DATA_DIR)
    for row, sample in zip(rows_of("Building_1.csv"), first.samples, strict=True):
        used_wh = Decimal(row["Equipment Electric Power [kWh]"]) * 1_000
        net_wh = used_wh - SOLAR_KW * Decimal(row["Solar Generation [W/kW]"])
        taken, fed_in = taken + max(net_wh, Decimal(0)), fed_in + max(-net_wh, Decimal(0))
        shown = tuple(int(one.quantize(Decimal(1), ROUND_HALF_UP)) for one in (taken, fed_in))
        assert (sample.import_wh, sample.export_wh) == shown
    assert first.samples[-1].export_wh > 0
    assert all(sample.export_wh == 0 for home in others for sample in home.samples)


def test_load_tariff__real_prices__stand_for_every_hour_without_conflict() -> None:
    tariff = tariff_document.decode(load_tariff(DATA_DIR))
    prices = [Decimal(row["Electricity Pricing [$/kWh]"]) for row in rows_of("pricing.csv")]
    (energy,) = tariff.imports
    patterns, local = DayPatterns(energy, tariff.holidays), zone(tariff.time_zone)
    end = FIRST_TIME_S + HOUR_S * len(prices)
    steps = schedule_steps(patterns, local, (FIRST_TIME_S, end))
    runs = zip(steps.edges, steps.edges[1:], steps.prices, strict=False)
    found = {t: price for a, b, price in runs for t in range(a, b, HOUR_S)}
    assert found == {FIRST_TIME_S + n * HOUR_S: int(p * 10**6) for n, p in enumerate(prices)}
    assert (tariff.currency, tariff.minor_digits) == ("USD", 2)
