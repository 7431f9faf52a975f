"""What energy costs, in `dmsm admin`: the consortium corrects what has begun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from offchain.cli.admin_vote import admin_of, show_decision
from offchain.cli.node_tariff import text_of
from offchain.cli.parameters import DEFAULT_PROFILE, READABLE, JsonOption, ProfileOption

_Region = Annotated[str, typer.Option("--region", help="The region's name.")]


def add_tariff_commands(app: typer.Typer) -> None:
    """Add the commands of this module to `dmsm admin`."""
    for command in (tariff, series, document):
        app.command()(command)


def tariff(
    file: Annotated[Path, typer.Argument(help="A tariff, JSON (docs/formats.md §17).", **READABLE)],
    region: _Region,
    product: Annotated[str, typer.Option(help="The product that it is a tariff of.")],
    with_series: Annotated[
        list[Path] | None,
        typer.Option("--series", help="A price series that it lists by digest.", **READABLE),
    ] = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose a tariff of a region's product. One that has begun is a correction, marked as one: it
    holds for its days in all answers as of later blocks, and changes no bill that was given.

    The document goes into the content store at once. Needs a consortium member's account and the
    content store. Costs gas.
    """
    from offchain.cli.session import open_content
    from offchain.settings import load_profile

    settings = load_profile(profile)
    from offchain.member.tariff_documents import put_listed_series, require_name, tariff_offer

    require_name(product, "a product")
    offer = tariff_offer(text_of(file).encode())
    listed = [text_of(one).encode() for one in with_series or ()]
    with admin_of(profile) as (_, admin):
        with open_content(settings) as store:
            put_listed_series(store, offer.document, listed)
            store.put(offer.data, lasting=True)
        decision = admin.append_tariff(region, product, offer.entry)
    facts = {
        "tariff": offer.document.name,
        "region": region,
        "product": product,
        "digest": offer.document.digest,
        "valid_from_at": offer.entry[1],
        "valid_to_at": offer.entry[2] or None,
    }
    show_decision(decision, facts, as_json=as_json)


def series(
    file: Annotated[
        Path, typer.Argument(help="A price series, as `dmsm tariff prices` makes it.", **READABLE)
    ],
    region: _Region,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose a price series of a region, under its own name. It gives prices only where none was
    published: what was published first holds.

    The document goes into the content store at once. Needs a consortium member's account and the
    content store. Costs gas.
    """
    from offchain.cli.session import open_content
    from offchain.settings import load_profile

    settings = load_profile(profile)
    from offchain.member.tariff_documents import series_offer

    offer = series_offer(text_of(file).encode())
    with admin_of(profile) as (_, admin):
        with open_content(settings) as store:
            store.put(offer.data, lasting=True)
        decision = admin.publish_series(region, offer.document.name, offer.entry)
    facts = {
        "series": offer.document.name,
        "region": region,
        "digest": offer.document.digest,
        "from_at": offer.entry[1],
        "to_at": offer.entry[2],
    }
    show_decision(decision, facts, as_json=as_json)


def document(
    digest: Annotated[str, typer.Argument(help="As a proposal names it, 64 hex digits.")],
    out: Annotated[
        Path | None, typer.Option(help="Write the document to this file as well.")
    ] = None,
    profile: ProfileOption = DEFAULT_PROFILE,
) -> None:
    """Show the tariff or price series that a proposal names by its digest, before voting on it.

    Needs the content store alone: no keys, no chain node. Costs nothing.
    """
    from offchain.cli.parameters import parse_id
    from offchain.cli.session import open_content
    from offchain.settings import load_profile

    settings, wanted = load_profile(profile), parse_id(digest)
    from offchain.member.tariff_documents import describe_document

    with open_content(settings) as store:
        data, lines = describe_document(store, wanted)
    if out is not None:
        out.write_bytes(data)
    for line in lines:
        typer.echo(line)
