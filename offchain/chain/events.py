"""Events from a stored block on, once each, through reorganisations.

The cursor keeps the hash of the blocks it went through. When the chain no longer has one of them
it goes back to the last that both know, and tells the consumer to undo what came after.
"""

import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, TypeVar

from offchain.chain import codec, questions
from offchain.chain.endpoint import BATCH_SIZE, Endpoint
from offchain.chain.errors import AbiMismatch, ChainError, NodeRefused
from offchain.chain.facts import Block, ChainEvent
from offchain.chain.gateway import ChainGateway
from offchain.chain.questions import Question
from offchain.chain.receipt import events_question

KEPT_BLOCKS = 256  # reorganisations deeper than this start over from the first block
_RANGE_BLOCKS = 2_000
_AT_ONCE_BLOCKS = 8  # as many, full of served answers, fit into the 25 MB that Geth answers
_T = TypeVar("_T")
_Questions = list[Question[Any]]
_Steps = Generator[_Questions, list[Any], _T]  # what is asked, what is answered, what came of it
_SCHEMA = """
CREATE TABLE IF NOT EXISTS cursor_blocks (
    name   TEXT NOT NULL,
    number INTEGER NOT NULL,
    hash   BLOB NOT NULL,
    PRIMARY KEY (name, number)
);
"""


@dataclass(frozen=True)
class EventBatch:
    """What happened since the last commit.

    `rolled_back_to` is None, or the last block that still holds: undo the effects of later ones
    before taking in `events`. `blocks` are those to remember, the last one the new position.
    `has_more`: the chain has final blocks behind them, so that another poll brings more.
    """

    events: tuple[ChainEvent, ...]
    rolled_back_to: int | None
    blocks: tuple[Block, ...]
    has_more: bool = False


class EventCursor:
    """A named reader of some events of some contracts; its position is in SQLite.

    Delivery is at least once: what was polled and not committed comes again, so consumers are
    idempotent. One thread uses a cursor.
    """

    def __init__(
        self,
        gateway: ChainGateway,
        wanted: Sequence[tuple[str, str]],
        path: Path | str,
        *,
        name: str,
        from_block: int | None = None,
        confirmations: int = 0,
        indexed: Mapping[str, Any] | None = None,
    ) -> None:
        """Open the cursor `name` in the database at `path`.

        `wanted` are (contract, event); `from_block` None is the first deployment among them;
        a block counts once `confirmations` blocks lie on top of it. `indexed`: arguments by which
        one wanted event is filtered; with several events there can be none. Raises AbiMismatch.
        """
        contracts = [gateway.deployment.contract(contract) for contract, _ in wanted]
        topics = [codec.topic(gateway.deployment.contract(c).event(event)) for c, event in wanted]
        self._gateway, self._wanted = gateway, frozenset(wanted)
        self._filter = {
            "address": sorted({contract.address for contract in contracts}),
            "topics": [
                sorted({"0x" + topic.hex() for topic in topics}),
                *_filters(gateway, wanted, indexed),
            ],
        }
        first = min(contract.block for contract in contracts)
        self._name, self._confirmations = name, confirmations
        self._first = first if from_block is None else from_block
        self._database = sqlite3.connect(path, check_same_thread=False, timeout=30)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    @property
    def position(self) -> int | None:
        """Return the number of the last committed block, or None before the first."""
        stored = self._stored()
        return stored[0][0] if stored else None

    def poll(self) -> EventBatch:
        """Return the next events (of at most 2,000 blocks) without moving on; see `commit`.

        Raises NodeRefused, NodeUnavailable, AbiMismatch (an event that does not decode).
        """
        steps = self._steps()
        asked = next(steps)
        while True:
            try:
                asked = steps.send(self._gateway.endpoint.batch(asked))
            except StopIteration as end:
                return end.value

    def _steps(self) -> _Steps[EventBatch]:
        """Yield what is to be asked, be sent the answers, return what came of it."""
        stored = self._stored()
        asked = [questions.block_number(), *_headers([number for number, _ in stored[:1]])]
        newest, *tip = yield from _ask(asked)
        head = newest - self._confirmations
        known = yield from self._common_ancestor(stored, head, tip)
        top = stored[0][0] if stored else None
        if top is not None and known == min(top, head) and head < top:
            return EventBatch((), None, ())  # the same chain on a node that is behind
        rolled_back_to = None if top is None or known == top else known
        start, end = known + 1, min(head, known + _RANGE_BLOCKS)
        if end < start:
            return EventBatch((), rolled_back_to, ())
        events, blocks = yield from self._read(start, end, head)
        parent = dict(stored).get(known)
        if blocks is None or (
            start == blocks[0].number and parent not in (None, blocks[0].parent_hash)
        ):
            return EventBatch((), None, ())  # the chain moved while it was read: poll again
        return EventBatch(events, rolled_back_to, blocks, has_more=end < head)

    def commit(self, batch: EventBatch) -> None:
        """Move on behind `batch`, whose events the consumer has durably taken in."""
        with self._database:
            if batch.rolled_back_to is not None:
                self._database.execute(
                    "DELETE FROM cursor_blocks WHERE name = ? AND number > ?",
                    (self._name, batch.rolled_back_to),
                )
            self._database.executemany(
                "INSERT OR REPLACE INTO cursor_blocks VALUES (?, ?, ?)",
                [(self._name, block.number, block.hash) for block in batch.blocks],
            )
            self._database.execute(
                "DELETE FROM cursor_blocks WHERE name = ? AND number <= "
                "(SELECT MAX(number) FROM cursor_blocks WHERE name = ?) - ?",
                (self._name, self._name, KEPT_BLOCKS),
            )

    def _stored(self) -> list[tuple[int, bytes]]:
        """Return (number, hash) of the remembered blocks, the newest first."""
        return self._database.execute(
            "SELECT number, hash FROM cursor_blocks WHERE name = ? ORDER BY number DESC",
            (self._name,),
        ).fetchall()

    def _common_ancestor(
        self, stored: Sequence[tuple[int, bytes]], head: int, tip: Sequence[Block | None]
    ) -> _Steps[int]:
        """Return the newest remembered block that the chain still has, or the one before all.

        tip: what the chain has for the newest remembered block: most polls need no more.
        """
        held = [(number, digest) for number, digest in stored if number <= head]
        if held and held[0] == stored[0] and _is_it(tip[0], held[0][1]):
            return held[0][0]
        step = 8  # a reorganisation reads the rest in growing strides
        while held:
            stride, held, step = held[:step], held[step:], step * 4
            blocks = yield from _ask(_headers([number for number, _ in stride]))
            for (number, digest), block in zip(stride, blocks, strict=True):
                if _is_it(block, digest):
                    return number
        return self._first - 1

    def _read(
        self, start: int, end: int, head: int
    ) -> _Steps[tuple[tuple[ChainEvent, ...], tuple[Block, ...] | None]]:
        """Return the events of a range and its last blocks; None when they do not fit together."""
        wanted = {**self._filter, "fromBlock": hex(start), "toBlock": hex(end)}
        # Far behind the head one block a range is enough: nothing reaches back so far.
        kept = range(min(end, max(start, head - KEPT_BLOCKS + 1)), end + 1)
        ask_logs = events_question(self._gateway.deployment, wanted)
        ask_headers = _headers(kept)
        # The last block before the logs and after: with the same hash the logs are its chain's.
        # Before them in the same question: a node that is behind, asked for the logs alone, gives
        # those that it has.
        if end - start >= _AT_ONCE_BLOCKS:
            before, events = yield from _ask([ask_headers[-1], ask_logs])
            headers = yield from _ask(ask_headers)
        else:
            ask: _Questions = [ask_headers[-1], ask_logs, *ask_headers]
            before, events, *headers = yield from _ask(ask)
        blocks = tuple(block for block in headers if block is not None)
        if not blocks or before != blocks[-1]:
            return (), None
        events = tuple(event for event in events if (event.contract, event.name) in self._wanted)
        hashes = {block.number: block.hash for block in blocks}
        linked = all(one.hash == two.parent_hash for one, two in pairwise(blocks))
        fits = all(hashes.get(e.block_number, e.block_hash) == e.block_hash for e in events)
        return events, blocks if len(blocks) == len(kept) and linked and fits else None


def poll_together(cursors: Sequence[EventCursor]) -> list[EventBatch | None]:
    """Poll several cursors of one gateway, each step of all in one JSON-RPC batch.

    None for one that could not be polled so: its own `poll` says why. Raises NodeUnavailable.
    """
    found: list[EventBatch | None] = [None] * len(cursors)
    running = {position: cursor._steps() for position, cursor in enumerate(cursors)}
    asked = {position: next(steps) for position, steps in running.items()}
    while asked:
        try:
            answers = iter(_ask_whole(cursors[0]._gateway.endpoint, list(asked.values())))
        except (NodeRefused, AbiMismatch):  # all of it, as one too large; or one cursor's logs
            return found
        then: dict[int, _Questions] = {}
        for position, one in asked.items():
            try:
                then[position] = running[position].send(list(islice(answers, len(one))))
            except StopIteration as end:
                found[position] = end.value
            except ChainError:
                continue
        asked = then
    return found


def _ask_whole(endpoint: Endpoint, asked: Sequence[_Questions]) -> list[Any]:
    """Ask several cursors' questions in as few batches as keep each one's together: what fits into
    one batch is answered by one node.
    """
    answers: list[Any] = []
    together: _Questions = []
    for one in asked:
        if together and len(together) + len(one) > BATCH_SIZE:
            answers += endpoint.batch(together)
            together = []
        together += one
    return answers + endpoint.batch(together)


def _ask(asked: _Questions) -> _Steps[list[Any]]:
    answers = yield asked
    for answer in answers:
        if isinstance(answer, NodeRefused):
            raise answer
    return answers


def _headers(numbers: Iterable[int]) -> _Questions:
    return [questions.header_or_none(number) for number in numbers]


def _is_it(block: Block | None, digest: bytes) -> bool:
    return block is not None and block.hash == digest


def _filters(
    gateway: ChainGateway, wanted: Sequence[tuple[str, str]], indexed: Mapping[str, Any] | None
) -> list[str | None]:
    """Return the topics behind the first that the wanted events must have."""
    if not indexed:
        return []
    if len(wanted) != 1:
        raise AbiMismatch("events are filtered by their arguments one at a time")
    ((contract, name),) = wanted
    return codec.topic_filters(gateway.deployment.contract(contract).event(name), indexed)
