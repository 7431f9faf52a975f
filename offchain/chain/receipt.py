"""What a chain node answers in JSON, as facts."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from eth_utils import to_checksum_address

from offchain.chain import codec
from offchain.chain.deployment import Deployment
from offchain.chain.errors import AbiMismatch, LogUnreadable
from offchain.chain.facts import Block, ChainEvent, Receipt


def read_receipt(deployment: Deployment, raw: Mapping[str, Any]) -> Receipt:
    """Return a receipt from its JSON-RPC form."""
    return Receipt(
        tx_hash=raw["transactionHash"],
        sender=to_checksum_address(raw["from"]),
        block_number=int(raw["blockNumber"], 16),
        block_hash=bytes.fromhex(raw["blockHash"][2:]),
        gas_used=int(raw["gasUsed"], 16),
        gas_price_wei=int(raw["effectiveGasPrice"], 16),
        success=int(raw["status"], 16) == 1,
        events=read_events(deployment, raw["logs"]),
    )


def read_events(
    deployment: Deployment, logs: Sequence[Mapping[str, Any]]
) -> tuple[ChainEvent, ...]:
    """Return the events of the deployed contracts in JSON-RPC logs, in order.

    A log of a foreign contract, or of an event that the ABI lacks, is left out. Raises
    LogUnreadable when a known event does not decode.
    """
    events = (_read_event(deployment, log) for log in logs)
    return tuple(event for event in events if event is not None)


def _read_event(deployment: Deployment, log: Mapping[str, Any]) -> ChainEvent | None:
    contract = deployment.by_address.get(to_checksum_address(log["address"]))
    topics = [bytes.fromhex(word[2:]) for word in log["topics"]]
    if contract is None or not topics or topics[0] not in contract.events_by_topic:
        return None
    entry = contract.events_by_topic[topics[0]]
    try:
        arguments = codec.decode_event(entry, topics, bytes.fromhex(log["data"][2:]))
    except (AbiMismatch, ValueError) as error:
        raise LogUnreadable(
            f"log {int(log['logIndex'], 16)} of block {int(log['blockNumber'], 16)} is no "
            f"{contract.name}.{entry['name']} ({error}); does this program fit the deployment?"
        ) from error
    return ChainEvent(
        contract=contract.name,
        name=entry["name"],
        args=MappingProxyType(arguments),
        address=contract.address,
        block_number=int(log["blockNumber"], 16),
        block_hash=bytes.fromhex(log["blockHash"][2:]),
        log_index=int(log["logIndex"], 16),
        tx_hash=log["transactionHash"],
    )


def read_block(raw: Mapping[str, Any]) -> Block:
    """Return a block header from its JSON-RPC form; Geth gives its pending block no hash."""
    return Block(
        number=int(raw["number"], 16),
        hash=bytes.fromhex((raw["hash"] or "0x")[2:]),
        parent_hash=bytes.fromhex(raw["parentHash"][2:]),
        timestamp=int(raw["timestamp"], 16),
    )
