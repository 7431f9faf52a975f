"""`dmsm admin`: the consortium's decisions, by vote of its members."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.admin_tariff import add_tariff_commands
from offchain.cli.admin_vote import add_vote_commands, admin_of, show_decision
from offchain.cli.output import receipt_facts, show, show_table
from offchain.cli.parameters import DEFAULT_PROFILE, JsonOption, ProfileOption, parse_account
from offchain.errors import DmsmError

if TYPE_CHECKING:
    from offchain.chain.gateway import ChainGateway
    from offchain.member.registration import Registration

app = typer.Typer(
    no_args_is_help=True,
    help="Decide for the consortium: k of its members must agree. Each command needs the account "
    "of one of them (account.json in the profile's keys folder), a chain node, and gas.",
)
ADMISSION_WEI = 10**18  # gas for long, and the first prepayments
NODE_WEI = 2 * 10**18  # a processing node's bond beside
_DisputeWindow = Annotated[
    int, typer.Option(min=0, help="Seconds between success and settlement (0: at once).")
]
_Account = Annotated[str, typer.Argument(parser=parse_account, metavar="ACCOUNT")]
_Threshold = Annotated[
    int, typer.Option("--threshold", min=1, help="k from then on: more than half of the members.")
]


@app.command()
def admit(
    file: Annotated[Path, typer.Argument(help="Registration of `dmsm keys registration`.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    fund_wei: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Send the member this much for gas, prepayments and bond (0: nothing). Default: "
            "one ether, two for a processing node.",
        ),
    ] = None,
    ahead: Annotated[
        bool, typer.Option("--ahead", help="Propose it before what it needs is carried out.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Propose to admit a member: the registry checks its proofs of possession. Fund it once it is.

    Needs a consortium member's account. Costs gas; if nobody else must agree, --fund-wei as well.
    """
    from offchain.member.registration import Registration

    registration = Registration.from_json(file.read_text(encoding="utf-8"))
    account = registration.account
    funds_wei = _funds_for(registration) if fund_wei is None else fund_wei
    facts: dict[str, Any] = {"funded_wei": 0}
    with admin_of(profile) as (gateway, admin):
        if admin.book.threshold() == 1:
            _require_funds(gateway, funds_wei)
        decision = admin.admit(registration, checked=not ahead)
        if decision.is_carried_out and funds_wei:
            admin.fund(account, funds_wei)
            facts["funded_wei"] = funds_wei
        elif funds_wei:
            facts["then"] = f"once it is admitted: dmsm admin fund {account} --wei {funds_wei}"
    show_decision(decision, {"admitted": account} | facts, as_json=as_json, done="admitted")


def _funds_for(registration: Registration) -> int:
    from offchain.member.roles import MemberRole

    return NODE_WEI if registration.role == MemberRole.PROCESSOR else ADMISSION_WEI


def _require_funds(gateway: ChainGateway, fund_wei: int) -> None:
    """Refuse before the admission what could not be sent after it."""
    has_wei = gateway.balance_wei(gateway.address)
    if has_wei < fund_wei:
        raise DmsmError(
            f"the account {gateway.address} has {has_wei} wei and cannot send {fund_wei}; nobody "
            "was admitted: fund it, or name less with --fund-wei (0: nothing)"
        )


@app.command()
def rename(
    account: _Account,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The public name from then on.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose another public name of a consortium, processing or data-sharing node.

    No other account ever gets the name that is given up. Needs a consortium member's account.
    Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.rename(account, name)
    facts = {"renamed": account, "name": name}
    show_decision(decision, facts, as_json=as_json, done="renamed")


@app.command()
def revoke(
    account: _Account, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Propose to revoke a member for ever; what it has begun ends by its own rules.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.revoke(account)
    show_decision(decision, {"revoked": account}, as_json=as_json, done="revoked")


@app.command(name="type")
def set_type(
    type_id: Annotated[int, typer.Argument(metavar="ID", min=1, help="1: bill, 2: advice.")],
    name: Annotated[str, typer.Option(help="Its name, up to 32 ASCII characters.")],
    price_wei: Annotated[int, typer.Option(min=1, help="The exact prepayment.")],
    shortest_s: Annotated[int, typer.Option(min=60, help="Least time from request to T.")],
    dispute_window_s: _DisputeWindow = 0,
    longest_answer_bytes: Annotated[
        int, typer.Option(min=1, max=32_768, help="The most that a sealed answer may have.")
    ] = 32_768,
    closed: Annotated[bool, typer.Option("--closed", help="Take no new requests.")] = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose a request type: its price and its times. Requests that have begun keep their own.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.set_type(
            type_id,
            name=name,
            price_wei=price_wei,
            shortest_s=shortest_s,
            dispute_window_s=dispute_window_s,
            longest_answer_bytes=longest_answer_bytes,
            active=not closed,
        )
    facts = {"type": type_id, "name": name, "price_wei": price_wei, "open": not closed}
    show_decision(decision, facts, as_json=as_json)


@app.command()
def terms(
    application_wei: Annotated[int, typer.Option(min=1, help="Deposit with each broadcast.")],
    shortest_s: Annotated[int, typer.Option(min=60, help="Least time from selection to T.")],
    dispute_window_s: _DisputeWindow = 0,
    owners_bps: Annotated[
        int, typer.Option(min=0, max=8_000, help="Of each price, to the data's owners; 1/10,000.")
    ] = 5_000,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose the terms of data sharing.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.set_sharing_terms(
            application_wei=application_wei,
            shortest_s=shortest_s,
            dispute_window_s=dispute_window_s,
            owners_bps=owners_bps,
        )
    facts = {"application_wei": application_wei, "shortest_s": shortest_s}
    facts |= {"owners_bps": owners_bps}
    show_decision(decision, facts, as_json=as_json)


@app.command()
def set_rules(
    serve_s: Annotated[int | None, typer.Option(help="Time to serve a demanded answer.")] = None,
    decide_s: Annotated[int | None, typer.Option(help="Time to judge a dispute.")] = None,
    fee_bps: Annotated[int | None, typer.Option(help="Fee, in 1/10,000 of the price.")] = None,
    bond_bps: Annotated[int | None, typer.Option(help="A node's bond, alike.")] = None,
    dispute_bond_bps: Annotated[int | None, typer.Option(help="A disputer's, alike.")] = None,
    serve_gas_wei: Annotated[
        int | None, typer.Option(help="What a demand deposits for each gas of serving.")
    ] = None,
    dispute_min_wei: Annotated[int | None, typer.Option(help="A disputer's least bond.")] = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose rules of bonds, demands, disputes and fees; what is left out stays as it is.

    Locks that have begun keep their own. Needs a consortium member's account. Costs gas.
    """
    wanted = {
        "serveSeconds": serve_s,
        "decideSeconds": decide_s,
        "feeBps": fee_bps,
        "bondBps": bond_bps,
        "disputeBondBps": dispute_bond_bps,
        "serveGasWei": serve_gas_wei,
        "disputeMinWei": dispute_min_wei,
    }
    changes = {name: value for name, value in wanted.items() if value is not None}
    if not changes:
        raise typer.BadParameter("name at least one rule to change")
    with admin_of(profile) as (_, admin):
        decision = admin.set_rules(**changes)
    show_decision(decision, changes, as_json=as_json)


@app.command()
def add_member(
    account: _Account,
    threshold: _Threshold,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose to take an account into the consortium. To read evidence as a judge it registers
    its keys, too.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.add_member(account, threshold=threshold)
    show_decision(decision, {"added": account}, as_json=as_json, done="added")


@app.command()
def remove_member(
    account: _Account,
    threshold: _Threshold,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose to take an account out of the consortium. Its approvals count no more.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.remove_member(account, threshold=threshold)
    show_decision(decision, {"removed": account}, as_json=as_json, done="removed")


@app.command()
def threshold(
    k: Annotated[int, typer.Argument(min=1, help="More than half of the members.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose how many members must agree.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.set_threshold(k)
    show_decision(decision, {"threshold": k}, as_json=as_json)


@app.command()
def stop(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """Propose the emergency stop: nothing new begins for a while; what has begun ends as always.

    It can be used once, ends by itself, and is armed again by `admin rearm`. Needs a consortium
    member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.stop_beginnings()
    show_decision(decision, {}, as_json=as_json)


@app.command()
def rearm(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """Propose to arm the emergency stop for one more use.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.rearm_stop()
    show_decision(decision, {}, as_json=as_json)


@app.command()
def spend(
    account: _Account,
    wei: Annotated[int, typer.Option(min=1, help="How much.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Propose a payment from the consortium's money: the fees, and what was given to it.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.spend(account, wei)
    show_decision(decision, {"paid": account, "wei": wei}, as_json=as_json, done="paid")


@app.command()
def fund(
    account: _Account,
    wei: Annotated[int, typer.Option(min=1, help="How much.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Send an account ether from one's own: no decision, and not the consortium's money.

    Costs gas, and what is sent.
    """
    with admin_of(profile, must_be_member=False) as (gateway, admin):
        _require_funds(gateway, wei)
        receipt = admin.fund(account, wei)
    facts: dict[str, Any] = {"funded": account, "funded_wei": wei}
    show(facts | receipt_facts(receipt), as_json=as_json)


@app.command()
def members(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """List the members in the order of their admission, with public name, credit and balance.

    Needs a chain node; no keys; costs nothing.
    """
    from offchain.cli.session import open_index, reading_gateway
    from offchain.settings import load_profile

    settings = load_profile(profile)
    gateway = reading_gateway(settings)
    from offchain.index.asked.members import everybody
    from offchain.member.public_name import decoded, shown
    from offchain.member.registration import region_name
    from offchain.member.roles import MemberRole

    with open_index(settings, gateway) as index:
        admitted = everybody(index, index.follower.catch_up())
    accounts = [one["account"] for one in admitted]
    profiles = gateway.call_many([("MemberRegistry", "memberOf", (one,)) for one in accounts])
    credits = gateway.call_many([("CreditBook", "creditOf", (one,)) for one in accounts])
    names = [shown(decoded(one["name"])) for one in admitted]
    rows = []
    for account, name, (member, active), credit in zip(
        accounts, names, profiles, credits, strict=True
    ):
        role, region, owner = MemberRole(member[0]), bytes(member[1]), member[2]
        rows.append(
            {
                "name": name or None,
                "account": account,
                "role": role.name.lower(),
                "region": region_name(region) or None,
                "owner": owner if role is MemberRole.DEVICE else None,
                "active": bool(active),
                "credit": credit if role is MemberRole.PROCESSOR else None,
                "balance_wei": gateway.balance_wei(account),
            }
        )
    show_table(rows, title="members", as_json=as_json)


add_tariff_commands(app)
add_vote_commands(app)
