"""How far the tables are: the blocks that they went through, kept beside the rows.

As many are kept as any reorganisation may take off, and the first: by it a node that is far
behind is told from another chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)

from offchain.chain.facts import Block
from offchain.index.tables import METADATA, at, happened

if TYPE_CHECKING:
    from offchain.index.ranges import Unreadable

KEPT_BLOCKS = 256  # reorganisations deeper than this start over from the first block

_blocks = Table(
    "blocks",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("time_s", BigInteger, nullable=False),
)
_origin = Table("origin", METADATA, Column("text", String, primary_key=True))

# Logs that do not decode, as an event's place and why. They go with their blocks like rows.
_unreadable = happened("unreadable", Column("why", String, nullable=False))


@dataclass(frozen=True, slots=True)
class Known:
    """A block that the tables went through."""

    number: int
    hash: bytes


def newest(connection: Connection) -> Known | None:
    """Return the last block that the tables have, None before the first."""
    found = connection.execute(
        select(_blocks.c.number, _blocks.c.hash).order_by(_blocks.c.number.desc()).limit(1)
    ).first()
    return None if found is None else Known(*found)


def kept(connection: Connection) -> list[Known]:
    """Return the remembered blocks, the newest first."""
    query = select(_blocks.c.number, _blocks.c.hash).order_by(_blocks.c.number.desc())
    return [Known(*row) for row in connection.execute(query)]


def time_of(connection: Connection, number: int) -> int | None:
    """Return a remembered block's time."""
    return connection.execute(select(_blocks.c.time_s).where(_blocks.c.number == number)).scalar()


def go_back(connection: Connection, number: int) -> None:
    """Forget the blocks behind a number."""
    connection.execute(delete(_blocks).where(_blocks.c.number > number))


def go_on(connection: Connection, blocks: Sequence[Block]) -> None:
    """Remember blocks; forget what no reorganisation can reach any more, but for the first."""
    rows = [{"number": b.number, "hash": b.hash, "time_s": b.timestamp} for b in blocks]
    connection.execute(insert(_blocks), rows)
    lowest = connection.execute(select(func.min(_blocks.c.number))).scalar_one()
    old = _blocks.c.number <= blocks[-1].number - KEPT_BLOCKS
    connection.execute(delete(_blocks).where(old, _blocks.c.number > lowest))


def origin(connection: Connection) -> str | None:
    """Return whose events the tables hold: see `Follower`."""
    return connection.execute(select(_origin.c.text)).scalar()


def set_origin(connection: Connection, text: str) -> None:
    """Note whose events the tables hold."""
    connection.execute(delete(_origin))
    connection.execute(insert(_origin).values(text=text))


def note_unreadable(connection: Connection, logs: Sequence[Unreadable]) -> None:
    """Note logs that were left out."""
    rows = [
        {"block": one.block, "log_index": one.log_index, "part": 0, "why": one.why} for one in logs
    ]
    if rows:
        connection.execute(insert(_unreadable), rows)


def unreadable(connection: Connection, block: int) -> list[str]:
    """Return why logs up to a block do not decode: the first few."""
    query = select(_unreadable.c.why).where(at(_unreadable, block))
    return list(connection.execute(query.order_by(_unreadable.c.block).limit(3)).scalars())
