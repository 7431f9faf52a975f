"""Broadcasts, their forms, and the groups that were selected."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from offchain.chain.enumerations import BroadcastState
from offchain.index.asked.rows import Row, row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.locks import lock_steps
from offchain.index.projections.market import (
    broadcast_regions,
    broadcasts,
    grant_members,
    grants,
    responses,
)
from offchain.index.tables import at


@dataclass(frozen=True, slots=True)
class Group:
    """The group of a sharing lock, in the contract's order; `delivery_keys` are 64 bytes each."""

    broadcast_id: bytes
    members: tuple[str, ...]
    delivery_keys: tuple[bytes, ...]


def broadcast(index: ChainIndex, broadcast_id: bytes, block: int) -> Row | None:
    """Return a broadcast, None when there is none."""
    return row(index, said(broadcasts, block).where(broadcasts.c.broadcast_id == broadcast_id))


def regions_of(index: ChainIndex, broadcast_id: bytes, block: int) -> list[bytes]:
    """Return the regions that a broadcast wants, ascending as it names them."""
    query = said(broadcast_regions, block)
    query = query.where(broadcast_regions.c.broadcast_id == broadcast_id)
    found = rows(index, query.order_by(broadcast_regions.c.part))
    return [one["region_id"] for one in found]


def open_broadcasts(index: ChainIndex, region_id: bytes, block: int, *, now: int = 0) -> list[Row]:
    """Return the open broadcasts that want a region, oldest first, that can be answered still at a
    time; those that ended are not looked at.
    """
    regions = select(broadcast_regions.c.broadcast_id).where(
        at(broadcast_regions, block),
        broadcast_regions.c.broadcast_id == broadcasts.c.broadcast_id,
        broadcast_regions.c.region_id == region_id,
    )
    query = said(broadcasts, block).where(
        broadcasts.c.state == int(BroadcastState.OPEN),
        broadcasts.c.respond_by > now,
        regions.exists(),
    )
    return rows(index, query.order_by(broadcasts.c.began_block, broadcasts.c.began_log))


def form(index: ChainIndex, broadcast_id: bytes, block: int) -> list[Row]:
    """Return the standing responses, by credit from high to low, the earlier first."""
    query = said(responses, block).where(responses.c.broadcast_id == broadcast_id)
    order = (responses.c.credit.desc(), responses.c.said_block, responses.c.said_log)
    return rows(index, query.order_by(*order))


def group_of(index: ChainIndex, lock_id: bytes, block: int) -> Group | None:
    """Return a sharing lock's group, None when there is none."""
    found = row(index, said(grants, block).where(grants.c.lock_id == lock_id))
    if found is None:
        return None
    keys = found["delivery_keys"]
    return Group(
        broadcast_id=found["broadcast_id"],
        members=tuple(found["members"].split("\n")),
        delivery_keys=tuple(keys[start : start + 64] for start in range(0, len(keys), 64)),
    )


def delivered_to(index: ChainIndex, account: str, block: int) -> list[bytes]:
    """Return the delivered locks of groups that an account is in, oldest first."""
    delivered = select(lock_steps.c.lock_id).where(
        at(lock_steps, block),
        lock_steps.c.lock_id == grant_members.c.lock_id,
        lock_steps.c.name == "Delivered",
    )
    query = said(grant_members, block).where(grant_members.c.account == account, delivered.exists())
    order = (grant_members.c.block, grant_members.c.log_index, grant_members.c.part)
    return [one["lock_id"] for one in rows(index, query.order_by(*order))]
