"""The events of a range of blocks, all contracts at once, with headers that fit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from offchain.chain import answers, questions
from offchain.chain.answers import AnswerUnreadable
from offchain.chain.errors import LogUnreadable, NodeRefused
from offchain.chain.facts import Block
from offchain.chain.questions import Question
from offchain.chain.reader import ChainReader
from offchain.index.decoding import EventDecoder, Told
from offchain.index.projection import Rules

_AT_ONCE_BLOCKS = 8  # as many, full of served answers, fit into the 25 MB that Geth answers
_FIRST_SPAN, _MOST_BLOCKS = 2_000, 100_000
_WANTED_CHARACTERS = 6_000_000  # of one answer; about 8,000 events
_PLAIN_LOG = 600  # characters of a log besides its data


class ChainMoved(Exception):
    """The chain moved while it was read."""


@dataclass(frozen=True, slots=True)
class Range:
    """Events in the order of the chain, and the last blocks of their range. `unreadable`: the
    logs that no node gives so that they decode, each with why.
    """

    events: list[Told]
    blocks: tuple[Block, ...]
    unreadable: list[Unreadable]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A log of a contract that does not decode."""

    block: int
    log_index: int
    why: str


class Span:
    """How many blocks are asked for at once: as many as give an answer of a handy size."""

    def __init__(self) -> None:
        self.blocks = _FIRST_SPAN

    def fit(self, asked: int, characters: int) -> None:
        """Learn from an answer to so many blocks."""
        if characters > _WANTED_CHARACTERS:
            self.blocks = max(1, asked * _WANTED_CHARACTERS // characters)
        elif characters < _WANTED_CHARACTERS // 2 and asked >= self.blocks:
            self.blocks = min(_MOST_BLOCKS, self.blocks * 2)

    def shrink(self) -> bool:
        """Ask for less after a refusal. False when it is one block already."""
        was, self.blocks = self.blocks, max(1, self.blocks // 4)
        return was > 1


class RangeReader:
    """Reads what the rules know of, decoded."""

    def __init__(self, gateway: ChainReader, rules: Rules) -> None:
        self._ask, self._rules = gateway.endpoint.ask_all, rules
        self._decoders: dict[tuple[str, str], EventDecoder] = {}
        for contract, event in rules.sources:
            target = gateway.deployment.contract(contract)
            for topic, entry in target.events_by_topic.items():
                if entry["name"] == event:
                    decoder = EventDecoder(target, entry)
                    self._decoders[target.address.lower(), "0x" + topic.hex()] = decoder
        addresses = sorted({address for address, _ in self._decoders})
        topics = sorted({topic for _, topic in self._decoders})
        self._filter = {"address": addresses, "topics": [topics]}
        contracts = {contract for contract, _ in rules.sources}
        self.first = min(gateway.deployment.block(one) for one in contracts)

    def read(
        self, start: int, end: int, *, kept: int, span: Span, tolerant: bool = False
    ) -> Range | None:
        """Return the events of blocks start to end, with the headers of those from `kept` on.

        None when the answers do not fit together: the chain moved while it was read. `tolerant`:
        what does not decode is left out and told. Raises NodeRefused (of a range that is too large,
        too), NodeUnavailable, else LogUnreadable.
        """
        wanted = {**self._filter, "fromBlock": hex(start), "toBlock": hex(end)}
        ask_logs = Question("eth_getLogs", [wanted], partial(self._decoded, tolerant=tolerant))
        first = max(start, min(kept, end))
        ask_headers = [questions.header_or_none(number) for number in range(first, end + 1)]
        # The last block before the logs and after: with the same hash the logs are its chain's.
        # Before them in the same question: a node that is behind, asked for the logs alone, gives
        # those that it has.
        if end - start >= _AT_ONCE_BLOCKS:
            before, (events, unreadable, size) = self._ask([ask_headers[-1], ask_logs])
            headers = self._ask([*ask_headers])
        else:
            together: list[Question[Any]] = [ask_headers[-1], ask_logs, *ask_headers]
            before, (events, unreadable, size), *headers = self._ask(together)
        span.fit(end - start + 1, size)
        blocks = tuple(one for one in headers if one is not None)
        if len(blocks) != len(ask_headers) or before != blocks[-1]:
            return None
        if not _fit(events, blocks) or not self._time(events, blocks):
            return None
        return Range(events, blocks, unreadable)

    def next_questions(self, number: int) -> list[Question[Any]]:
        """Return what `of_next` reads the events of one block from, that there may not be yet."""
        wanted = {**self._filter, "fromBlock": hex(number), "toBlock": hex(number)}
        ask_logs = Question("eth_getLogs", [wanted], partial(self._decoded, tolerant=False))
        ask_header = questions.header_or_none(number)
        return [ask_header, ask_logs, ask_header]

    def of_next(self, answers: Sequence[Any]) -> Range | None:
        """Return the events of the block, None when there is none yet. Raises ChainMoved when the
        answers do not fit together.
        """
        before, told, header = answers
        if isinstance(told, NodeRefused):  # some nodes refuse the logs of a block that is not yet
            return None
        events, unreadable, _ = told
        if header is None and before is None:
            return None
        if before != header or not isinstance(header, Block):
            raise ChainMoved
        if not _fit(events, (header,)) or not self._time(events, (header,)):
            raise ChainMoved
        return Range(events, (header,), unreadable)

    def _decoded(self, raw: object, *, tolerant: bool) -> tuple[list[Told], list[Unreadable], int]:
        """Return the events in logs, without those that the rules do not know, what does not
        decode, and about how many characters the answer had. Raises AnswerUnreadable, and
        LogUnreadable unless `tolerant`.
        """
        events, unreadable, size = list[Told](), list[Unreadable](), 0
        for log in raw if isinstance(raw, list) else [None]:
            if not isinstance(log, dict) or not isinstance(log.get("topics"), list):
                raise AnswerUnreadable("what should be logs is none")
            address, topics = str(log.get("address")).lower(), log["topics"]
            decoder = self._decoders.get((address, str(topics[0]) if topics else ""))
            try:
                if decoder is not None:
                    events.append(decoder.told(log))
            except LogUnreadable as error:
                if not tolerant:
                    raise
                unreadable.append(
                    Unreadable(
                        block=answers.count(log.get("blockNumber")),
                        log_index=answers.count(log.get("logIndex")),
                        why=str(error),
                    )
                )
            size += _PLAIN_LOG + len(str(log.get("data")))
        events.sort(key=lambda one: (one.block, one.log_index))
        return events, unreadable, size

    def _time(self, events: Sequence[Told], blocks: Sequence[Block]) -> bool:
        """Give events the time of their blocks where a rule needs it and the node did not tell.

        False when a block is another one than the event's by now.
        """
        known = {block.number: block for block in blocks}
        waiting = [one for one in events if not one.time_s and self._rules.is_timed(one.source)]
        missing = sorted({one.block for one in waiting} - known.keys())
        found = self._ask([questions.header_or_none(one) for one in missing]) if missing else []
        known |= {block.number: block for block in found if block is not None}
        for one in waiting:
            block = known.get(one.block)
            if block is None or block.hash != one.block_hash:
                return False
            one.time_s = block.timestamp
        return True


def _fit(events: Sequence[Told], blocks: Sequence[Block]) -> bool:
    hashes = {block.number: block.hash for block in blocks}
    linked = all(one.hash == two.parent_hash for one, two in pairwise(blocks))
    return linked and all(hashes.get(one.block, one.block_hash) == one.block_hash for one in events)
