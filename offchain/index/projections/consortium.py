"""Consortium: who votes, what is proposed, who agrees, and what can never be any more."""

from sqlalchemy import Boolean, Column, Index, and_

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, number, uint, versioned, word

# Who left keeps a row with since 0: a term counts how often it came, so that approvals of an
# earlier one count no more.
voters = versioned("voters", account("account", key=True), number("since"), number("term"))
thresholds = versioned("thresholds", number("one", key=True), number("threshold"))
proposals = versioned(
    "proposals",
    number("proposal_id", key=True),
    account("by"),
    account("target"),
    uint("value_wei"),
    word("data"),
    number("proposed_at"),
    number("first_agreed_at"),
    number("agreed_at"),
    Column("is_executed", Boolean, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    number("proposed_block"),
)
_pending = and_(proposals.c.is_executed.is_(False), proposals.c.is_cancelled.is_(False))
Index("proposals_pending", proposals.c.to_block, sqlite_where=_pending, postgresql_where=_pending)
approvals = versioned(
    "approvals", number("proposal_id", key=True), account("by", key=True), number("term")
)
cancel_votes = versioned(
    "cancel_votes", number("proposal_id", key=True), account("by", key=True), number("term")
)
# The latest proposal of a subject that was carried out: what is below it never can be.
floors = versioned("floors", word("subject", key=True), number("proposal_id"))

CONSORTIUM = Projection("Consortium")
_PROPOSAL = (proposals, "proposalId")
_APPROVALS = (approvals, "proposalId")
_CANCEL_VOTES = (cancel_votes, "proposalId")


@CONSORTIUM.on("MemberAdded", (voters, "account"), timed=True)
def _added(told: Told, changes: Changes) -> None:
    before = changes.row(voters, told["account"]) or {"term": 0}
    changes.put(voters, (told["account"],), told, since=told.time_s, term=before["term"] + 1)


@CONSORTIUM.on("MemberRemoved", (voters, "account"))
def _removed(told: Told, changes: Changes) -> None:
    changes.change(voters, (told["account"],), told, since=0)


@CONSORTIUM.on("ThresholdChanged")
def _threshold_changed(told: Told, changes: Changes) -> None:
    changes.put(thresholds, (1,), told, threshold=told["threshold"])


@CONSORTIUM.on("Proposed", _PROPOSAL, timed=True)
def _proposed(told: Told, changes: Changes) -> None:
    changes.put(
        proposals,
        (told["proposalId"],),
        told,
        by=told["by"],
        target=told["target"],
        value_wei=told["valueWei"],
        data=told["data"],
        proposed_at=told.time_s,
        first_agreed_at=0,
        agreed_at=0,
        is_executed=False,
        is_cancelled=False,
        proposed_block=told.block,
    )


@CONSORTIUM.on("Approved", _APPROVALS)
def _approved(told: Told, changes: Changes) -> None:
    voter = changes.row(voters, told["by"]) or {"term": 0}
    changes.put(approvals, (told["proposalId"], told["by"]), told, term=voter["term"])


@CONSORTIUM.on("ApprovalWithdrawn", _APPROVALS, _PROPOSAL)
def _withdrawn(told: Told, changes: Changes) -> None:
    proposal_id = told["proposalId"]
    changes.end(approvals, (proposal_id, told["by"]), told)
    standing = sum(
        _counts(changes.row(voters, by), held["term"])
        for (_, by), held in changes.rows_of(approvals, proposal_id).items()
    )
    needed = changes.row(thresholds, 1)
    if needed is None or standing < needed["threshold"]:
        changes.change(proposals, (proposal_id,), told, agreed_at=0)


@CONSORTIUM.on("Agreed", _PROPOSAL, timed=True)
def _agreed(told: Told, changes: Changes) -> None:
    before = changes.row(proposals, told["proposalId"]) or {"first_agreed_at": 0}
    changes.change(
        proposals,
        (told["proposalId"],),
        told,
        first_agreed_at=before["first_agreed_at"] or told.time_s,
        agreed_at=told.time_s,
    )


@CONSORTIUM.on("CancelVoted", _CANCEL_VOTES)
def _cancel_voted(told: Told, changes: Changes) -> None:
    voter = changes.row(voters, told["by"]) or {"term": 0}
    changes.put(cancel_votes, (told["proposalId"], told["by"]), told, term=voter["term"])


@CONSORTIUM.on("Cancelled", _PROPOSAL)
def _cancelled(told: Told, changes: Changes) -> None:
    changes.change(proposals, (told["proposalId"],), told, is_cancelled=True)


@CONSORTIUM.on("Executed", _PROPOSAL, (floors, "subject"))
def _executed(told: Told, changes: Changes) -> None:
    changes.change(proposals, (told["proposalId"],), told, is_executed=True)
    changes.put(floors, (told["subject"],), told, proposal_id=told["proposalId"])


def _counts(voter: dict[str, int] | None, term: int) -> bool:
    return voter is not None and voter["since"] != 0 and voter["term"] == term
