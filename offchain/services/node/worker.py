"""The chain loop of a processing node: one poll looks at everything that waits, and does one step
of each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from offchain.chain.errors import NodeUnavailable
from offchain.chain.gateway import ChainGateway
from offchain.chain.receipt import Receipt
from offchain.errors import DmsmError
from offchain.records.tariff import Tariff
from offchain.services.locks import LockBook
from offchain.services.member_keys import MemberKeys
from offchain.services.members import MemberDirectory
from offchain.services.node.market import MarketDesk
from offchain.services.node.outcome import NodeTerms, Outcome
from offchain.services.node.requests import RequestDesk
from offchain.services.node.store import NodeStore
from offchain.storage import ContentStore

_log = logging.getLogger(__name__)

Step = Callable[[bytes], Outcome]


class NodeWorker:
    """Poll the chain and serve what concerns this node.

    Give it a gateway to one's own chain node: dry calls show secrets.
    """

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        readings: NodeStore,
        directory: MemberDirectory,
        tariff: Tariff,
        terms: NodeTerms,
    ) -> None:
        self._book = LockBook(gateway)
        shared: dict[str, Any] = {
            "gateway": gateway,
            "store": store,
            "keys": keys,
            "readings": readings,
            "directory": directory,
            "terms": terms,
        }
        self.requests = RequestDesk(**shared, tariff=tariff)
        self.market = MarketDesk(**shared)

    def run_once(self) -> list[Outcome]:
        """Do one step of everything that waits; claims come first, since they have a deadline.

        An item that fails is reported as `failed` and tried again at the next poll. Raises
        NodeUnavailable alone.
        """
        outcomes: list[Outcome] = []
        steps: list[tuple[Callable[[], Iterable[bytes]], Step]] = [
            (self.requests.claimable, self.requests.claim),
            (self.market.selections, self.market.deliver),
            (self.requests.pending, self.requests.handle),
            (self.requests.claimable, self.requests.claim),
            (self.market.open_broadcasts, self.market.respond),
            (self.requests.settleable, self.requests.settle),
            (self.market.settleable, self.market.settle),
        ]
        for waiting, step in steps:
            outcomes += [_attempt(step, one) for one in waiting()]
        return outcomes

    def withdraw(self) -> Receipt | None:
        """Withdraw what the node earned; None if there is nothing."""
        return self._book.withdraw()


def _attempt(step: Step, one: bytes) -> Outcome:
    try:
        return step(one)
    except NodeUnavailable:
        raise
    except DmsmError as error:
        _log.warning("a step for %s failed: %s", one.hex(), error)
        return Outcome("failed", one, str(error))
