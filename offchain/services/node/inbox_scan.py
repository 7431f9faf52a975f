"""Events that concern a node, read from where the last scan ended, with an overlap for
reorganisations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.chain.receipt import ChainEvent
from offchain.services.node.store import NodeStore

OVERLAP_BLOCKS = 64


@contextmanager
def new_events(
    gateway: ChainGateway,
    held: NodeStore,
    source: tuple[str, str],
    *,
    confirmations: int = 0,
    **filters: Any,
) -> Iterator[list[ChainEvent]]:
    """Give the events (contract, name) since the last scan, and those of the overlap before it
    again.

    The place is remembered when the block ends without an exception: an event may come twice and
    is never lost, so whoever takes them in must be idempotent.
    """
    contract, name = source
    note, first = f"scan:{contract}.{name}", gateway.deployment.block(contract)
    tip = gateway.block_number() - confirmations
    before = held.recall(note)
    start = first if before is None else max(first, int(before.decode()) - OVERLAP_BLOCKS)
    if tip < start:
        yield []
        return
    yield list(gateway.events(contract, name, from_block=start, to_block=tip, **filters))
    held.remember(note, str(tip).encode())
