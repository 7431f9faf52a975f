"""What the desks of a node's worker share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median_high

from offchain.chain.gateway import ChainGateway
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.locks import LockBook
from offchain.node.outcome import NodeTerms
from offchain.node.store import NodeStore
from offchain.storage import ContentStore

_PACE_BLOCKS = 8  # over so many the pace of blocks is measured


@dataclass(frozen=True, kw_only=True)
class NodeParts:
    """Who a node is, what it holds, whom it knows, and on which terms it serves."""

    gateway: ChainGateway
    store: ContentStore
    keys: MemberKeys
    readings: NodeStore
    directory: MemberDirectory
    terms: NodeTerms


class Desk:
    """One kind of work. `_book` goes by what lies deep enough, `_newest` by the newest block."""

    def __init__(self, parts: NodeParts) -> None:
        self._gateway = parts.gateway
        self._store = parts.store
        self._keys = parts.keys
        self._held = parts.readings
        self._directory = parts.directory
        self._terms = parts.terms
        self._depth = parts.terms.depth(parts.gateway)
        self._book = LockBook(parts.gateway, confirmations=self._depth)
        self._newest = LockBook(parts.gateway, confirmations=0)

    def _depth_s(self) -> int:
        """Return how long a transaction takes to lie deep enough, by the newest blocks' pace."""
        if self._depth == 0:
            return 0
        newest = self._gateway.block_number()
        numbers = range(max(0, newest - _PACE_BLOCKS), newest + 1)
        times = [self._gateway.block(number).timestamp for number in numbers]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        # The median: one long pause says nothing about the pace.
        return self._depth * max(0, median_high(gaps)) if gaps else 0
