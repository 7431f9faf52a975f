"""What a node did in one step, and under which terms it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway

MAX_OBJECT_BYTES = 32 * 1024  # sealed messages, answers and manifests (protocol §2.5, §3)
STOPPED = "MemberRegistry_Stopped"  # the emergency stop: what would begin waits for its end
LONGEST_SALE_DAYS = 30  # of the contract
DEFAULT_BOND_WEI = 10**17
DEFAULT_BOND_LIMIT_WEI = 5 * 10**17


@dataclass(frozen=True)
class Outcome:
    """One step: `kind` is accepted, rejected, claimed, settled, refunded, responded, closed,
    delivered, declined, bonded, served, replied, retired, republished, skipped, expired or failed.
    `paused` and `resumed` are of the node itself, with no `id`.
    """

    kind: str
    id: bytes
    detail: str
    receipt: Receipt | None = None


@dataclass(frozen=True)
class NodeTerms:
    """Under which terms a node serves.

    type_names: request type id → "bill" or "advice". data_set_price_wei: what it asks for one
    data set. margin_s: it reveals a secret only with at least this much time before T, and begins
    nothing with less than twice as much; it waits for readings on their way until three times as
    much is left. confirmations: blocks that must lie on what it believes
    before it releases anything; None: as many as its gateway says. bond_wei: the free bond that it
    keeps ready for locks to come; bond_limit_wei: the most that it puts up by itself, held and
    free. sale_days: how long a data set is for sale, at most 30 days. republish: whether what
    somebody withdrew from is published anew without that home.
    """

    data_set_price_wei: int
    type_names: Mapping[int, str] = field(default_factory=lambda: {1: "bill", 2: "advice"})
    margin_s: int = 30
    confirmations: int | None = None
    bond_wei: int = DEFAULT_BOND_WEI
    bond_limit_wei: int = DEFAULT_BOND_LIMIT_WEI
    sale_days: int = LONGEST_SALE_DAYS
    republish: bool = False

    def depth(self, gateway: ChainGateway) -> int:
        """Return how many blocks must lie on what is believed."""
        return gateway.confirmations if self.confirmations is None else self.confirmations
