"""When what was paid for is withheld or wrong: `dmsm user demand`, `user dispute`, `user slash`,
`user add-evidence`, `share dispute`, `share add-evidence`, and the hints that lead there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.output import final_facts, hex_id, show, show_table
from offchain.cli.parameters import DEFAULT_PROFILE, JsonOption, LockArgument, ProfileOption
from offchain.cli.roles import open_buyer, open_household
from offchain.types import utc

if TYPE_CHECKING:
    from offchain.audit.disputes import PreparedDispute
    from offchain.audit.look import Look
    from offchain.chain.gateway import ChainGateway
    from offchain.member.locks import Lock, LockBook

YesOption = Annotated[bool, typer.Option("--yes", help="Send it; without, only show it.")]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Although nothing wrong was found: the bond is at stake.")
]
ForceUnreadOption = Annotated[
    bool,
    typer.Option(
        "--force", help="Although nothing wrong was found, or nothing served: bond at stake."
    ),
]


def add_commands(*, user: typer.Typer, share: typer.Typer) -> None:
    """Add the commands to their groups."""
    user.command(name="demand")(demand)
    user.command(name="slash")(slash)
    user.command(name="dispute")(dispute)
    user.command(name="add-evidence")(add_answer_evidence)
    share.command(name="dispute")(dispute_data)
    share.command(name="add-evidence")(add_evidence)


def demand(
    lock: LockArgument, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Demand a claimed answer on chain because nobody serves it; once a lock.

    Needs the user's keys and a chain node. Deposits what serving costs: the node gets it when it
    serves, and `user answer` then reads the answer from the chain. What is not served in time is
    ended by `user slash`: price, deposit and the node's bond are then yours.
    """
    with open_household(profile) as (session, household):
        receipt = household.disputes.demand(lock)
        demanded = receipt.event("Demanded").args
        sent = final_facts(session.gateway, receipt)
    facts = {
        "demanded": hex_id(lock),
        "deposit_wei": demanded["depositWei"],
        "serve_until_at": demanded["dueAt"],
    }
    show(facts | sent, as_json=as_json)


def slash(
    lock: LockArgument, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """End a lock whose demanded answer was not served in time; `withdraw` then brings the money.

    Needs the user's keys and a chain node. Costs gas.
    """
    with open_household(profile) as (session, household):
        sent = final_facts(session.gateway, household.disputes.slash(lock))
        waiting = household.money.withdrawable_wei()
    show({"slashed": hex_id(lock), "withdrawable_wei": waiting} | sent, as_json=as_json)


def dispute(
    lock: LockArgument,
    yes: YesOption = False,
    force: ForceUnreadOption = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Dispute an answer: the consortium's judges look at it and decide between you and the node.

    Needs the user's keys, a chain node and the content store. Shows what the judges will find and
    what it costs, and sends it with --yes. Puts up a bond that comes back unless the judges decide
    for the node. Lets the judges read this answer, what was asked, and the secret ID in it. An
    answer that nobody serves is demanded first (`user demand`): what you cannot read you cannot
    show. Exit 1 when nothing was sent.
    """
    with open_household(profile) as (session, household):
        prepared = household.disputes.prepare(lock, force=force)
        _show_prepared(prepared, force=force, yes=yes, as_json=as_json)
        receipt = household.disputes.dispute(prepared)
        sent = final_facts(session.gateway, receipt)
    until = receipt.event("Disputed").args["dueAt"]
    show({"disputed": hex_id(lock), "decided_until_at": until} | sent, as_json=as_json)


def add_answer_evidence(
    lock: LockArgument, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Show the judges of your own dispute an answer that was not served when you disputed.

    Needs the user's keys, a chain node and the content store. Costs gas; possible once a lock. Lets
    the judges read what `user dispute` does.
    """
    with open_household(profile) as (session, household):
        sent = final_facts(session.gateway, household.disputes.add_evidence(lock))
    show({"evidence_for": hex_id(lock)} | sent, as_json=as_json)


def dispute_data(
    lock: LockArgument,
    yes: YesOption = False,
    force: ForceOption = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Dispute bought data, as the buyer or as a member of the group.

    Needs what `recover` needs, and the content store. Shows what the judges will find and what it
    costs, and sends it with --yes. Puts up a bond that comes back unless the judges decide for the
    node; the price goes back to the buyer. Lets the judges read the data. Exit 1 when nothing was
    sent.
    """
    with open_buyer(profile) as (session, buyer):
        buyer.shares.own(lock)
        prepared = buyer.disputes.prepare(lock)
        _show_prepared(prepared, force=force, yes=yes, as_json=as_json)
        receipt = buyer.disputes.dispute(prepared)
        sent = final_facts(session.gateway, receipt)
    until = receipt.event("Disputed").args["dueAt"]
    show({"disputed": hex_id(lock), "decided_until_at": until} | sent, as_json=as_json)


def add_evidence(
    lock: LockArgument, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Show the judges of somebody else's dispute the data's key, so that they can look.

    Needs what `recover` needs, and the content store. Costs gas. Worth it when another member
    disputed: what that one showed may be worthless.
    """
    with open_buyer(profile) as (session, buyer):
        buyer.shares.own(lock)
        sent = final_facts(session.gateway, buyer.disputes.add_evidence(lock))
    show({"evidence_for": hex_id(lock)} | sent, as_json=as_json)


@contextmanager
def hinting(locks: LockBook, gateway: ChainGateway, lock_id: bytes) -> Iterator[None]:
    """Say what can be done when an answer does not open, and let the error go on."""
    from offchain.member.errors import AnswerInvalid, AnswerNotServed

    try:
        yield
    except AnswerInvalid as error:
        is_served = not isinstance(error, AnswerNotServed)
        tell_hint(locks.lock(lock_id), gateway.now(), is_served=is_served)
        raise


def tell_hint(lock: Lock, now: int, *, is_served: bool) -> None:
    """Write to stderr which command helps, and until when."""
    typer.echo(hint(lock, now, is_served=is_served), err=True)


def hint(lock: Lock, now: int, *, is_served: bool) -> str:
    """Return what the payer of a bad or withheld answer can do: which command, until when."""
    from offchain.member.roles import LockState

    name = hex_id(lock.lock_id)
    if lock.state is LockState.CLAIMED and now < lock.due_at:
        if not is_served and not lock.is_demanded:
            return f"`dmsm user demand {name}` makes the node bring it on chain, before " + utc(
                lock.due_at
            )
        return (
            f"`dmsm user dispute {name}` asks the judges for price and bond, before "
            f"{utc(lock.due_at)}"
        )
    if lock.state is LockState.DEMANDED and now < lock.due_at:
        return f"it was demanded: the node has until {utc(lock.due_at)} to serve it on chain"
    if lock.state is LockState.DEMANDED:
        return f"the node did not serve it: `dmsm user slash {name}` brings price and bond"
    if lock.state is LockState.DISPUTED:
        said = f"it is disputed: the judges decide until {utc(lock.due_at)}"
        if lock.group_size:
            return said
        return said + (
            f"; if it was not served when you disputed, `dmsm user add-evidence {name}` shows them "
            "what it says once it is"
        )
    return "it can no longer be disputed" + (
        "" if lock.dispute_window_s else ": this type of request settles at once"
    )


def look_rows(look: Look) -> list[dict[str, Any]]:
    """Return the findings of a look as rows of a table."""
    return [{"finding": one.name, "holds": one.ok, "detail": one.detail} for one in look.findings]


def _show_prepared(prepared: PreparedDispute, *, force: bool, yes: bool, as_json: bool) -> None:
    """Show what would be sent; go on only when it shall be. Raises NothingToDispute."""
    look = prepared.look
    facts = {
        "lock": hex_id(prepared.lock.lock_id),
        "judges_decide_for": str(look.side),
        "because": look.why,
        "bond_wei": prepared.cost_wei,
        "until_at": prepared.until_at,
    }
    if not as_json:
        show_table(look_rows(look), title="what the judges find by what is at hand")
        show(facts)
    if not force:
        prepared.require_worth()
    if not yes:
        if as_json:
            show(facts | {"findings": look_rows(look)}, as_json=True)
        typer.echo("nothing was sent; repeat it with --yes", err=True)
        raise typer.Exit(1)
