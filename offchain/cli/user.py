"""`dmsm user`: policies and consent for one's devices, prepaid requests, answers, audits."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.asking import request
from offchain.cli.auditing import answer, audit
from offchain.cli.output import final_facts, hex_id, show, show_table
from offchain.cli.own_sales import EverywhereOption, draw, end_facts, sales, show_ends
from offchain.cli.parameters import (
    DEFAULT_PROFILE,
    DeviceArgument,
    JsonOption,
    LockArgument,
    Moment,
    ProfileOption,
    parse_moment,
)
from offchain.cli.reading import reading_session
from offchain.cli.request_kinds import TYPE_IDS, Kind
from offchain.cli.roles import open_household
from offchain.cli.session import open_index

if TYPE_CHECKING:
    from offchain.chain.facts import Receipt

app = typer.Typer(
    no_args_is_help=True,
    help="Act for a user: the owner of devices who asks the local node for bills and advice.",
)


class Purpose(Enum):
    """What a consent is for; the values are what is typed."""

    SALE = "sale"
    AGGREGATION = "aggregation"


app.command(name="request")(request)
app.command(name="answer")(answer)
app.command(name="audit")(audit)
app.command(name="sales")(sales)
app.command(name="draw")(draw)


@app.command()
def terms(
    kind: Annotated[Kind, typer.Argument(help="What would be asked.", show_default=False)],
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Show under which terms a request would be asked now: what it would sign.

    Needs a chain node; no keys; costs nothing.
    """
    from offchain.cli.session import reading_gateway
    from offchain.settings import load_profile

    gateway = reading_gateway(load_profile(profile))
    from offchain.member.lock_terms import request_conditions

    found = request_conditions(gateway, TYPE_IDS[kind])
    facts = {
        "price_wei": found.price_wei,
        "shortest_s": found.shortest_s,
        "dispute_window_s": found.terms.dispute_window_s,
        "longest_answer_bytes": found.terms.longest_answer_bytes,
        "fee_bps": found.terms.fee_bps,
        "node_bond_wei": found.terms.bond_wei,
        "rules": found.terms.rules_version,
    }
    show(facts, as_json=as_json)


@app.command()
def locks(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """List one's requests: where they stand in the newest block, final or not, until when, and what
    one can do next.

    Needs the user's folder of keys, of which no secret is opened, and a chain node. Costs nothing.
    """
    from offchain.types import Role

    session = reading_session(profile, Role.USER)
    from offchain.household.own_locks import newest_locks
    from offchain.member.lock_steps import payer_can
    from offchain.member.names import PublicNames

    depth = session.profile.confirmations
    with open_index(session.profile, session.gateway) as index:
        found = newest_locks(index, session.account, confirmations=depth)
        names = PublicNames(index)
        named = {one.payee: names.of(one.payee) for one, _ in found}
    now = session.gateway.now()
    rows = [
        {
            "lock": hex_id(one.lock_id),
            "type": one.type_id,
            "node_name": named[one.payee],
            "node": one.payee,
            "state": one.state.name.lower(),
            "final": is_final,
            "T_at": one.expires_at,
            "stage_ends_at": one.end_at,
            "price_wei": one.price_wei,
            "next": payer_can(one, now),
        }
        for one, is_final in found
    ]
    show_table(rows, title="requests", as_json=as_json)


@app.command()
def refund(
    lock: LockArgument, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Take a prepayment back after T, or from a dispute that stayed undecided.

    `withdraw` then brings it to the account, with the node's bond if it had taken the task on.

    Needs the user's keys and a chain node. Costs gas.
    """
    with open_household(profile) as (session, household):
        sent = final_facts(session.gateway, household.money.refund(lock))
        waiting = household.money.withdrawable_wei()
    show({"refunded": hex_id(lock), "withdrawable_wei": waiting} | sent, as_json=as_json)


@app.command()
def withdraw(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """Withdraw all refunds that are final to the account.

    Needs the user's keys and a chain node. Costs gas, unless there is nothing.
    """
    with open_household(profile) as (session, household):
        waiting = household.money.withdrawable_wei()
        receipt = household.money.withdraw()
        sent = final_facts(session.gateway, receipt) if receipt else {}
    show({"withdrawn_wei": waiting} | sent, as_json=as_json)


@app.command()
def notifications(
    from_block: Annotated[int | None, typer.Option(min=0, help="Leave out earlier blocks.")] = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """List what one's devices reported: status changes, with the sealed reports opened and checked.

    What is not final is told too, and named so. Needs the user's keys, a chain node and the content
    store. Costs nothing.
    """
    with open_household(profile, sends=False) as (_, household):
        found = household.notifications.received(from_block=from_block)
    from offchain.records.report import status_words

    rows = [
        {
            "reported_at": one.at,
            "device": one.device,
            "status": status_words(one.status, one.power_w),
            "temperature_too_high": one.temperature_too_high,
            "power_w": one.power_w,
            "temperature_dc": one.temperature_dc,
            "injected": one.injected,
            "final": one.is_final,
            "report_valid": one.report_valid,
            "text": one.report.text if one.report else None,
        }
        for one in found
    ]
    show_table(rows, title="notifications", as_json=as_json)


@app.command()
def devices(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """List one's active devices, their policy and consent.

    Needs the user's folder of keys, of which no secret is opened, and a chain node. Costs nothing.
    """
    from offchain.types import Role

    session = reading_session(profile, Role.USER)
    from offchain.household.consents import Consents
    from offchain.household.policy import Policies
    from offchain.index.asked.members import devices_of

    gateway, rows = session.gateway, []
    with open_index(session.profile, gateway) as index:
        devices = devices_of(index, session.account, index.follower.catch_up())
    policies, consents = Policies(gateway), Consents(gateway)
    for device in devices:
        policy = policies.of(device)
        rows.append(
            {
                "device": device,
                "anchored_readings": gateway.call("DataLedger", "nextSeqOf", device) - 1,
                "low_w": policy.low_power_w,
                "high_w": policy.high_power_w,
                "high_feed_in_w": policy.high_feed_in_w or None,
                "temperature_dc": policy.temperature_warning_dc,
                "consent_until_at": consents.expires_at(device) or None,
            }
        )
    show_table(rows, title="devices", as_json=as_json)


@app.command()
def policy(
    device: DeviceArgument,
    low_w: Annotated[int, typer.Option(help="At or below: too low (W).")],
    high_w: Annotated[int, typer.Option(help="At or above: too high (W).")],
    temperature_dc: Annotated[int, typer.Option(help="At or above: too hot (0.1 degrees C).")],
    heartbeat_s: Annotated[int, typer.Option(min=60, help="Then silence is offline.")] = 172_800,
    high_feed_in_w: Annotated[
        int,
        typer.Option(
            min=0, help="A meter that draws and feeds in: too high at or above (W). 0: it does not."
        ),
    ] = 0,
    feeds_in: Annotated[
        bool, typer.Option("--feeds-in", help="It only feeds in: judge with opposite sign.")
    ] = False,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="No power value on the ledger: sealed reports only.")
    ] = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Set what one wants to be told of a device.

    A home with solar panels gives --high-feed-in-w: then only 0 W is "shut down", and below it the
    meter is in operation, feeding in. Needs the keys of the device's owner and a chain node. Costs
    gas.
    """
    if feeds_in and high_feed_in_w:
        raise typer.BadParameter("a device that only feeds in has its limits in --low-w, --high-w")
    from offchain.types import Policy

    wanted = Policy(
        low_power_w=low_w,
        high_power_w=high_w,
        high_feed_in_w=high_feed_in_w,
        temperature_warning_dc=temperature_dc,
        heartbeat_seconds=heartbeat_s,
        feeds_in=feeds_in,
        is_sealed=sealed,
    )
    with open_household(profile) as (session, household):
        sent = final_facts(session.gateway, household.policy.set(device, wanted))
    show({"policy_of": device} | sent, as_json=as_json)


@app.command()
def consent(
    device: DeviceArgument,
    until: Annotated[
        Moment | None,
        typer.Option(parser=parse_moment, metavar="TIME", help="Give it until +90d or a UTC time."),
    ] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Withdraw it.")] = False,
    purpose: Annotated[
        Purpose, typer.Option("--for", help="What for; each purpose is asked for by itself.")
    ] = Purpose.SALE,
    everywhere: EverywhereOption = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Let a device's readings into data sets for sale, or no longer: a withdrawal also ends the
    sale of every data set that holds them already, and says which sales go on, and why. Given again
    it ends the sales that are left, also of what was published without consent.

    With `--for aggregation`: let its energies into the region's encrypted totals instead.

    Needs the keys of the device's owner and a chain node; a withdrawal the content store, too.
    Costs gas, also for each sale that it ends.
    """
    if (until is None) == (not withdraw):
        raise typer.BadParameter("give either --until TIME or --withdraw")
    with open_household(profile) as (session, household):
        receipt: Receipt | None
        if until is None:
            receipt = household.consents.withdraw(device, purpose=_purpose_hash(purpose))
            given_until = None
        else:
            given_until = until.on(session.gateway.now())
            receipt = household.consents.give(
                device, expires_at=given_until, purpose=_purpose_hash(purpose)
            )
        is_sale = until is None and purpose is Purpose.SALE
        ends = household.sales.end(device, everywhere=everywhere) if is_sale else []
        sent: dict[str, Any] = {}
        if receipt is not None:
            sent = final_facts(session.gateway, receipt)
    facts = {"device": device, "for": purpose.value, "consent_until_at": given_until}
    if as_json:
        told = {"sales": [end_facts(one) for one in ends]} if is_sale else {}
        show(facts | sent | told, as_json=True)
        return
    show(facts | sent)
    if is_sale:
        show_ends(ends)


def _purpose_hash(purpose: Purpose) -> bytes:
    from offchain.records.aggregate_set import AGGREGATION_PURPOSE
    from offchain.records.contexts import DATA_SHARING_PURPOSE

    return AGGREGATION_PURPOSE if purpose is Purpose.AGGREGATION else DATA_SHARING_PURPOSE
