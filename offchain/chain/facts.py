"""Facts read from the chain: events, blocks, receipts, and what a contract refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from offchain.chain.errors import EventMissing
from offchain.errors import ChainError


@dataclass(frozen=True)
class ChainEvent:
    """One decoded event; `args` are by Solidity name."""

    contract: str
    name: str
    args: Mapping[str, Any]
    address: str
    block_number: int
    block_hash: bytes
    log_index: int
    tx_hash: str


@dataclass(frozen=True)
class Block:
    """A block's header, as far as anybody needs it; `timestamp` is unix time in seconds."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int


@dataclass(frozen=True)
class Receipt:
    """A mined transaction; `revert` is set, and `success` False, when a contract refused it."""

    tx_hash: str
    sender: str
    block_number: int
    block_hash: bytes
    gas_used: int
    gas_price_wei: int
    success: bool
    events: tuple[ChainEvent, ...]
    revert: ContractRevert | None = None

    @property
    def fee_wei(self) -> int:
        """Return what the sender paid for gas."""
        return self.gas_used * self.gas_price_wei

    def event(self, name: str) -> ChainEvent:
        """Return the first event of that name. Raises EventMissing."""
        for event in self.events:
            if event.name == name:
                return event
        raise EventMissing(
            f"{self.tx_hash} has no event {name!r}, only {[event.name for event in self.events]}"
        )


class ContractRevert(ChainError):
    """A contract refused.

    `name` is the Solidity error ("PrepaidLock_Expired"), or "Error" (a reason string), "Panic",
    "OutOfGas", "Unknown"; `arguments` its named arguments; `contract` the one that declares it, as
    far as the ABIs tell; `sentence` the readable text; `data` the raw bytes; `receipt` is set when
    the transaction was mined, and so paid for.
    """

    def __init__(
        self,
        name: str,
        arguments: Mapping[str, Any],
        contract: str,
        sentence: str,
        *,
        data: bytes = b"",
        receipt: Receipt | None = None,
    ) -> None:
        super().__init__(sentence)
        self.name, self.arguments, self.contract = name, dict(arguments), contract
        self.sentence, self.data, self.receipt = sentence, data, receipt
