"""What the desks of a node's worker share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_high

from offchain.chain.gateway import ChainGateway
from offchain.containment import contained
from offchain.errors import Unforeseen
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.locks import LockBook
from offchain.node.outcome import NodeTerms
from offchain.node.store import NodeStore
from offchain.storage import ContentStore
from offchain.storage.search import PatientSearch

_log = logging.getLogger(__name__)

_POLL_S = 5  # between two looks: what was waited for must then be refused in time
_PACE_BLOCKS = 8  # over so many the pace of blocks is measured


@dataclass(frozen=True, kw_only=True)
class NodeParts:
    """Who a node is, what it holds, whom it knows, and on which terms it serves.

    index: the chain in tables, which says what there is to do; each step asks the contracts.
    """

    gateway: ChainGateway
    index: ChainIndex
    store: ContentStore
    keys: MemberKeys
    readings: NodeStore
    directory: MemberDirectory
    terms: NodeTerms


class Desk:
    """One kind of work. `_book` goes by what lies deep enough, `_newest` by the newest block."""

    def __init__(self, parts: NodeParts) -> None:
        self._gateway = parts.gateway
        self._index = parts.index
        self._store = parts.store
        self._search = PatientSearch(parts.store)
        self._keys = parts.keys
        self._held = parts.readings
        self._directory = parts.directory
        self._terms = parts.terms
        self._depth = parts.terms.depth(parts.gateway)
        self._book = LockBook(parts.gateway, parts.index, confirmations=self._depth)
        self._newest = LockBook(parts.gateway, parts.index, confirmations=0)

    def _final(self) -> int:
        """Return the last block of the tables that lies deep enough."""
        return self._index.final(self._depth)

    def _take_each(self, what: str, told: Sequence[Row], take: Callable[[Row], None]) -> None:
        """Take in what the tables tell, one by one. One that fails for a reason that nobody foresaw
        is passed over until the next poll: the others must not wait for it.
        """
        for one in told:
            try:
                with contained(f"taking in {what}"):
                    take(one)
            except Unforeseen as error:
                _log.debug("passed over: %s", error)

    def _may_wait(self, left_s: int) -> bool:
        """Whether what is missing may still come, with `left_s` before T: what is begun needs twice
        the margin, and the time until it lies deep enough.
        """
        if left_s < 3 * self._terms.margin_s:
            return False
        return left_s >= 2 * self._terms.margin_s + self._depth_s() + _POLL_S

    def _depth_s(self) -> int:
        """Return how long a transaction takes to lie deep enough, by the newest blocks' pace."""
        if self._depth == 0:
            return 0
        newest = self._index.newest()
        numbers = range(max(0, newest - _PACE_BLOCKS), newest + 1)
        told = [self._index.time_s(number) for number in numbers]
        times = [one for one in told if one is not None]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        # The median: one long pause says nothing about the pace.
        return self._depth * max(0, median_high(gaps)) if gaps else 0
