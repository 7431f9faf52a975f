"""`dmsm user sales`, `dmsm user draw`: what is sold of one's readings, and one's part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.output import final_facts, hex_id, show, show_table
from offchain.cli.parameters import DEFAULT_PROFILE, JsonOption, ProfileOption
from offchain.cli.roles import open_household

if TYPE_CHECKING:
    from offchain.household.sales import OwnDataSet, SaleEnd, SeenSales
    from offchain.member.names import PublicNames

_CANNOT_BE_LOOKED_AT = "data sets that cannot be looked at"
EverywhereOption = Annotated[
    bool,
    typer.Option(
        "--everywhere",
        help="Look at data sets of other regions, too: an honest node has none of your readings in "
        "them. Takes long where there are many.",
    ),
]


def sales(
    everywhere: EverywhereOption = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Show the data sets that hold one's readings: to whom they were sold, for what, at what price,
    and one's own part.

    Needs the user's keys, a chain node and the content store. Costs nothing. Of the newest block;
    what is final may differ.
    """
    with open_household(profile, sends=False) as (session, household):
        from offchain.member.names import PublicNames

        seen = household.sales.seen(everywhere=everywhere)
        names = PublicNames(session.index)
        sets = [_facts(one, names) for one in seen.data_sets]
        sold, unknown = _sold(seen, names), _unknown(seen, names)
    if as_json:
        facts = {"data_sets": sets, "sales": sold, "unknown": unknown}
        show(facts | {"to_draw_wei": seen.to_draw_wei}, as_json=True)
        return
    show_table(sets, title="data sets with readings of yours")
    show_table(sold, title="sales")
    if unknown:
        show_table(unknown, title=_CANNOT_BE_LOOKED_AT)
    for sentence in _what_can_be_stopped(seen):
        typer.echo(sentence)


def draw(
    everywhere: EverywhereOption = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Draw one's part of what was sold: it becomes withdrawable by `dmsm user withdraw`.

    Needs the user's keys, a chain node and the content store. Costs gas, unless there is nothing.
    Given again it draws what came since.
    """
    with open_household(profile) as (session, household):
        from offchain.member.names import PublicNames

        seen = household.sales.seen(everywhere=everywhere)
        unknown = _unknown(seen, PublicNames(session.index))
        drawn_wei, receipts = household.sales.draw(seen)
        sent: list[dict[str, Any]] = [final_facts(session.gateway, one) for one in receipts]
    facts: dict[str, Any] = {"drawn_wei": drawn_wei, "transactions": len(sent)}
    if sent:
        facts |= {"final": all(one["final"] for one in sent)}
        facts |= {"gas_used": sum(one["gas_used"] for one in sent)}
        facts |= {"at_your_account": "not yet: `dmsm user withdraw` brings it there"}
    if unknown:  # what they may have earned is not among it
        facts |= {"not_looked_at": len(unknown)}
    show(facts, as_json=as_json)
    if unknown and not as_json:
        show_table(unknown, title=_CANNOT_BE_LOOKED_AT)


def show_ends(ends: list[SaleEnd]) -> None:
    """Print what became of each sale after a withdrawal."""
    show_table([end_facts(one) for one in ends], title="sales with this device's readings")


def end_facts(one: SaleEnd) -> dict[str, Any]:
    """Return what became of one sale, to be shown."""
    return {"data_set": hex_id(one.data_set_id), "ended": one.is_ended, "why": one.why}


def _facts(one: OwnDataSet, names: PublicNames) -> dict[str, Any]:
    published = one.published
    return {
        "data_set": hex_id(published.data_set_id),
        "node_name": names.of(published.processor),
        "node": published.processor,
        "from_at": published.window_from,
        "to_at": published.window_to,
        "rows": published.row_count,
        "own_rows": one.own_rows,
        "on_sale": one.is_on_sale,
        "sale_until_at": one.sale_until,
        "sold_times": sum(sale.is_sold for sale in one.sales),
        "earned_wei": one.earned_wei,
        "drawn_wei": one.drawn_wei,
        "to_draw_wei": one.to_draw_wei,
    }


def _sold(seen: SeenSales, names: PublicNames) -> list[dict[str, Any]]:
    return [
        {
            "data_set": hex_id(one.published.data_set_id),
            "lock": hex_id(sale.lock_id),
            "buyer_name": names.of(sale.buyer),
            "buyer": sale.buyer,
            "purpose": sale.purpose,
            "state": sale.state.name.lower(),
            "price_wei": sale.price_wei,
            "own_part_wei": sale.part_wei,
        }
        for one in seen.data_sets
        for sale in one.sales
    ]


def _unknown(seen: SeenSales, names: PublicNames) -> list[dict[str, Any]]:
    return [
        {
            "data_set": hex_id(one.data_set_id),
            "node_name": names.of(one.processor),
            "node": one.processor,
            "on_sale": one.is_on_sale,
            "why": one.why,
        }
        for one in seen.unknown
    ]


def _what_can_be_stopped(seen: SeenSales) -> list[str]:
    """Say what a withdrawal stops, and what not."""
    on_sale = sum(one.is_on_sale for one in seen.data_sets)
    running = sum(not sale.is_ended for one in seen.data_sets for sale in one.sales)
    sold = sum(sale.is_sold for one in seen.data_sets for sale in one.sales)
    told = []
    if on_sale:
        told.append(
            f"{on_sale} of them can still be sold: `dmsm user consent DEVICE --withdraw` ends that."
        )
    if running:
        told.append(
            f"{running} sales are under way: what was selected before you withdraw goes on."
        )
    if sold:
        told.append(f"{sold} sales are over: nobody can call back what a buyer has.")
    if seen.to_draw_wei:
        told.append("What is to be drawn is yours: `dmsm user draw`, then `dmsm user withdraw`.")
    return told
