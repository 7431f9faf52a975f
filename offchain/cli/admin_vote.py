"""The vote in `dmsm admin`: proposals, and what a member does with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from offchain.cli.output import receipt_facts, show, show_table
from offchain.cli.parameters import DEFAULT_PROFILE, JsonOption, ProfileOption
from offchain.errors import DmsmError

if TYPE_CHECKING:
    from offchain.chain.gateway import ChainGateway
    from offchain.consortium.admin import Admin, Decision
    from offchain.consortium.proposals import Proposal

_Proposal = Annotated[int, typer.Argument(metavar="ID", min=1, help="As `admin proposals` has it.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask: I have read what it does.")]


@contextmanager
def admin_of(profile: Path, *, must_be_member: bool = True) -> Iterator[tuple[ChainGateway, Admin]]:
    """Open the profile's account for the consortium. Raises DmsmError if it is no member."""
    from offchain.cli.session import account_session, open_index
    from offchain.settings import load_profile

    with account_session(profile) as gateway, open_index(load_profile(profile), gateway) as index:
        from offchain.consortium.admin import Admin

        admin = Admin(gateway, index)
        if must_be_member and not admin.book.is_member(gateway.address):
            members = ", ".join(account for account, _ in admin.book.members())
            raise DmsmError(
                f"{gateway.address} is no member of the consortium, which alone decides this; "
                f"its members: {members}"
            )
        yield gateway, admin


def show_decision(
    decision: Decision, facts: dict[str, Any], *, as_json: bool, done: str = ""
) -> None:
    """Print what was decided and what is still needed.

    `done`: the first of the facts tells what was done under this name, once it was; until then it
    is only proposed, and told so.
    """
    proposal = decision.proposal
    known = {
        "proposal": proposal.proposal_id,
        "call": proposal.text,
        "carried_out": decision.is_carried_out,
    }
    if done:
        verb = done if decision.is_carried_out else "proposed"
        facts = {verb: facts[done]} | {name: it for name, it in facts.items() if name != done}
    sent = receipt_facts(decision.receipt) | {"final": decision.is_final}
    warned = _warned(proposal, as_json=as_json)
    show(known | warned | facts | {"status": proposal.status} | sent, as_json=as_json)


def add_vote_commands(app: typer.Typer) -> None:
    """Add the commands of this module to `dmsm admin`."""
    for command in (proposals, approve, withdraw, cancel, execute, consortium):
        app.command()(command)


def proposals(
    everything: Annotated[
        bool, typer.Option("--all", help="Those carried out, cancelled, superseded or lapsed, too.")
    ] = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """List what waits for the consortium: what is proposed, who agrees, what is still needed.

    Needs a chain node; no keys; costs nothing.
    """
    from offchain.cli.session import open_index, reading_gateway
    from offchain.settings import load_profile

    settings = load_profile(profile)
    gateway = reading_gateway(settings)
    from offchain.consortium.proposals import OVER, ConsortiumBook

    over = () if everything else OVER
    with open_index(settings, gateway) as index:
        listed = ConsortiumBook(gateway, index).proposals(pending=not everything)
    found = [one for one in listed if one.stage not in over]
    if as_json:
        show_table([_facts(one, gateway) for one in found], title="proposals", as_json=True)
        return
    rows = [
        {
            "id": one.proposal_id,
            "call": one.text,
            "agree": f"{len(one.approved_by)} of {one.threshold} needed",
            "stage": str(one.stage),
            "ready_at": one.ready_at,
            "lapses_at": one.lapses_at,
        }
        for one in found
    ]
    show_table(rows, title="proposals")


def approve(
    proposal_id: _Proposal,
    yes: _Yes = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Show a proposal and approve it; if nothing more is needed it is carried out at once.

    Asks before it approves; --json needs --yes. Needs a consortium member's account. Costs gas.
    """
    _vote("approve", proposal_id, yes=yes, profile=profile, as_json=as_json)


def withdraw(
    proposal_id: _Proposal,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Take one's approval of a proposal back, while it is not carried out.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.withdraw(proposal_id)
    show_decision(decision, {}, as_json=as_json)


def cancel(
    proposal_id: _Proposal,
    yes: _Yes = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Show a proposal and vote to cancel it; k such votes cancel it at once and for ever.

    Asks before it votes; --json needs --yes. Needs a consortium member's account. Costs gas.
    """
    _vote("cancel", proposal_id, yes=yes, profile=profile, as_json=as_json)


def execute(
    proposal_id: _Proposal,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Carry out what was agreed, once its delay is over and before it lapses a week later.

    Needs a consortium member's account. Costs gas.
    """
    with admin_of(profile) as (_, admin):
        decision = admin.execute(proposal_id)
    show_decision(decision, {}, as_json=as_json)


def consortium(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """Show the consortium: its members, how many must agree, its money, the emergency stop.

    Needs a chain node; no keys; costs nothing.
    """
    from offchain.cli.session import open_index, reading_gateway
    from offchain.settings import load_profile

    settings = load_profile(profile)
    gateway = reading_gateway(settings)
    from offchain.consortium.admin import Admin

    with open_index(settings, gateway) as index:
        admin = Admin(gateway, index)
        names = admin.book.names
        accounts = [account for account, _ in admin.book.members()]
        facts: dict[str, Any] = {
            "members": accounts if as_json else [names.beside(account) for account in accounts],
            "must_agree": admin.book.threshold(),
            "delay_s": int(gateway.call("Consortium", "delaySeconds")),
            "founding_ends_at": int(gateway.call("Consortium", "foundingEndsAt")),
            "treasury_wei": admin.treasury_wei(),
            "stopped_until_at": int(gateway.call("MemberRegistry", "stoppedUntil")) or None,
            "stop_s": int(gateway.call("MemberRegistry", "stopSeconds")),
            "stop_is_spent": bool(gateway.call("MemberRegistry", "isStopSpent")),
        }
        if as_json:
            facts["names"] = {account: names.of(account) for account in accounts}
    show(facts, as_json=as_json)


def _vote(
    verb: Literal["approve", "cancel"], proposal_id: int, *, yes: bool, profile: Path, as_json: bool
) -> None:
    """Show a proposal, ask, and give one's voice to carry it out or to cancel it."""
    if as_json and not yes:
        raise typer.BadParameter("--json asks nothing: give --yes once you have read the proposal")
    with admin_of(profile) as (_, admin):
        proposal = admin.book.proposal(proposal_id)
        if not as_json:
            read = _for_reading(proposal, admin.book.names.beside)
            show(read | _warned(proposal, as_json=False))
        if not yes:
            typer.confirm(f"{verb} this?", abort=True)
        vote = admin.approve if verb == "approve" else admin.cancel
        decision = vote(proposal_id, read=proposal)
    show_decision(decision, {}, as_json=as_json)


def _warned(proposal: Proposal, *, as_json: bool) -> dict[str, Any]:
    """What to look at first; for people only where there is something."""
    warnings = list(proposal.warnings)
    return {"warnings": warnings} if warnings or as_json else {}


def _for_reading(proposal: Proposal, beside: Callable[[str], str] = str) -> dict[str, Any]:
    return {
        "proposal": proposal.proposal_id,
        "call": proposal.text,
        "call_hash": "0x" + proposal.call_hash.hex(),
        "proposed_by": beside(proposal.by),
        "agree": [beside(one) for one in proposal.approved_by],
        "do_not_yet": [beside(one) for one in proposal.missing],
        "want_it_cancelled": proposal.cancel_votes,
        "must_agree": proposal.threshold,
        "status": proposal.status,
    }


def _facts(proposal: Proposal, gateway: ChainGateway) -> dict[str, Any]:
    from offchain.consortium.call_text import call_arguments

    return _for_reading(proposal) | {
        "warnings": list(proposal.warnings),
        "stage": str(proposal.stage),
        "ready_at": proposal.ready_at,
        "lapses_at": proposal.lapses_at,
        "target": proposal.target,
        "value_wei": proposal.value_wei,
        "data": "0x" + proposal.data.hex(),
        "arguments": call_arguments(gateway.deployment, proposal.target, proposal.data),
    }
