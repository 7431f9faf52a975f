"""`dmsm node`: a processing node, which takes in readings, answers users and sells data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.node_at_work import opened_node, ordered
from offchain.cli.node_sets import retire, sets
from offchain.cli.node_tariff import app as tariff_app
from offchain.cli.output import hex_id, show, show_table
from offchain.cli.parameters import (
    DEFAULT_PROFILE,
    FromOption,
    JsonOption,
    ProfileOption,
    ToOption,
    require_window,
)

if TYPE_CHECKING:
    from offchain.chain.gateway import ChainGateway
    from offchain.node.store import NodeStore

app = typer.Typer(no_args_is_help=True, help="Run a processing node and sell its region's data.")
bond_app = typer.Typer(no_args_is_help=True, help="What the node puts up for its locks.")
app.add_typer(bond_app, name="bond")
app.add_typer(tariff_app, name="tariff")
app.command(name="sets")(sets)
app.command(name="retire")(retire)
_Wei = Annotated[int, typer.Argument(metavar="WEI", min=1, max=2**96 - 1)]


@app.command()
def run(profile: ProfileOption = DEFAULT_PROFILE) -> None:
    """Take in the region's readings over HTTP and serve requests and broadcasts, until stopped.

    Needs the node's keys, `[node]` in the profile, its own chain node, the content store, and
    membership as a processor. Costs gas for accept, claim, respond, deliver and the ends of
    locks, and puts up the node's bond (bond_wei). SIGTERM or Ctrl-C ends it after the step at
    hand; logs are JSON lines on stderr, without plaintext. What fails costs its own step; exit 5
    for a damaged store, 6 for one of a newer version, 7 for an error that nobody foresaw.
    """
    from offchain.cli.opening import at_service

    with at_service(profile, lambda: opened_node(profile, wait_s=5.0)) as (stop, node):
        node.run(stop)


@app.command()
def publish(
    window_from: FromOption,
    window_to: ToOption,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask: publish what is there, whatever is missing.")
    ] = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Publish the data set of a window of whole UTC days, encrypted, under a key of its own.

    Shows before what is there: homes, rows, days, who is left out and why, the price. Where a
    device has no readings on a day, or is left out, it asks; --json asks nothing and needs --yes
    then. It is for sale for sale_days; who withdraws ends its sale. Needs what `node run` needs; a
    node that runs already does it on this order. Only devices whose owner consents are in it.
    Repeating it while it is for sale publishes nothing anew. Costs gas and some seconds.
    """
    require_window(window_from, window_to)
    window = {"from": window_from, "to": window_to}
    found = ordered(profile, {"do": "look"} | window)
    is_whole = found.pop("is_whole", True)
    if not as_json:
        _show_outlook(found)
    if not is_whole and not yes:
        if as_json:
            raise typer.BadParameter(
                "data is missing in this window, and the price is the same; see it without --json, "
                "or give --yes"
            )
        typer.confirm("Data is missing; the price is the same. Publish it?", abort=True)
    published = ordered(profile, {"do": "publish"} | window)
    show(found | published if as_json else published, as_json=as_json)


def _show_outlook(found: dict[str, Any]) -> None:
    left_out = found.get("left_out", [])
    show({name: item for name, item in found.items() if name != "left_out"})
    if left_out:
        show_table(left_out, title="left out")


@app.command()
def withdraw(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """Withdraw what the node earned to its account.

    Needs what `node run` needs; a node that runs already does it on this order. Costs gas.
    """
    show(ordered(profile, {"do": "withdraw"}), as_json=as_json)


@bond_app.command(name="add")
def add_bond(
    wei: _Wei, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Add to the bond from the node's account. Locks hold it while they run.

    Needs what `node run` needs; a node that runs already does it on this order. Costs gas, and WEI.
    """
    show(ordered(profile, {"do": "add bond", "wei": wei}, begins=True), as_json=as_json)


@bond_app.command(name="take")
def take_bond(
    wei: _Wei, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Make free bond withdrawable; `node withdraw` then brings it to the account.

    A running node tops its bond up again: lower bond_wei in the profile first. Offers that stand
    lose their part of a deposit by it. Needs what `node run` needs. Costs gas.
    """
    show(ordered(profile, {"do": "take bond", "wei": wei}, begins=True), as_json=as_json)


@app.command()
def status(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """Show the node's account, credit and money, its devices, requests and data sets, and what is
    wrong with its chain nodes.

    Of the newest block; what is final may differ. Needs the node's data folder and account file,
    and a chain node; the node may run meanwhile. Costs nothing.
    """
    from offchain.cli.session import health_gate, open_index, reading_gateway
    from offchain.settings import load_profile

    settings = load_profile(profile)
    gateway, account = reading_gateway(settings), _account_of(settings.keys)
    member, active = gateway.call("MemberRegistry", "memberOf", account)
    from offchain.member.names import PublicNames
    from offchain.member.registration import region_name
    from offchain.node.bond import bond_of
    from offchain.node.store import NodeStore

    with open_index(settings, gateway) as index:
        name = PublicNames(index).of(account)
    bond = bond_of(gateway, account)
    faults = health_gate(settings, gateway).check()
    facts: dict[str, Any] = {
        "name": name,
        "account": account,
        "region": region_name(bytes(member[1])) or None,
        "active": bool(active),
        "credit": gateway.call("CreditBook", "creditOf", account),
        "balance_wei": gateway.balance_wei(account),
        **_withdrawable(gateway, account),
        "bond_free_wei": bond.free_wei,
        "bond_held_wei": bond.held_wei,
        "head_block": gateway.block_number(),
        "final_block": gateway.final_number(),
        "chain_faults": faults or None,
    }
    with NodeStore(settings.place_of("node")) as readings:
        tables = {
            "devices": _devices(readings),
            "requests": _requests(readings),
            "data sets": _data_sets(readings),
            "grants": _grants(readings),
        }
    if as_json:
        show(facts | tables, as_json=True)
        return
    show(facts)
    for title, rows in tables.items():
        show_table(rows, title=title)


def _withdrawable(gateway: ChainGateway, account: str) -> dict[str, int]:
    """Return what may be withdrawn by the newest block, and what of it is not final."""
    newest, final = (
        int(gateway.call("PrepaidLock", "withdrawableOf", account, block=block))
        for block in ("latest", gateway.final())
    )
    return {"withdrawable_wei": newest, "not_final_wei": max(0, newest - final)}


def _account_of(keys: Path) -> str:
    import json

    from offchain.settings import SettingsError
    from offchain.types import to_account

    try:
        text = json.loads((keys / "account.json").read_text(encoding="utf-8"))["address"]
        return to_account("0x" + text.removeprefix("0x"))
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(f"{keys} holds no account; make keys with `dmsm keys new`") from error


def _devices(readings: NodeStore) -> list[dict[str, Any]]:
    return [
        {
            "device": device,
            "readings": readings.next_seq(device) - 1,
            "in_batches": readings.next_batch_seq(device) - 1,
            "days": len(readings.days(device)),
        }
        for device in readings.devices()
    ]


def _requests(readings: NodeStore) -> list[dict[str, Any]]:
    return [
        {
            "lock": hex_id(job.lock_id),
            "requester": job.requester,
            "type": job.type_id,
            "state": str(job.state),
            "T_at": job.expires_at,
            "reason": job.reason,
        }
        for job in readings.requests()
    ]


def _data_sets(readings: NodeStore) -> list[dict[str, Any]]:
    return [
        {
            "data_set": hex_id(one.data_set_id),
            "from_at": one.from_s,
            "to_at": one.to_s,
            "rows": one.rows,
            "price_wei": one.price_wei,
            "published": one.published,
            "sale_until_at": one.sale_until,
        }
        for one in readings.data_sets()
    ]


def _grants(readings: NodeStore) -> list[dict[str, Any]]:
    return [
        {
            "lock": hex_id(job.lock_id),
            "data_set": hex_id(job.data_set_id),
            "state": str(job.state),
            "T_at": job.expires_at,
            "reason": job.reason,
        }
        for job in readings.grants()
    ]
