"""`dmsm judge`: a member of the consortium looks at disputes and votes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from offchain.cli.disputes import look_rows
from offchain.cli.output import final_facts, hex_id, show, show_table
from offchain.cli.parameters import DEFAULT_PROFILE, JsonOption, LockArgument, ProfileOption
from offchain.cli.reading import reading_session
from offchain.cli.session import open_index
from offchain.errors import DmsmError

if TYPE_CHECKING:
    from offchain.cli.session import Session
    from offchain.consortium.court.judge import JudgeAgent, Opinion

app = typer.Typer(
    no_args_is_help=True,
    help="Judge disputes: each member of the consortium looks at the bytes and votes for the payer "
    "or for the payee.",
)


class Party(Enum):
    """For whom one votes; the values are what is typed."""

    PAYER = "payer"
    PAYEE = "payee"


class _Judge(NamedTuple):
    session: Session
    agent: JudgeAgent


@app.command(name="list")
def list_cases(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """List the cases that can be decided still, and whether one's own vote is missing.

    Needs the judge's folder of keys, of which no secret is opened, and a chain node. Costs nothing.
    """
    from offchain.types import Role

    session = reading_session(profile, Role.CONSORTIUM)
    from offchain.consortium.court.voters import may_vote
    from offchain.member.cases import CaseBook

    depth = session.profile.confirmations
    with open_index(session.profile, session.gateway) as index:
        cases = CaseBook(session.gateway, index, confirmations=depth).open_cases()
        missing = [may_vote(session.gateway, index, one, session.account) for one in cases]
    rows = [
        {
            "lock": hex_id(case.lock_id),
            "decide_by_at": case.decide_by,
            "for_payer": case.votes_for_payer,
            "for_payee": case.votes_for_payee,
            "needed": case.needed,
            "my_vote_is_missing": is_missing,
        }
        for case, is_missing in zip(cases, missing, strict=True)
    ]
    show_table(rows, title="cases", as_json=as_json)


@app.command()
def look(
    lock: LockArgument, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Fetch and open what a case is about and say for whom it speaks, with the reasons.

    Needs the judge's keys, `[judge]` in the profile, a chain node and the content store. Costs
    nothing. Prints what the answer or data say: it is shown to the judges alone.
    """
    with _agent(profile, sends=False) as (session, agent):
        opinion = agent.look(lock)
        facts = _facts(opinion, session)
    if as_json:
        show(facts | {"findings": look_rows(opinion.look)}, as_json=True)
        return
    show_table(look_rows(opinion.look), title=f"findings in {hex_id(lock)}")
    show(facts)


@app.command()
def vote(
    lock: LockArgument,
    party: Annotated[
        Party | None, typer.Option("--for", help="For whom; left out: as `look` concludes.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Although one's own look says otherwise, or waits.")
    ] = False,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Vote on a case; the k-th equal vote decides it and moves the money.

    Needs what `look` needs. Costs gas. A vote cannot be taken back. Exit 1 when it would differ
    from what `look` concludes, or come before that is sure, and --yes is not given.
    """
    with _agent(profile) as (session, agent):
        from offchain.audit.look import Side

        opinion = _opinion(agent, lock, needed=party is None or not yes)
        side = Side(party.value) if party else opinion.look.side if opinion else None
        assert side is not None
        if opinion is not None and not yes:
            _require_agreed(opinion, str(side))
        sent = final_facts(session.gateway, agent.vote(lock, side))
    facts: dict[str, Any] = {"lock": hex_id(lock), "voted_for": str(side)}
    if opinion is not None:
        facts["because"] = opinion.look.why
    show(facts | sent, as_json=as_json)


@app.command()
def run(profile: ProfileOption = DEFAULT_PROFILE) -> None:
    """Look at every case and vote once it is sure, or has waited for missing bytes long enough.

    Needs what `look` needs, and runs until SIGTERM or Ctrl-C. Costs gas for each vote. Logs are
    JSON lines on stderr, without plaintext.
    """
    from offchain.cli.opening import at_service

    with at_service(profile, lambda: _agent(profile)) as (stop, judge):
        _run(judge, stop)


def _run(judge: _Judge, stop: threading.Event) -> None:
    import structlog

    from offchain.cli.loop_log import LoopLog

    log = structlog.get_logger("offchain.cli.judge")
    log.info("started", account=judge.session.keys.address)
    loop = LoopLog(log, lasting=("waits", "failed", "paused"))
    while not stop.is_set():
        steps = loop.attempt("poll", judge.agent.run_once)
        if steps is not None:
            loop.say(steps)
        stop.wait(judge.session.profile.judge.poll_s)
    log.info("stopped")


def _opinion(agent: JudgeAgent, lock: bytes, *, needed: bool) -> Opinion | None:
    """Return one's own look; None when it is not needed and cannot be had."""
    try:
        return agent.look(lock)
    except DmsmError:
        if needed:
            raise
        return None


def _require_agreed(opinion: Opinion, side: str) -> None:
    look = opinion.look
    if side != look.side:
        raise DmsmError(
            f"the case speaks for the {look.side} ({look.why}); to vote for the {side} all the "
            "same, add --yes"
        )
    if not look.is_final:
        raise DmsmError(
            f"{look.why}: what is missing may still come until {opinion.case.patient_until}; to "
            "vote now, add --yes"
        )


def _facts(opinion: Opinion, session: Session) -> dict[str, Any]:
    from offchain.member.names import PublicNames

    look, case, names = opinion.look, opinion.case, PublicNames(session.index)
    return {
        "lock": hex_id(case.lock_id),
        "payer_name": names.of(opinion.lock.payer),
        "payer": opinion.lock.payer,
        "payee_name": names.of(opinion.lock.payee),
        "payee": opinion.lock.payee,
        "speaks_for": str(look.side),
        "because": look.why,
        "is_final": look.is_final,
        "waits_until_at": None if look.is_final else case.patient_until,
        "decide_by_at": case.decide_by,
        "for_payer": case.votes_for_payer,
        "for_payee": case.votes_for_payee,
        "needed": case.needed,
        "may_vote": opinion.may_vote,
        "claimed": [f"{by}: {claim}" for by, claim in opinion.claims],
        "unread": list(opinion.unread),
    }


@contextmanager
def _agent(profile: Path, *, sends: bool = True) -> Iterator[_Judge]:
    from offchain.cli.session import health_gate, member_session
    from offchain.types import Role

    with member_session(profile, Role.CONSORTIUM, sends=sends) as session:
        from offchain.consortium.court.judge import JudgeAgent

        agent = JudgeAgent(
            gateway=session.gateway,
            index=session.index,
            store=session.store,
            keys=session.keys,
            directory=session.directory,
            confirmations=session.profile.confirmations,
            health=health_gate(session.profile, session.gateway),
        )
        yield _Judge(session, agent)
