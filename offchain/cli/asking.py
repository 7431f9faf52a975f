"""`dmsm user request`: what it will cost first, then a yes, then one request for each part."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.output import final_facts, hex_id, money, show
from offchain.cli.parameters import (
    DEFAULT_PROFILE,
    JsonOption,
    Moment,
    ProfileOption,
    parse_account,
    parse_moment,
)
from offchain.cli.request_kinds import TYPE_IDS, Kind
from offchain.cli.roles import open_household

if TYPE_CHECKING:
    from offchain.billing.zones import Zone
    from offchain.cli.session import Session
    from offchain.household.household import Household
    from offchain.household.planning import AskingPlan, Planner, Wanted
    from offchain.records.held_days import HeldDay


def request(
    kind: Annotated[Kind, typer.Argument(help="What to ask for.", show_default=False)],
    device: Annotated[
        list[str],
        typer.Option(parser=parse_account, metavar="ACCOUNT", help="An own device; repeat it."),
    ],
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="A local month, instead of --from, --to.")
    ] = None,
    window_from: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First local day, or month.")
    ] = None,
    window_to: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Local day after the last, or month.")
    ] = None,
    product: Annotated[
        str | None, typer.Option(help="Whose tariffs price it; default: the region's only one.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Whose local days, an IANA name; default: the tariff's.")
    ] = None,
    until: Annotated[
        Moment | None,
        typer.Option(
            parser=parse_moment,
            metavar="TIME",
            help="T: answered before, or refunded. +10m, or a UTC time; default twice the minimum.",
        ),
    ] = None,
    is_one: Annotated[
        bool,
        typer.Option(
            "--as-one", help="One request, without asking the node how much it holds beforehand."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Pay without being asked.")] = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Prepay requests for the bill of, or advice on, a month or any local days.

    Needs the user's keys, a chain node, the content store, the running node (for how much it holds)
    and its registration. A window that one answer cannot hold is asked in several requests; how
    many, and the whole price, is shown and asked before anything is paid. Costs each part's price
    and gas; what the node does not answer before T comes back by `refund`. Exit 1 when nothing was
    paid.
    """
    with open_household(profile, begins=True) as (session, household):
        days = (month, window_from, window_to)
        planner = _planner(session, household)
        wanted, region = _wanted(planner, household, kind, device, days, product, zone)
        plan = planner.as_one(wanted) if is_one else planner.plan(wanted, region_id=region)
        if not as_json:
            _show_plan(plan)
        _require_yes(plan, yes)
        expires_at = None if until is None else until.on(session.gateway.now())
        paid = household.requests.ask_parts(plan, expires_at=expires_at)
        sent = final_facts(session.gateway, paid[-1].receipt)
    facts: dict[str, Any] = {
        "locks": [hex_id(one.lock_id) for one in paid],
        "parts": [list(part) for part in plan.parts],
        "readings": plan.readings,
        "T_at": paid[-1].expires_at,
        "price_wei": plan.price_wei,
        "total_wei": plan.total_wei,
        "terms": paid[-1].terms.text(),
    }
    if not as_json:
        del facts["parts"]
    show(facts | sent, as_json=as_json)


def _planner(session: Session, household: Household) -> Planner:
    from offchain.household.day_counts import fetch_days

    def days_of(device: str, span: tuple[int, int]) -> list[HeldDay]:
        return fetch_days(session.profile.require_node_url(), device, span)

    return household.planner(days_of)


def _wanted(
    planner: Planner,
    household: Household,
    kind: Kind,
    devices: list[str],
    days: tuple[str | None, str | None, str | None],
    product: str | None,
    zone_name: str | None,
) -> tuple[Wanted, bytes]:
    """Return what is asked, and the region in which it is."""
    from offchain.billing.zones import zone
    from offchain.household.planning import Wanted

    region = household.directory.member(household.keys.address).region_id
    asked = planner.product(region, product)
    local = zone(zone_name or planner.time_zone(region, asked))
    wanted = Wanted(
        type_id=TYPE_IDS[kind],
        kind=kind.value,
        devices=tuple(devices),
        window=_window(days, local),
        time_zone=local.name,
        product=asked,
    )
    return wanted, region


def _window(days: tuple[str | None, str | None, str | None], local: Zone) -> tuple[int, int]:
    from offchain.billing.window import local_days, local_month

    month, first, after = days
    if month is not None and first is None and after is None:
        return local_month(month, local)
    if month is not None or first is None or after is None:
        raise typer.BadParameter("give either --month, or --from and --to")
    return local_days(first, after, local)


def _show_plan(plan: AskingPlan) -> None:
    from offchain.billing.zones import zone

    local, wanted = zone(plan.wanted.time_zone), plan.wanted
    typer.echo(f"{wanted.kind} by {wanted.product!r}, local days of {local.name}:")
    for start, end in plan.parts:
        first, after = (local.wall_clock(one).strftime("%Y-%m-%d %H:%M") for one in (start, end))
        typer.echo(f"  {first} to {after}")
    count = "one request" if len(plan.parts) == 1 else f"{len(plan.parts)} requests"
    readings = "" if plan.readings is None else f"{plan.readings} readings, "
    typer.echo(f"{readings}{count} at {money(plan.price_wei)} each")
    if plan.readings == 0:
        typer.echo("no reading lies in it: all is estimated from those before and behind")
    typer.echo(f"to be locked in all: {money(plan.total_wei)}, and gas")


def _require_yes(plan: AskingPlan, yes: bool) -> None:
    if yes:
        return
    if sys.stdin.isatty() and typer.confirm("pay it?"):
        return
    typer.echo("nothing was paid; --yes pays it", err=True)
    raise typer.Exit(1)
