"""The homes of a run: real households of CityLearn's 2022 data, or a directory of meter files.

The data set (MIT licence) has the energy of each hour and the outdoor temperature. Derived here:
the register is the rounded running sum (import only), power the register's difference over the
hour, temperature the outdoor one, time 2016-08-01 08:00 UTC plus an hour a row (midnight in
California), and the tariff from the hourly prices.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from offchain.billing.tariff import Tariff
from offchain.demo.options import MIN_HOMES, DemoInputError, DemoOptions
from offchain.records import meter_csv
from offchain.types import MeterSample

DEFAULT_HOMES = 5
DEFAULT_DAYS = 7
SOURCE = "CityLearn 2.1.2, challenge 2022 (MIT licence)"
FIRST_TIME_S = 1_470_038_400
HOUR_S = 3_600
UTC_OFFSET_S = -8 * HOUR_S
_ENERGY = "Equipment Electric Power [kWh]"
_TEMPERATURE = "Outdoor Drybulb Temperature [C]"
_PRICE = "Electricity Pricing [$/kWh]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A household: its name and all that its meter shows, in the order of time.

    days: how many UTC days of it the run uses, None for all; `samples` are the rows of those.
    """

    name: str
    meter: tuple[MeterSample, ...]
    days: int | None = None
    samples: tuple[MeterSample, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", tuple(meter_csv.first_days(self.meter, self.days)))


def load_homes(options: DemoOptions, data_dir: Path) -> list[Home]:
    """Return the homes of a run, all read and checked.

    Raises DemoInputError for too few homes or missing data, MeterCsvError for a bad meter file.
    """
    if options.readings is not None:
        return _from_directory(options.readings, options)
    return _from_citylearn(data_dir, options)


def load_tariff(data_dir: Path) -> Tariff:
    """Return the tariff of CityLearn's prices: the flat price is their mean over the year.

    A row's price belongs to the hour that begins at the row's time: read so, and not by the hour
    that ends then, each month, kind of day and hour has one price all year.
    """
    prices: dict[tuple[int, bool, int], Counter[int]] = defaultdict(Counter)
    for row, cells in enumerate(_rows(data_dir / "pricing.csv")):
        seconds = row * HOUR_S + UTC_OFFSET_S
        start = datetime.fromtimestamp(FIRST_TIME_S, UTC) + timedelta(seconds=seconds)
        key = (start.month - 1, start.weekday() >= 5, start.hour)
        prices[key][int(Decimal(cells[_PRICE]) * 10**6)] += 1
    total = sum(price * n for counter in prices.values() for price, n in counter.items())
    return Tariff(
        name=f"{SOURCE}: pricing.csv",
        utc_offset_s=UTC_OFFSET_S,
        flat_microusd_per_kwh=total // sum(c.total() for c in prices.values()),
        time_of_use_microusd_per_kwh=tuple(
            tuple(
                tuple(prices[month, weekend, hour].most_common(1)[0][0] for hour in range(24))
                for weekend in (False, True)
            )
            for month in range(12)
        ),
    )


def _from_directory(directory: Path, options: DemoOptions) -> list[Home]:
    files = _meter_files(directory)
    if len(files) < MIN_HOMES:
        raise DemoInputError(
            f"--readings {directory}: holds {len(files)} *.csv, at least {MIN_HOMES} are needed"
        )
    # All files are checked, also those that --homes leaves out.
    samples = [(_name(path), meter_csv.read(path)) for path in files]
    wanted = options.homes if options.homes is not None else len(files)
    _check_count(wanted, len(files))
    return [
        Home(name=name, meter=tuple(rows), days=options.days) for name, rows in samples[:wanted]
    ]


def _meter_files(directory: Path) -> list[Path]:
    try:
        if not directory.is_dir():
            raise DemoInputError(f"--readings {directory}: not a directory")
        shown = [path for path in directory.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise DemoInputError(f"--readings {directory}: cannot be read: {error.strerror}") from error
    return sorted((path for path in shown if path.suffix == ".csv"), key=lambda path: path.name)


def _name(path: Path) -> str:
    """The file's stem; what cannot be printed is written as in Python's source."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path.stem)


def _from_citylearn(data_dir: Path, options: DemoOptions) -> list[Home]:
    files = sorted(data_dir.glob("Building_*.csv"), key=lambda path: int(path.stem.split("_")[1]))
    if not files:
        raise DemoInputError(f"the household data is missing in {data_dir}: run `make setup`")
    wanted = options.homes if options.homes is not None else DEFAULT_HOMES
    _check_count(wanted, len(files))
    days = options.days if options.days is not None else DEFAULT_DAYS
    temperatures_dc = [_tenths(cells[_TEMPERATURE]) for cells in _rows(data_dir / "weather.csv")]
    return [
        Home(
            name=f"home-{path.stem.split('_')[1].zfill(2)}",
            meter=tuple(_samples(path, temperatures_dc)),
            days=days,
        )
        for path in files[:wanted]
    ]


def _check_count(wanted: int, available: int) -> None:
    if wanted > available:
        raise DemoInputError(f"--homes {wanted}: only {available} are there")


def _samples(path: Path, temperatures_dc: list[int]) -> list[MeterSample]:
    samples, total_kwh, register_wh = [], Decimal(0), 0
    for row, (cells, temperature_dc) in enumerate(zip(_rows(path), temperatures_dc, strict=True)):
        total_kwh += Decimal(cells[_ENERGY])
        before_wh, register_wh = register_wh, _rounded(total_kwh * 1_000)
        samples.append(
            MeterSample(
                time_s=FIRST_TIME_S + row * HOUR_S,
                import_wh=register_wh,
                export_wh=0,
                power_w=register_wh - before_wh,  # Wh in one hour: the mean power in W
                temperature_dc=temperature_dc,
            )
        )
    return samples


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _tenths(celsius: str) -> int:
    return _rounded(Decimal(celsius) * 10)


def _rounded(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_UP))
