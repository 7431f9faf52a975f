"""What the consortium's members propose, and who agrees."""

from __future__ import annotations

from sqlalchemy import and_

from offchain.index.asked.rows import Row, row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.consortium import approvals, proposals, voters
from offchain.index.tables import at
from offchain.types import Account, to_account


def proposals_at(index: ChainIndex, block: int, *, pending: bool = False) -> list[Row]:
    """Return proposals by number; `pending`: those neither carried out nor cancelled."""
    query = said(proposals, block)
    if pending:
        query = query.where(proposals.c.is_executed.is_(False), proposals.c.is_cancelled.is_(False))
    return rows(index, query.order_by(proposals.c.proposal_id))


def proposal(index: ChainIndex, proposal_id: int, block: int) -> Row | None:
    """Return a proposal, None when there is none."""
    return row(index, said(proposals, block).where(proposals.c.proposal_id == proposal_id))


def approvals_of(index: ChainIndex, proposal_id: int, block: int) -> list[str]:
    """Return the voters whose approval of a proposal counts, in the order of their accounts: those
    who have been voters ever since they gave it.
    """
    counts = and_(
        at(voters, block),
        voters.c.account == approvals.c.by,
        voters.c.since > 0,
        voters.c.term == approvals.c.term,
    )
    query = said(approvals, block).join(voters, counts)
    query = query.where(approvals.c.proposal_id == proposal_id).order_by(approvals.c.by)
    return [one["by"] for one in rows(index, query)]


def ever_voters(index: ChainIndex, block: int) -> list[Account]:
    """Return all who vote or ever did, by account."""
    found = rows(index, said(voters, block).order_by(voters.c.account))
    return [to_account(one["account"]) for one in found]


def voters_at(index: ChainIndex, block: int) -> list[Row]:
    """Return who votes, by account."""
    query = said(voters, block).where(voters.c.since > 0)
    return rows(index, query.order_by(voters.c.account))
