"""DisputeCourt: cases, votes, and the evidence that was brought."""

from sqlalchemy import Boolean, Column, Index

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, number, versioned, word

cases = versioned(
    "cases",
    word("lock_id", key=True),
    number("opened_at"),
    number("decide_by"),
    number("needed"),
    number("votes_for_payer"),
    number("votes_for_payee"),
    Column("is_decided", Boolean, nullable=False),
    number("opened_block"),
    number("opened_log"),
)
_undecided = cases.c.is_decided.is_(False)
Index(
    "cases_undecided",
    cases.c.decide_by,
    cases.c.to_block,
    sqlite_where=_undecided,
    postgresql_where=_undecided,
)

votes = happened(
    "votes", word("lock_id"), account("judge"), Column("for_payer", Boolean, nullable=False)
)
Index("votes_lock", votes.c.lock_id)

evidence = happened("evidence", word("lock_id"), account("by"), word("digest"), number("length"))
Index("evidence_lock", evidence.c.lock_id)

COURT = Projection("DisputeCourt")
_CASE = (cases, "lockId")


@COURT.on("CaseOpened", _CASE, timed=True)
def _opened(told: Told, changes: Changes) -> None:
    changes.put(
        cases,
        (told["lockId"],),
        told,
        opened_at=told.time_s,
        decide_by=told["decideBy"],
        needed=told["needed"],
        votes_for_payer=0,
        votes_for_payee=0,
        is_decided=False,
        opened_block=told.block,
        opened_log=told.log_index,
    )


@COURT.on("Voted", _CASE)
def _voted(told: Told, changes: Changes) -> None:
    side = "votes_for_payer" if told["forPayer"] else "votes_for_payee"
    before = changes.row(cases, told["lockId"]) or {side: 0}
    changes.change(cases, (told["lockId"],), told, **{side: before[side] + 1})
    changes.add(
        votes,
        told,
        lock_id=told["lockId"],
        judge=told["judge"],
        for_payer=told["forPayer"],
    )


@COURT.on("CaseDecided", _CASE)
def _decided(told: Told, changes: Changes) -> None:
    changes.change(cases, (told["lockId"],), told, is_decided=True)


@COURT.on("EvidenceAdded")
def _added(told: Told, changes: Changes) -> None:
    changes.add(
        evidence,
        told,
        lock_id=told["lockId"],
        by=told["by"],
        digest=told["evidenceDigest"],
        length=told["evidenceLength"],
    )
