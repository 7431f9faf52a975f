"""Who takes part."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from offchain.index.asked.rows import LogPlace, Row, before, in_parts, row, rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.registry import member_names, members, revocations
from offchain.types import Role


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


def ever_owned(index: ChainIndex, owner: str, block: int) -> list[str]:
    """Return the accounts of all devices that are or were an owner's, in the order of their
    admission: one that was revoked keeps what its readings earn.
    """
    query = said(members, block).where(members.c.owner == owner, members.c.role == int(Role.DEVICE))
    query = query.order_by(members.c.admitted_block, members.c.admitted_log)
    return [one["account"] for one in rows(index, query)]


def names_given(index: ChainIndex, block: int) -> list[Row]:
    """Return every name that was ever given, oldest first; each stays its account's."""
    order = (member_names.c.block, member_names.c.log_index)
    return rows(index, said(member_names, block).order_by(*order))


def revoked(index: ChainIndex, place: LogPlace) -> frozenset[str]:
    """Return all who were revoked before a place."""
    query = select(revocations.c.account).where(before(revocations, place))
    return frozenset(one["account"] for one in rows(index, query))


def owners_of(index: ChainIndex, devices: Sequence[str], block: int) -> dict[str, str]:
    """Return who owns devices, active or revoked; those that are none are not in it."""
    found: dict[str, str] = {}
    for some in in_parts(list(devices)):
        query = said(members, block).where(
            members.c.account.in_(some), members.c.role == int(Role.DEVICE)
        )
        found |= {one["account"]: one["owner"] for one in rows(index, query)}
    return found
