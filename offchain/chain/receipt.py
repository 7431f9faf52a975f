"""Receipts and logs as facts: events of the deployed contracts, by name."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from offchain.chain import codec, questions
from offchain.chain.answers import Log, MinedReceipt
from offchain.chain.deployment import Deployment
from offchain.chain.errors import AbiMismatch, LogUnreadable
from offchain.chain.facts import ChainEvent, Receipt
from offchain.chain.questions import Question


def read_receipt(deployment: Deployment, mined: MinedReceipt) -> Receipt:
    """Return a receipt with its events. Raises LogUnreadable."""
    return Receipt(
        tx_hash=mined.tx_hash,
        sender=mined.sender,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
        gas_used=mined.gas_used,
        gas_price_wei=mined.gas_price_wei,
        success=mined.success,
        events=read_events(deployment, mined.logs),
    )


def read_events(deployment: Deployment, logs: Sequence[Log]) -> tuple[ChainEvent, ...]:
    """Return the events of the deployed contracts in logs, in order.

    A log of a foreign contract, or of an event that the ABI lacks, is left out. Raises
    LogUnreadable when a known event does not decode.
    """
    events = (_read_event(deployment, log) for log in logs)
    return tuple(event for event in events if event is not None)


def events_question(
    deployment: Deployment, wanted: Mapping[str, Any]
) -> Question[tuple[ChainEvent, ...]]:
    """Return the question for the events of a filter of logs.

    LogUnreadable is raised when what every node says of a known event does not decode.
    """
    logs = questions.logs(wanted)
    return Question(logs.method, logs.params, lambda raw: read_events(deployment, logs.read(raw)))


def receipt_question(deployment: Deployment, tx_hash: str) -> Question[Receipt | None]:
    """Return the question for a receipt with its events; LogUnreadable as above."""
    asked = questions.receipt(tx_hash)

    def read(raw: object) -> Receipt | None:
        mined = asked.read(raw)
        return None if mined is None else read_receipt(deployment, mined)

    return Question(asked.method, asked.params, read)


def _read_event(deployment: Deployment, log: Log) -> ChainEvent | None:
    contract = deployment.by_address.get(log.address)
    if contract is None or not log.topics or log.topics[0] not in contract.events_by_topic:
        return None
    entry = contract.events_by_topic[log.topics[0]]
    try:
        arguments = codec.decode_event(entry, log.topics, log.data)
    except (AbiMismatch, ValueError) as error:
        raise LogUnreadable(
            f"log {log.log_index} of block {log.block_number} is no "
            f"{contract.name}.{entry['name']} ({error}); does this program fit the deployment?"
        ) from error
    return ChainEvent(
        contract=contract.name,
        name=entry["name"],
        args=MappingProxyType(arguments),
        address=contract.address,
        block_number=log.block_number,
        block_hash=log.block_hash,
        log_index=log.log_index,
        tx_hash=log.tx_hash,
    )
