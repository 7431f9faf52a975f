"""Published data sets, their sales, and what was drawn of what they earned."""

from __future__ import annotations

from sqlalchemy import select

from offchain.chain.enumerations import LockState
from offchain.index.asked.rows import Row, row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.data_sets import data_sets, draws
from offchain.index.projections.locks import locks, selections
from offchain.index.projections.market import responses
from offchain.index.tables import at


def data_set(index: ChainIndex, data_set_id: bytes, block: int) -> Row | None:
    """Return a published data set, None when there is none."""
    return row(index, said(data_sets, block).where(data_sets.c.data_set_id == data_set_id))


def of_processor(index: ChainIndex, processor: str, block: int) -> list[Row]:
    """Return what a node published, oldest first."""
    query = said(data_sets, block).where(data_sets.c.processor == processor)
    return rows(index, query.order_by(data_sets.c.began_block, data_sets.c.began_log))


def all_of_them(index: ChainIndex, block: int) -> list[Row]:
    """Return all that was ever published, oldest first."""
    query = said(data_sets, block)
    return rows(index, query.order_by(data_sets.c.began_block, data_sets.c.began_log))


def on_sale(index: ChainIndex, block: int, *, now: int) -> list[Row]:
    """Return what may be selected at a time, oldest first."""
    query = said(data_sets, block).where(data_sets.c.sale_until > now)
    return rows(index, query.order_by(data_sets.c.began_block, data_sets.c.began_log))


def locks_on(index: ChainIndex, data_set_id: bytes, block: int) -> list[Row]:
    """Return the sharing locks of a data set, oldest first, with the broadcast of each."""
    query = select(locks, selections.c.broadcast_id)
    query = query.join(selections, selections.c.lock_id == locks.c.lock_id)
    query = query.where(
        at(locks, block), at(selections, block), selections.c.data_set_id == data_set_id
    )
    return rows(index, query.order_by(locks.c.began_block, locks.c.began_log))


def locks_of_seller(index: ChainIndex, processor: str, block: int) -> list[Row]:
    """Return the sharing locks that a node was selected for, oldest first."""
    query = said(locks, block).where(locks.c.payee == processor, locks.c.threshold > 0)
    return rows(index, query.order_by(locks.c.began_block, locks.c.began_log))


def is_sale(lock: Row) -> bool:
    """Whether a sharing lock was paid to the node and to the owners."""
    return int(lock["state"]) == LockState.SETTLED


def offers_of(index: ChainIndex, processor: str, block: int) -> list[Row]:
    """Return the node's standing answers to broadcasts, oldest first."""
    query = said(responses, block).where(responses.c.processor == processor)
    return rows(index, query.order_by(responses.c.said_block, responses.c.said_log))


def draws_of(index: ChainIndex, data_set_id: bytes, block: int) -> list[Row]:
    """Return what was drawn of a data set's earnings, oldest first."""
    query = said(draws, block).where(draws.c.data_set_id == data_set_id)
    return rows(index, query.order_by(draws.c.block, draws.c.log_index))
