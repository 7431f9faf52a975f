"""Who takes part."""

from __future__ import annotations

from offchain.index.asked.rows import Row, row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.registry import member_names, members


def member(index: ChainIndex, account: str, block: int) -> Row | None:
    """Return a member, active or revoked; None for a stranger."""
    return row(index, said(members, block).where(members.c.account == account))


def everybody(index: ChainIndex, block: int) -> list[Row]:
    """Return all members, active or revoked, in the order of their admission."""
    query = said(members, block)
    return rows(index, query.order_by(members.c.admitted_block, members.c.admitted_log))


def active(
    index: ChainIndex, role: int, block: int, *, region_id: bytes | None = None
) -> list[Row]:
    """Return the active members of a role (and region), in the order of their admission."""
    query = said(members, block).where(members.c.role == int(role), members.c.active.is_(True))
    if region_id is not None:
        query = query.where(members.c.region_id == region_id)
    return rows(index, query.order_by(members.c.admitted_block, members.c.admitted_log))


def devices_of(index: ChainIndex, owner: str, block: int) -> list[str]:
    """Return the accounts of an owner's active devices, in the order of their admission."""
    query = said(members, block).where(members.c.owner == owner, members.c.active.is_(True))
    query = query.order_by(members.c.admitted_block, members.c.admitted_log)
    return [one["account"] for one in rows(index, query)]


def names_given(index: ChainIndex, block: int) -> list[Row]:
    """Return every name that was ever given, oldest first; each stays its account's."""
    order = (member_names.c.block, member_names.c.log_index)
    return rows(index, said(member_names, block).order_by(*order))


def revoked(index: ChainIndex, block: int) -> frozenset[str]:
    """Return all who were revoked by the end of a block."""
    query = said(members, block).where(members.c.active.is_(False))
    return frozenset(one["account"] for one in rows(index, query))
