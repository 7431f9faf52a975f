"""Events that concern a node, each taken in once its block is deep enough, and followed through
reorganisations.

The position lies in the node's own store as numbers and hashes of blocks: when the chain lacks one
of them, it goes back to the last that both know, however deep that lies within 256 blocks (beyond,
it starts over).
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from offchain.chain.errors import ChainError
from offchain.chain.events import EventBatch, EventCursor, poll_together
from offchain.chain.facts import ChainEvent
from offchain.chain.gateway import ChainGateway
from offchain.containment import contained
from offchain.errors import Unforeseen
from offchain.node.store import NodeStore
from offchain.sqlite_file import fault_of

_log = logging.getLogger(__name__)
_TRIES = 3


class InboxScan:
    """One kind of event, `source` (contract, name), as one node takes it in.

    `take` stores what an event tells and must be idempotent: after a crash an event comes again.
    `undo` is called when blocks were taken off the chain, before what came in their place.
    """

    def __init__(
        self,
        gateway: ChainGateway,
        held: NodeStore,
        source: tuple[str, str],
        *,
        confirmations: int,
        take: Callable[[ChainEvent], None],
        undo: Callable[[], None],
        **indexed: Any,
    ) -> None:
        self._take, self._undo, self._name = take, undo, ".".join(source)
        self._ahead: EventBatch | None = None
        self._path = held.path
        with _faults_as_ours(self._path):
            self._cursor = EventCursor(
                gateway,
                [source],
                self._path,
                name=self._name,
                confirmations=confirmations,
                indexed=indexed,
            )

    def follow(self) -> None:
        """Take in all that is new and deep enough. Raises LogUnreadable, NodeUnavailable,
        StoreError.
        """
        has_more = True
        while has_more:
            with _faults_as_ours(self._path):
                batch, self._ahead = self._ahead or self._cursor.poll(), None
            if batch.rolled_back_to is not None:
                _log.warning(
                    "%s: a reorganisation took off what followed block %d",
                    self._name,
                    batch.rolled_back_to,
                )
                self._undo()
            for event in batch.events:
                self._take_one(event)
            with _faults_as_ours(self._path):
                self._cursor.commit(batch)
            has_more = batch.has_more

    def _take_one(self, event: ChainEvent) -> None:
        """Take in an event. One that fails again and again for a reason that nobody foresaw is
        passed over: those behind it must not wait for it.
        """
        try:
            with contained(f"taking in {self._name}"):
                self._take(event)
        except Unforeseen as error:
            if error.times < _TRIES:
                raise
            _log.error("%s in block %d is passed over: %s", self._name, event.block_number, error)


@contextmanager
def _faults_as_ours(path: Path) -> Iterator[None]:
    """Raise what SQLite raises below a cursor as StoreError: a poll that fails is tried again."""
    try:
        yield
    except sqlite3.Error as error:
        raise fault_of(error, path) from error


def look_ahead(scans: Sequence[InboxScan]) -> None:
    """Read for several scans at once what each will take in at its next `follow`. Where that fails
    nothing is said: each asks alone then, so that none fails for another's sake.
    """
    try:
        batches = poll_together([scan._cursor for scan in scans])
    except ChainError as error:
        _log.info("events are asked for one kind after another: %s", error)
        batches = [None] * len(scans)
    for scan, batch in zip(scans, batches, strict=True):
        scan._ahead = batch
