"""`dmsm admin`: the consortium's decisions. The account must be the owner of OwnerConsortium."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli.output import show, show_table
from offchain.cli.parameters import DEFAULT_PROFILE, JsonOption, ProfileOption, parse_account
from offchain.errors import DmsmError

if TYPE_CHECKING:
    from offchain.chain.gateway import ChainGateway

app = typer.Typer(
    no_args_is_help=True,
    help="Decide for the consortium. Each needs the account that owns OwnerConsortium "
    "(account.json in the profile's keys folder), a chain node, and gas.",
)
ADMISSION_WEI = 10**18  # gas for long, and the first prepayments
_DisputeWindow = Annotated[
    int, typer.Option(min=0, help="Seconds between success and settlement (0: at once).")
]


@app.command()
def admit(
    file: Annotated[Path, typer.Argument(help="Registration of `dmsm keys registration`.")],
    profile: ProfileOption = DEFAULT_PROFILE,
    fund_wei: Annotated[
        int,
        typer.Option(min=0, help="Send the member this much for gas and prepayments (0: nothing)."),
    ] = ADMISSION_WEI,
    as_json: JsonOption = False,
) -> None:
    """Admit a member and fund it: the registry checks its proofs of possession.

    Needs the consortium's account. Costs gas, and --fund-wei (by default one ether).
    """
    from offchain.cli.session import account_session, final_facts
    from offchain.services.admin import Admin
    from offchain.services.registration import Registration

    registration = Registration.from_json(file.read_text(encoding="utf-8"))
    with account_session(profile) as gateway:
        admin = Admin(gateway)
        _require_funds(gateway, fund_wei)
        receipt = admin.admit(registration)
        if fund_wei:
            admin.fund(registration.account, fund_wei)
        sent = final_facts(gateway, receipt)
    show({"admitted": registration.account, "funded_wei": fund_wei} | sent, as_json=as_json)


def _require_funds(gateway: ChainGateway, fund_wei: int) -> None:
    """Refuse before the admission what could not be sent after it."""
    has_wei = gateway.balance_wei(gateway.address)
    if has_wei < fund_wei:
        raise DmsmError(
            f"the consortium's account {gateway.address} has {has_wei} wei and cannot send "
            f"{fund_wei}; nobody was admitted: fund it, or name less with --fund-wei (0: nothing)"
        )


@app.command()
def revoke(
    account: Annotated[str, typer.Argument(parser=parse_account, metavar="ACCOUNT")],
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Revoke a member for ever; what it has begun ends by its own rules.

    Needs the consortium's account. Costs gas.
    """
    from offchain.cli.session import account_session, final_facts
    from offchain.services.admin import Admin

    with account_session(profile) as gateway:
        sent = final_facts(gateway, Admin(gateway).revoke(account))
    show({"revoked": account} | sent, as_json=as_json)


@app.command(name="type")
def set_type(
    type_id: Annotated[int, typer.Argument(metavar="ID", min=1, help="1: bill, 2: advice.")],
    name: Annotated[str, typer.Option(help="Its name, up to 32 ASCII characters.")],
    price_wei: Annotated[int, typer.Option(min=1, help="The exact prepayment.")],
    shortest_s: Annotated[int, typer.Option(min=60, help="Least time from request to T.")],
    dispute_window_s: _DisputeWindow = 0,
    closed: Annotated[bool, typer.Option("--closed", help="Take no new requests.")] = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Set a request type: its price and its times. Requests that have begun keep their own.

    Needs the consortium's account. Costs gas.
    """
    from offchain.cli.session import account_session, final_facts
    from offchain.services.admin import Admin

    with account_session(profile) as gateway:
        receipt = Admin(gateway).set_type(
            type_id,
            name=name,
            price_wei=price_wei,
            shortest_s=shortest_s,
            dispute_window_s=dispute_window_s,
            active=not closed,
        )
        sent = final_facts(gateway, receipt)
    facts = {"type": type_id, "name": name, "price_wei": price_wei, "open": not closed}
    show(facts | sent, as_json=as_json)


@app.command()
def terms(
    application_wei: Annotated[int, typer.Option(min=1, help="Deposit with each broadcast.")],
    shortest_s: Annotated[int, typer.Option(min=60, help="Least time from selection to T.")],
    dispute_window_s: _DisputeWindow = 0,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Set the terms of data sharing.

    Needs the consortium's account. Costs gas.
    """
    from offchain.cli.session import account_session, final_facts
    from offchain.services.admin import Admin

    with account_session(profile) as gateway:
        receipt = Admin(gateway).set_sharing_terms(
            application_wei=application_wei,
            shortest_s=shortest_s,
            dispute_window_s=dispute_window_s,
        )
        sent = final_facts(gateway, receipt)
    facts = {"application_wei": application_wei, "shortest_s": shortest_s}
    show(facts | sent, as_json=as_json)


@app.command()
def members(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """List the members in the order of their admission, with credit and balance.

    Needs a chain node; no keys; costs nothing.
    """
    from offchain.cli.session import reading_gateway
    from offchain.services.registration import region_name
    from offchain.services.roles import MemberRole
    from offchain.settings import load_profile

    gateway = reading_gateway(load_profile(profile))
    admitted = gateway.events(
        "MemberRegistry", "MemberAdmitted", from_block=gateway.deployment.block("MemberRegistry")
    )
    accounts = [event.args["account"] for event in admitted]
    profiles = gateway.call_many([("MemberRegistry", "memberOf", (one,)) for one in accounts])
    credits = gateway.call_many([("CreditBook", "creditOf", (one,)) for one in accounts])
    rows = []
    for account, (member, active), credit in zip(accounts, profiles, credits, strict=True):
        role, region, owner = MemberRole(member[0]), bytes(member[1]), member[2]
        rows.append(
            {
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
