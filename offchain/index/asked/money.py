"""Who may withdraw what, what it came from, and how credit moved."""

from __future__ import annotations

from offchain.index.asked.rows import Row, row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.credit import credit_changes
from offchain.index.projections.purse import payouts, withdrawable


def withdrawable_wei(index: ChainIndex, account: str, block: int) -> int:
    """Return what an account may withdraw."""
    found = row(index, said(withdrawable, block).where(withdrawable.c.account == account))
    return 0 if found is None else int(found["amount_wei"])


def payouts_of(index: ChainIndex, account: str, block: int) -> list[Row]:
    """Return what became an account's own, and what it withdrew, oldest first."""
    query = said(payouts, block).where(payouts.c.account == account)
    return rows(index, query.order_by(payouts.c.block, payouts.c.log_index, payouts.c.part))


def credit_changes_of(index: ChainIndex, account: str, block: int) -> list[Row]:
    """Return how a node's credit moved, oldest first."""
    query = said(credit_changes, block).where(credit_changes.c.account == account)
    return rows(index, query.order_by(credit_changes.c.block, credit_changes.c.log_index))
