"""Whose locks there are, what each went through, and which still need something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select

from offchain.index.asked.rows import Row, row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.locks import lock_steps, locks, requests, selections


@dataclass(frozen=True, slots=True)
class Step:
    """An event of a lock, by name, and where the chain has it."""

    lock_id: bytes
    name: str
    block: int
    log_index: int
    tx_hash: str


def lock(index: ChainIndex, lock_id: bytes, block: int) -> Row | None:
    """Return a lock, None when there is none at a block."""
    return row(index, said(locks, block).where(locks.c.lock_id == lock_id))


def of_payer(index: ChainIndex, payer: str, block: int) -> list[Row]:
    """Return the locks that an account paid for, oldest first."""
    return rows(index, _in_order(said(locks, block).where(locks.c.payer == payer)))


def of_payee(index: ChainIndex, payee: str, block: int) -> list[Row]:
    """Return the locks that name a node, oldest first."""
    return rows(index, _in_order(said(locks, block).where(locks.c.payee == payee)))


def waiting(index: ChainIndex, payee: str, block: int, states: Sequence[int] = ()) -> list[Row]:
    """Return a node's locks that have not ended, oldest first; `states`: those in them alone.

    What has ended is not looked at, however much it is.
    """
    query = said(locks, block).where(locks.c.payee == payee, locks.c.is_ended.is_(False))
    if states:
        query = query.where(locks.c.state.in_([int(one) for one in states]))
    return rows(index, _in_order(query))


def request(index: ChainIndex, lock_id: bytes, block: int) -> Row | None:
    """Return what a user asked, None for no request."""
    return row(index, said(requests, block).where(requests.c.lock_id == lock_id))


def selection(index: ChainIndex, lock_id: bytes, block: int) -> Row | None:
    """Return what a data-sharing node selected, None for no selection."""
    return row(index, said(selections, block).where(selections.c.lock_id == lock_id))


def steps(index: ChainIndex, lock_id: bytes, block: int) -> list[Step]:
    """Return what a lock went through up to a block, in the order of the chain."""
    query = said(lock_steps, block).where(lock_steps.c.lock_id == lock_id)
    found = rows(index, query.order_by(lock_steps.c.block, lock_steps.c.log_index))
    return [_step(one) for one in found]


def last_step(index: ChainIndex, lock_id: bytes, name: str, block: int) -> Step | None:
    """Return the last event of one name of a lock."""
    of_name = (lock_steps.c.lock_id == lock_id, lock_steps.c.name == name)
    last_first = (lock_steps.c.block.desc(), lock_steps.c.log_index.desc())
    found = row(index, said(lock_steps, block).where(*of_name).order_by(*last_first).limit(1))
    return None if found is None else _step(found)


def _step(told: Row) -> Step:
    return Step(told["lock_id"], told["name"], told["block"], told["log_index"], told["tx_hash"])


def _in_order(query: Select[Any]) -> Select[Any]:
    return query.order_by(locks.c.began_block, locks.c.began_log)
