"""`dmsm node tariff`: what energy costs in the node's region, said before it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.node_at_work import ordered
from offchain.cli.output import show, show_table
from offchain.cli.parameters import DEFAULT_PROFILE, READABLE, JsonOption, ProfileOption
from offchain.errors import BillingError, DmsmError
from offchain.types import utc

if TYPE_CHECKING:
    from offchain.billing.book import CalendarLine
    from offchain.index.asked.rows import Row

app = typer.Typer(
    no_args_is_help=True,
    help="Say what energy costs in the region, before it does: tariffs and price series, as facts "
    "on the chain that nobody changes afterwards.",
)
_MAX_FILE_BYTES = 2**23


@app.command()
def publish(
    file: Annotated[Path, typer.Argument(help="A tariff, JSON (docs/formats.md §17).", **READABLE)],
    product: Annotated[str, typer.Option(help="The product that it is a tariff of.")],
    series: Annotated[
        list[Path] | None,
        typer.Option(help="A price series that the tariff lists by digest.", **READABLE),
    ] = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Publish a tariff of a product, ahead of its first day: on each day the latest one holds.

    Needs what `node run` needs; a node that runs already does it on this order. Costs gas. A tariff
    that has begun is refused: the consortium can vote for it (`dmsm admin tariff`). Publishing once
    more what the book has puts the document into the content store again.
    """
    order = {
        "do": "publish tariff",
        "document": text_of(file),
        "product": product,
        "series": [text_of(one) for one in series or ()],
    }
    show(ordered(profile, order), as_json=as_json)


@app.command(name="series")
def publish_series(
    file: Annotated[
        Path, typer.Argument(help="A price series, as `dmsm tariff prices` makes it.", **READABLE)
    ],
    name: Annotated[str, typer.Option(help="Its name, which tariffs take it by.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Publish a price series, ahead of its first price: of several, the first published holds.

    Needs what `node run` needs; a node that runs already does it on this order. Costs gas. A series
    that has begun is refused: the consortium can vote for it (`dmsm admin series`).
    """
    order = {"do": "publish series", "document": text_of(file), "name": name}
    show(ordered(profile, order), as_json=as_json)


@app.command(name="list")
def list_book(
    region: Annotated[
        str | None, typer.Option(help="Another region than that of the profile's account.")
    ] = None,
    product: Annotated[str | None, typer.Option(help="This product alone.")] = None,
    block: Annotated[
        int | None, typer.Option(min=0, help="As of this block; default: the newest.")
    ] = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Show a region's calendar: each tariff of each product, where it holds, and the price series.

    Entries that are void say why. Needs the folder of keys (or --region), a chain node and the
    content store; opens no secret. Costs nothing.
    """
    from offchain.cli.session import open_content, open_index, reading_gateway
    from offchain.settings import load_profile

    settings = load_profile(profile)
    gateway = reading_gateway(settings)
    from offchain.billing.book import calendar
    from offchain.index.asked import tariffs as asked
    from offchain.member.registration import region_id
    from offchain.member.tariff_book import TariffBook

    where = region_id(region) if region else _region_of(gateway, settings.keys)
    with open_index(settings, gateway) as index, open_content(settings) as store:
        newest = index.follower.catch_up()
        as_of = newest if block is None else block
        entries = asked.all_entries(index, where, min(as_of, newest))
        published = asked.all_series(index, where, min(as_of, newest))
        products = [product] if product else _names(entries, "product_name")
        book = TariffBook(gateway, index, store)
        books = [book.at(where, one, as_of_block=as_of) for one in products]
        lines = [(one.product, line) for one in books for line in calendar(one)]
    tariffs = [_line(name, line) for name, line in lines]
    series = [] if product else [_series(row) for row in published]
    if as_json:
        show({"block": as_of, "tariffs": tariffs, "series": series}, as_json=True)
        return
    show_table(tariffs, title=f"tariffs as of block {as_of}")
    show_table(series, title="price series")


def text_of(file: Path) -> str:
    """Return a document's text. Raises BillingError naming the file."""
    if file.stat().st_size > _MAX_FILE_BYTES:
        raise BillingError(f"{file}: is larger than {_MAX_FILE_BYTES} bytes")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BillingError(f"{file}: is no text in UTF-8: {error}") from error


def _region_of(gateway: Any, keys: Path) -> bytes:
    from offchain.member import member_file
    from offchain.member.registration import NO_REGION

    _, account = member_file.read_public(keys)
    member, _ = gateway.call("MemberRegistry", "memberOf", account)
    if bytes(member.regionId) == NO_REGION:
        raise DmsmError("the profile's account belongs to no region; name one with --region")
    return bytes(member.regionId)


def _names(rows: list[Row], column: str) -> list[str]:
    """Return the names that are text, each once: others nobody can ask for."""
    names = []
    for row in rows:
        try:
            names.append(row[column].decode())
        except UnicodeDecodeError:
            continue
    return sorted(set(names))


def _line(product: str, line: CalendarLine) -> dict[str, Any]:
    entry = line.entry
    name = None if line.tariff is None else line.tariff.name
    return {
        "product": product,
        "tariff": name,
        "valid_from_at": entry.valid_from,
        "valid_to_at": entry.valid_to,
        "holds": [_span(*one) for one in line.holds],
        "correction": entry.is_correction,
        "appended_at": entry.appended_at,
        "block": entry.block,
        "digest": entry.digest,
        "fault": line.fault,
    }


def _span(start: int, end: int) -> str:
    from offchain.billing.book import FOR_EVER

    return f"{utc(start)} to {'open end' if end == FOR_EVER else utc(end)}"


def _series(row: Row) -> dict[str, Any]:
    return {
        "series": row["series_name"].decode(errors="replace"),
        "from_at": row["starts_at"],
        "to_at": row["ends_at"],
        "resolution_s": row["resolution_s"],
        "correction": row["is_correction"],
        "published_at": row["published_at"],
        "block": row["block"],
        "digest": row["digest"].hex(),
    }
