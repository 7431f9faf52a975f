"""The homes of a run: real households of CityLearn's 2022 data, or a directory of meter files.

The data set (MIT licence) has the energy of each hour, what a kW of solar panels makes in it, and
the outdoor temperature. Derived here: the registers are rounded running sums, power their
difference over the hour, temperature the outdoor one, time 2016-08-01 08:00 UTC plus an hour a row
(midnight in California's standard time, which has no daylight saving: so has the data set). The
first home has the 4 kW of panels that the data set gives it: an hour's energy less theirs is taken
or, below zero, fed in. The other homes take only. The tariff is made of the hourly prices; its
price for what is fed in is made up.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from offchain.billing.money import amount_text
from offchain.demo.options import MIN_HOMES, DemoInputError, DemoOptions
from offchain.records import canonical_json, meter_csv
from offchain.types import MeterSample

DEFAULT_HOMES = 5
DEFAULT_DAYS = 7
SOURCE = "CityLearn 2.1.2, challenge 2022 (MIT licence)"
FIRST_TIME_S = 1_470_038_400
HOUR_S = 3_600
UTC_OFFSET_S = -8 * HOUR_S
TIME_ZONE = "Etc/GMT+8"  # the IANA name of UTC-8
SOLAR_KW = 4
FEED_IN_MICRO = 80_000  # made up
_ENERGY = "Equipment Electric Power [kWh]"
_TEMPERATURE = "Outdoor Drybulb Temperature [C]"
_PRICE = "Electricity Pricing [$/kWh]"
_SOLAR = "Solar Generation [W/kW]"
_WEEKDAYS, _WEEKEND = ["mon", "tue", "wed", "thu", "fri"], ["sat", "sun"]


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


def load_tariff(data_dir: Path) -> bytes:
    """Return the tariff of CityLearn's prices, canonical JSON (docs/formats.md §17).

    A row's price belongs to the hour that begins at the row's time: read so, and not by the hour
    that ends then, each month, kind of day and hour has one price all year.
    """
    prices: dict[tuple[bool, int], dict[int, int]] = defaultdict(dict)
    for row, cells in enumerate(_rows(data_dir / "pricing.csv")):
        seconds = row * HOUR_S + UTC_OFFSET_S
        start = datetime.fromtimestamp(FIRST_TIME_S, UTC) + timedelta(seconds=seconds)
        micro = int(Decimal(cells[_PRICE]) * 10**6)
        prices[start.weekday() >= 5, start.hour].setdefault(start.month, micro)
    months: dict[tuple[bool, int, int], list[int]] = defaultdict(list)
    for (is_weekend, hour), by_month in sorted(prices.items()):
        for month, micro in sorted(by_month.items()):
            months[is_weekend, hour, micro].append(month)
    return canonical_json.dumps(
        {
            "v": 2,
            "name": f"{SOURCE}: pricing.csv",
            "currency": "USD",
            "minor_digits": 2,
            "time_zone": TIME_ZONE,
            "valid_from": "1970-01-01",
            "valid_to": None,
            "holidays": [],
            "import": [
                {
                    "kind": "schedule",
                    "name": "energy",
                    "periods": [_period(*key, found) for key, found in months.items()],
                }
            ],
            "export": [{"kind": "flat", "name": "feed-in", "price": FEED_IN_MICRO}],
            "fixed": [],
            "taxes": [],
        }
    )


def _period(is_weekend: bool, hour: int, micro: int, months: list[int]) -> dict[str, object]:
    return {
        "name": f"at {amount_text(micro, least_digits=2)}",
        "price": micro,
        "months": months,
        "days": _WEEKEND if is_weekend else _WEEKDAYS,
        "from": f"{hour:02}:00",
        "to": f"{hour + 1:02}:00",
    }


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
            meter=tuple(_samples(path, temperatures_dc, solar_kw=0 if number else SOLAR_KW)),
            days=days,
        )
        for number, path in enumerate(files[:wanted])
    ]


def _check_count(wanted: int, available: int) -> None:
    if wanted > available:
        raise DemoInputError(f"--homes {wanted}: only {available} are there")


def _samples(path: Path, temperatures_dc: list[int], *, solar_kw: int) -> list[MeterSample]:
    samples, taken_wh, fed_in_wh = [], Decimal(0), Decimal(0)
    before = 0
    for row, (cells, temperature_dc) in enumerate(zip(_rows(path), temperatures_dc, strict=True)):
        net_wh = Decimal(cells[_ENERGY]) * 1_000 - Decimal(cells[_SOLAR]) * solar_kw
        taken_wh += max(net_wh, Decimal(0))
        fed_in_wh += max(-net_wh, Decimal(0))
        import_wh, export_wh = _rounded(taken_wh), _rounded(fed_in_wh)
        samples.append(
            MeterSample(
                time_s=FIRST_TIME_S + row * HOUR_S,
                import_wh=import_wh,
                export_wh=export_wh,
                # Wh in one hour: the mean power in W
                power_w=import_wh - export_wh - before,
                temperature_dc=temperature_dc,
            )
        )
        before = import_wh - export_wh
    return samples


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _tenths(celsius: str) -> int:
    return _rounded(Decimal(celsius) * 10)


def _rounded(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_UP))
