"""What the desks of a node's worker share."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.services.locks import LockBook
from offchain.services.member_keys import MemberKeys
from offchain.services.members import MemberDirectory
from offchain.services.node.outcome import NodeTerms
from offchain.services.node.store import NodeStore
from offchain.storage import ContentStore


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
