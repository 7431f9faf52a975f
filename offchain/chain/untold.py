"""What a command did before it was cut off: told when it is given again, instead of done twice."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain import codec
from offchain.chain.deployment import Deployment
from offchain.chain.errors import AbiMismatch
from offchain.chain.facts import Receipt
from offchain.chain.signing import LegacyTransaction
from offchain.types import to_account

# What commands are given next, as they name it.
_IDS = {"lockId": "lock", "broadcastId": "broadcast", "proposalId": "proposal"}


@dataclass(frozen=True, slots=True)
class Untold:
    """A transaction that succeeded without anybody having been told. `command` is the line that
    began it, `call` the function it called and what it paid.
    """

    command: str
    call: str
    receipt: Receipt

    def text(self) -> str:
        """Return it in words, with the ids of what it made: they are needed next."""
        named = [
            (_IDS[name], value)
            for event in self.receipt.events
            for name, value in event.args.items()
            if name in _IDS
        ]
        ids = [
            f"{name} 0x{value.hex()}" if isinstance(value, bytes) else f"{name} {value}"
            for name, value in dict.fromkeys(named)
        ]
        where = f"block {self.receipt.block_number}, transaction {self.receipt.tx_hash}"
        return ", ".join([self.call, *ids, where])


def call_text(deployment: Deployment, transaction: LegacyTransaction) -> str:
    """Return which function a transaction calls, and what it pays."""
    to = to_account(transaction.to)
    contract = deployment.by_address.get(to)
    paid = f"{transaction.value_wei} wei"
    if contract is None:
        return f"{paid} to {to}"
    try:
        entry, _ = codec.decode_call(contract.abi, transaction.data)
    except AbiMismatch:
        return f"a call of {contract.name} with {paid}"
    named = f"{contract.name}.{entry['name']}"
    return f"{named} with {paid}" if transaction.value_wei else named
