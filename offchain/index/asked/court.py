"""Disputes before the judges."""

from __future__ import annotations

from offchain.index.asked.rows import Row, row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.court import cases, evidence, votes


def open_cases(index: ChainIndex, block: int, *, now: int) -> list[Row]:
    """Return the cases that can be decided still at a time, oldest first."""
    query = said(cases, block).where(cases.c.is_decided.is_(False), cases.c.decide_by > now)
    return rows(index, query.order_by(cases.c.opened_block, cases.c.opened_log))


def case(index: ChainIndex, lock_id: bytes, block: int) -> Row | None:
    """Return a lock's case, None when there is none."""
    return row(index, said(cases, block).where(cases.c.lock_id == lock_id))


def brought(index: ChainIndex, lock_id: bytes, block: int) -> list[Row]:
    """Return the evidence of a case, in the order of the chain; the disputer's first."""
    query = said(evidence, block).where(evidence.c.lock_id == lock_id)
    return rows(index, query.order_by(evidence.c.block, evidence.c.log_index))


def votes_on(index: ChainIndex, lock_id: bytes, block: int) -> list[Row]:
    """Return the votes of a case, in the order of the chain."""
    query = said(votes, block).where(votes.c.lock_id == lock_id)
    return rows(index, query.order_by(votes.c.block, votes.c.log_index))
