"""`dmsm tariff`: bills, tariffs and price series from files alone. No chain, no keys, no cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from offchain.cli.parameters import READABLE
from offchain.errors import BillingError
from offchain.types import utc

if TYPE_CHECKING:
    from offchain.billing.advice import Advice
    from offchain.billing.bill import Bill
    from offchain.billing.components import Tariff
    from offchain.billing.household import Household
    from offchain.billing.market_prices import Stretch
    from offchain.billing.price_series import PriceSeries
    from offchain.billing.zones import Zone

app = typer.Typer(
    no_args_is_help=True,
    help="Bills, tariffs and price series from files alone. Needs no chain node and no keys; costs "
    "nothing. Exit 2 when a file or an option is not what it must be; the message names the place.",
)
_Document = TypeVar("_Document")
_MAX_FILE_BYTES = 2**28
_Readings = Annotated[
    Path, typer.Option(help="Readings of one meter, CSV (docs/formats.md §17).", **READABLE)
]
_Tariffs = Annotated[
    list[Path], typer.Option(help="A tariff; once for each in the window.", **READABLE)
]
_Series = Annotated[
    list[Path] | None, typer.Option(help="A price series; once for each.", **READABLE)
]
_From = Annotated[
    str, typer.Option("--from", metavar="DATE", help="First local day, or unix seconds.")
]
_To = Annotated[
    str, typer.Option("--to", metavar="DATE", help="Local day after the last, or seconds.")
]


@app.command()
def bill(
    readings: _Readings,
    tariff: _Tariffs,
    window_from: _From,
    window_to: _To,
    series: _Series = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the bill as JSON.")] = False,
) -> None:
    """Work out the bill of a window, line by line.

    Needs the readings and the tariffs of the window as files. Costs nothing. Days are local days of
    the tariff's time zone. Amounts are exact; each line is rounded once.
    """
    from offchain.billing.making import make_bill
    from offchain.billing.window import parse_instant
    from offchain.billing.zones import zone

    household, tariffs, at_hand = _inputs(readings, tariff, series)
    local = zone(tariffs[0].time_zone)
    found = make_bill(
        household,
        tariffs,
        at_hand,
        window_from=parse_instant(window_from, local),
        window_to=parse_instant(window_to, local),
    )
    _show(found, local, as_json=as_json)


@app.command()
def advice(
    readings: _Readings,
    tariff: _Tariffs,
    window_from: _From,
    window_to: _To,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="When the coming days begin; default --to."),
    ] = None,
    series: _Series = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the advice as JSON.")] = False,
) -> None:
    """Work out what always runs, when it is cheap, and what shifting would save.

    Needs the readings and the tariffs of the window as files. Costs nothing. Each number is shown
    with what it comes from.
    """
    from offchain.billing.advising import make_advice
    from offchain.billing.window import parse_instant
    from offchain.billing.zones import zone

    household, tariffs, at_hand = _inputs(readings, tariff, series)
    local = zone(tariffs[0].time_zone)
    found = make_advice(
        household,
        tariffs,
        at_hand,
        window_from=parse_instant(window_from, local),
        window_to=parse_instant(window_to, local),
        as_of=parse_instant(as_of or window_to, local),
    )
    _show(found, local, as_json=as_json)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A tariff, JSON (docs/formats.md §17).", **READABLE)],
) -> None:
    """Say what a tariff is, as a calendar; or what is wrong with it, by member.

    Needs the file alone. Costs nothing.
    """
    from offchain.billing import tariff_document
    from offchain.billing.tariff_calendar import describe

    for line in describe(parsed(file, tariff_document.parse)):
        typer.echo(line)


@app.command()
def prices(
    files: Annotated[
        list[Path], typer.Argument(help="ENTSO-E documents (A44) or CSV files.", **READABLE)
    ],
    out: Annotated[Path, typer.Option(help="Where to write the price series.")],
    name: Annotated[str, typer.Option(help="The name of the series.")],
    resolution: Annotated[
        int | None, typer.Option(help="Seconds a price: 900, 1800 or 3600; else the files'.")
    ] = None,
    sequence: Annotated[
        int | None, typer.Option(help="ENTSO-E's sequence position, where there are several.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Three letters, for CSV files; documents name their own.")
    ] = None,
) -> None:
    """Make one price series of market prices.

    Needs the files alone. Costs nothing. A CSV file has a row for each slot: `time_unix_s` or
    `time` (with its offset), and `price_micro_per_kwh`, `price_per_kwh` or `price_per_mwh`.
    """
    from offchain.billing import market_prices, price_series

    if resolution not in (None, 900, 1_800, 3_600):
        raise typer.BadParameter("--resolution must be 900, 1800 or 3600")
    stretches = [one for path in files for one in _stretches(path, currency, resolution)]
    stretches = market_prices.one_sequence(stretches, sequence)
    start, seconds, found = market_prices.lay_out(stretches, resolution)
    data = price_series.encode(
        name=name,
        currency=market_prices.one_currency(stretches),
        resolution_s=seconds,
        start=start,
        prices=found,
    )
    out.write_bytes(data)
    made = price_series.decode(data)
    typer.echo(f"{out}: {len(found)} prices of {seconds} s, {utc(made.start)} to {utc(made.end)}")
    typer.echo(f"digest {made.digest}")


def _show(found: Bill | Advice, local: Zone, *, as_json: bool) -> None:
    from offchain.cli.bill_text import result_text

    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
        return
    for line in result_text(found, local):
        typer.echo(line)


def _inputs(
    readings: Path, tariffs: Sequence[Path], series: Sequence[Path] | None
) -> tuple[Household, list[Tariff], list[PriceSeries]]:
    from offchain.billing import readings_csv
    from offchain.billing.household import Household

    with _naming(readings):
        household = Household.of_readings(readings_csv.parse(_read(readings)))
    return household, *priced_by(tariffs, series)


def priced_by(
    tariffs: Sequence[Path], series: Sequence[Path] | None
) -> tuple[list[Tariff], list[PriceSeries]]:
    """Return what files of tariffs and of price series hold. Raises BillingError with the file."""
    from offchain.billing import price_series, tariff_document

    return (
        [parsed(path, tariff_document.parse) for path in tariffs],
        [parsed(path, price_series.parse) for path in series or ()],
    )


def _stretches(path: Path, currency: str | None, resolution_s: int | None) -> list[Stretch]:
    from offchain.billing import entsoe, price_csv

    data = _read(path)
    with _naming(path):
        if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            return entsoe.parse(data)
        if currency is None:
            raise BillingError("a CSV file does not say its currency; give --currency")
        return price_csv.parse(data, currency=currency, resolution_s=resolution_s)


def parsed(path: Path, parse: Callable[[bytes], _Document]) -> _Document:
    """Return what a file holds; what is wrong in it is said with its name."""
    with _naming(path):
        return parse(_read(path))


def _read(path: Path) -> bytes:
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise BillingError(f"{path}: is larger than {_MAX_FILE_BYTES} bytes")
    return path.read_bytes()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong in it."""
    try:
        yield
    except BillingError as error:
        raise type(error)(f"{path}: {error}") from error
