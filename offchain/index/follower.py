"""Follow the chain: read events in blocks, project them, go back where the chain did."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from offchain.chain import questions
from offchain.chain.errors import LogUnreadable, NodeRefused
from offchain.chain.facts import Block
from offchain.chain.heads import wait_for_news
from offchain.chain.questions import Question
from offchain.chain.reader import ChainReader
from offchain.chain.subscription import SAFETY_POLL_S
from offchain.containment import ENDING, contained
from offchain.database import Database
from offchain.errors import DmsmError
from offchain.index import position, tables
from offchain.index.ancestor import NodeBehind, common_ancestor
from offchain.index.changes import Changes
from offchain.index.errors import IndexBehind, IndexIncomplete
from offchain.index.position import KEPT_BLOCKS, Known
from offchain.index.projection import Rules
from offchain.index.ranges import ChainMoved, Range, RangeReader, Span

_log = logging.getLogger(__name__)
_RETRY_S, _MOST_RETRY_S = 0.5, 60.0
_IDLE_S = 5.0  # how long one wait for a head lasts
_MOVED_S, _MOST_MOVED = 0.02, 100  # the chain moved while it was read: again after a moment


@dataclass(frozen=True, slots=True)
class News:
    """What a step brought. `newest`: the last block of the tables. `is_behind`: there is more to
    read. `new`, `final`: the contracts of which something was projected or undone, or became final.
    """

    newest: int
    is_behind: bool = False
    new: frozenset[str] = frozenset()
    final: frozenset[str] = frozenset()


Listener = Callable[[News], None]


class Follower:
    """Brings the tables up to the chain's head. Threads and processes may share the tables: what
    another has done in between is not done twice.
    """

    def __init__(self, gateway: ChainReader, database: Database, rules: Rules) -> None:
        """Begin anew when the tables are of other contracts. Raises StoreError."""
        self._gateway, self._database, self._rules = gateway, database, rules
        self._reader, self._span = RangeReader(gateway, rules), Span()
        self.first = self._reader.first
        self._stepping = threading.Lock()
        self._listeners: list[Listener] = []
        self._head: int | None = None
        self._is_behind = False
        self._told, self._stepped_at = -1, 0.0  # of the last step, if that reached the head
        self._seen: Known | None = None  # the tables' last block after this follower's last step
        self._contracts = frozenset(contract for contract, _ in rules.sources)
        self._not_final: list[tuple[int, str]] = []  # blocks in which a contract said something
        self._require_origin()

    def listen(self, listener: Listener) -> None:
        """Have `listener` called, on the thread that follows, after each step that brought news."""
        self._listeners.append(listener)

    @property
    def is_abreast(self) -> bool:
        """Whether the last step reached the head, and no block was told since, by a node that tells
        of them.
        """
        heads = self._gateway.new_heads
        is_recent = time.monotonic() - self._stepped_at < SAFETY_POLL_S
        return heads.is_told and is_recent and heads.told == self._told

    def catch_up(self, timeout_s: float | None = None) -> int:
        """Bring the tables to the chain's head as it is now; return their last block.

        Raises IndexBehind after `timeout_s`, ChainError, StoreError; what was taken in stays.
        """
        began, moved = time.monotonic(), 0
        while True:
            news = self.step()
            if news is not None and not news.is_behind:
                return news.newest
            if news is None:
                moved += 1
                time.sleep(_MOVED_S)
            is_late = timeout_s is not None and time.monotonic() - began >= timeout_s
            if is_late or moved >= _MOST_MOVED:
                raise IndexBehind(self._seen.number if self._seen else self.first - 1, self._head)

    def follow(self, stop: threading.Event) -> None:
        """Follow until `stop` is set. A chain node or database that does not answer is waited for:
        that is said when it begins and when it ends. Raises StoreDamaged, StoreVersion.
        """
        pause_s, heads = _RETRY_S, self._gateway.new_heads
        heads.begin()
        while not stop.is_set():
            told = heads.told
            try:
                with contained("following the chain"):
                    news = self.step()
            except ENDING:
                raise
            except DmsmError as error:
                if pause_s == _RETRY_S:
                    _log.warning("the chain cannot be followed: %s", error)
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, _MOST_RETRY_S)
                continue
            if pause_s != _RETRY_S:
                _log.info("the chain is followed again")
            pause_s = _RETRY_S
            if news is None:
                stop.wait(_MOVED_S)
            elif not news.is_behind:
                wait_for_news(
                    self._gateway, after=self._head, told=told, timeout_s=_IDLE_S, stop=stop
                )

    def step(self) -> News | None:
        """Take in the next range of blocks, or go back where the chain did; None when the chain
        moved while it was read.

        A log that no node gives so that it decodes is left out, and noted
        (`ChainIndex.unreadable`).
        Raises NodeRefused, NodeUnavailable, IndexIncomplete, StoreError.
        """
        told = self._gateway.new_heads.told
        with self._stepping:
            news = self._step()
        self._is_behind = news is not None and news.is_behind
        is_at_head = news is not None and not news.is_behind
        self._told, self._stepped_at = (told, time.monotonic()) if is_at_head else (-1, 0.0)
        if news is not None and (news.new or news.final):
            for listener in self._listeners:
                listener(news)
        return news

    # ---- one step

    def _step(self) -> News | None:
        with self._database.read() as connection:
            top = position.newest(connection)
        by_another = top != self._seen
        try:
            base, head, found = self._base(top)
        except NodeBehind:
            return self._news(top, by_another=by_another)
        except ChainMoved:
            return None
        start = self.first if base is None else base.number + 1
        if start > head:
            return self._news(top, by_another=by_another)
        if found is None or start < head:
            found = self._next_range(start, head)
        if found is None or not _follows(found, base):
            return None
        if not self._take_in(top, base, found):
            return None  # another process did it
        last = found.blocks[-1]
        said = {(one.block, one.source[0]) for one in found.events}
        self._not_final += sorted(said)
        news = self._news(Known(last.number, last.hash), by_another=by_another or base != top)
        new = news.new | {contract for _, contract in said}
        return replace(news, new=new, is_behind=last.number < head)

    def _base(self, top: Known | None) -> tuple[Known | None, int, Range | None]:
        """Return the last block of the tables that the chain still has, None for none, the chain's
        newest block, and what the one after the tables' last says, if it was told by the same
        answer. Raises NodeBehind, ChainMoved.
        """
        head, tip, after = self._glance(top)
        self._head = head
        if top is None or (tip is not None and tip.hash == top.hash):
            return top, head, after
        with self._database.read() as connection:
            kept = position.kept(connection)
        return common_ancestor(kept, head, self._gateway.endpoint.ask_all), head, None

    def _glance(self, top: Known | None) -> tuple[int, Block | None, Range | None]:
        """Ask for the chain's newest block and the tables' last, and for the next one's events with
        them: that one alone is new, most times that anything is.
        """
        endpoint, asked = self._gateway.endpoint, [questions.block_number()]
        if top is None:
            return endpoint.ask_all(asked)[0], None, None
        plain: list[Question[Any]] = [*asked, questions.header_or_none(top.number)]
        if self._is_behind:  # many are new: they are read as a range
            head, tip = endpoint.ask_all(plain)
            return head, tip, None
        after = self._reader.next_questions(top.number + 1)
        try:
            head, tip, *told = endpoint.batch([*plain, *after])
        except LogUnreadable:  # to be read with more patience
            head, tip = endpoint.ask_all(plain)
            return head, tip, None
        for one in (head, tip):
            if isinstance(one, NodeRefused):
                raise one
        return head, tip, self._reader.of_next(told)

    def _next_range(self, start: int, head: int) -> Range | None:
        """Read from `start` on, as much as the node gives at once."""
        while True:
            end = min(head, start + self._span.blocks - 1)
            try:
                # Far behind the head one block a range is enough: nothing reaches back so far.
                kept = head - KEPT_BLOCKS + 1
                try:
                    return self._reader.read(start, end, kept=kept, span=self._span)
                except LogUnreadable:  # whichever node is asked: noted, and the rest goes on
                    return self._reader.read(start, end, kept=kept, span=self._span, tolerant=True)
            except NodeRefused:
                if not self._span.shrink():
                    raise

    def _take_in(self, top: Known | None, base: Known | None, found: Range) -> bool:
        """Write one range whole, or nothing: False when another process has moved the tables."""
        try:
            with self._database.write() as connection:
                if position.newest(connection) != top:
                    return False
                if base != top:
                    known = self.first - 1 if base is None else base.number
                    _log.warning("a reorganisation took off what followed block %d", known)
                    _go_back(connection, known)
                position.note_unreadable(connection, found.unreadable)
                changes = Changes(connection, self._gateway.deployment.address)
                has_gaps = bool(position.unreadable(connection, found.blocks[-1].number))
                self._rules.apply(found.events, changes, has_gaps=has_gaps)
                changes.write()
                position.go_on(connection, found.blocks)
        except IndexIncomplete:
            self._begin_anew()
            raise
        return True

    def _news(self, top: Known | None, *, by_another: bool) -> News:
        """Return the news of a step that ended at `top`. `by_another`: whether the tables moved in
        a way that this follower has not counted.
        """
        self._seen = top
        newest = self.first - 1 if top is None else top.number
        final = newest - self._gateway.confirmations
        became = frozenset(contract for block, contract in self._not_final if block <= final)
        self._not_final = [one for one in self._not_final if final < one[0] <= newest]
        unknown = self._contracts if by_another else frozenset[str]()
        return News(newest, new=unknown, final=became | unknown)

    # ---- whose events

    def _require_origin(self) -> None:
        """Keep the tables of these contracts alone: others' are emptied."""
        deployment = self._gateway.deployment
        places = {name: deployment.address(name) for name in deployment.names}
        text = json.dumps([deployment.chain_id, places], sort_keys=True)
        with self._database.write() as connection:
            found = position.origin(connection)
            if found == text:
                return
            if found is not None:
                _log.warning("the index is of other contracts; it begins anew")
            _go_back(connection, -1)
            position.set_origin(connection, text)

    def _begin_anew(self) -> None:
        with self._database.write() as connection:
            _go_back(connection, -1)


def _go_back(connection: Connection, block: int) -> None:
    """Let tables and position say what they said at the end of a block; -1: nothing."""
    tables.roll_back(connection, block)
    position.go_back(connection, block)


def _follows(found: Range, base: Known | None) -> bool:
    """Whether a range follows a block, as far as its headers tell."""
    first = found.blocks[0]
    return base is None or first.number != base.number + 1 or first.parent_hash == base.hash
