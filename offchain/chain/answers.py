"""What chain nodes answer in JSON, decoded into typed values: the one place where that is done.

A decoder takes what `json.loads` made of a result and returns the value, or raises
AnswerUnreadable: then the node is at fault, as if it had not answered, and another is asked.
"""

import json
import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from offchain.chain.errors import NodeRefused
from offchain.chain.facts import Block
from offchain.types import to_account

T = TypeVar("T")
Decoder = Callable[[object], T]

LATEST_TIME_S = 253_402_300_799  # the last second of the year 9999: later ones are no dates
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_LARGEST = 2**63 - 1  # of what is counted: blocks, gas, nonces


class AnswerUnreadable(ValueError):
    """A node answered what is no answer to what it was asked."""


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a mined block; `address` is checksummed."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    log_index: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class MinedReceipt:
    """A receipt as the chain has it, its logs not yet read as events."""

    tx_hash: str
    sender: str
    block_number: int
    block_hash: bytes
    gas_used: int
    gas_price_wei: int
    success: bool
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class FeeHead:
    """What a block says of the fee behind it; `base_fee_wei` is 0 where there is none."""

    number: int
    hash: str
    base_fee_wei: int
    gas_limit: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A transaction as a node holds it; `to` None creates a contract. Addresses checksummed."""

    tx_hash: str
    sender: str
    to: str | None
    value_wei: int
    data: bytes


# ---- simple values


def anything(value: object) -> Any:
    """Return the JSON itself: of development nodes' methods, whose answers nobody relies on."""
    return value


def quantity(value: object) -> int:
    """Return a number of at most 256 bits."""
    if not isinstance(value, str) or _QUANTITY.fullmatch(value) is None:
        raise AnswerUnreadable(f"{reprlib.repr(value)} is no quantity")
    return int(value, 16)


def count(value: object) -> int:
    """Return the number of a block, an amount of gas, a nonce: at most 63 bits."""
    found = quantity(value)
    if found > _LARGEST:
        raise AnswerUnreadable(f"{value} is too large")
    return found


def moment(value: object) -> int:
    """Return a block's time, unix seconds."""
    found = quantity(value)
    if found > LATEST_TIME_S:
        raise AnswerUnreadable(f"{value} is no time")
    return found


def data(value: object) -> bytes:
    """Return bytes of any length."""
    if not isinstance(value, str) or _DATA.fullmatch(value) is None:
        raise AnswerUnreadable(f"{reprlib.repr(value)} is no data")
    return bytes.fromhex(value[2:])


def word(value: object) -> bytes:
    """Return 32 bytes, as a block's hash or a log's topic."""
    return _sized(value, 32)


def hash_text(value: object) -> str:
    """Return a hash of 32 bytes as text: 0x and lower case."""
    return "0x" + word(value).hex()


def account(value: object) -> str:
    """Return an address, checksummed."""
    return to_account(_sized(value, 20))


def text(value: object) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise AnswerUnreadable(f"{reprlib.repr(value)} is no text")
    return value


def optional(decode: Decoder[T]) -> Decoder[T | None]:
    """Return a decoder that takes `null` for None."""
    return lambda value: None if value is None else decode(value)


def list_of(decode: Decoder[T]) -> Decoder[tuple[T, ...]]:
    """Return a decoder of a list whose items `decode` reads."""

    def items(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise AnswerUnreadable(f"{reprlib.repr(value)} is no list")
        return tuple(decode(one) for one in value)

    return items


def field(name: str, decode: Decoder[T]) -> Decoder[T]:
    """Return a decoder of one member of an object."""
    return lambda value: _of(_members(value), name, decode)


# ---- what a chain consists of


def header(value: object) -> Block:
    """Return a block's header."""
    return _header(value, word)


def pending_header(value: object) -> Block:
    """Return the header of the block in the making; Geth gives it no hash."""
    return _header(value, lambda digest: b"" if digest is None else word(digest))


def _header(value: object, read_hash: Decoder[bytes]) -> Block:
    raw = _members(value)
    return Block(
        number=_of(raw, "number", count),
        hash=_of(raw, "hash", read_hash),
        parent_hash=_of(raw, "parentHash", word),
        timestamp=_of(raw, "timestamp", moment),
    )


def fee_head(value: object) -> FeeHead:
    """Return what a mined block's header says of fees; old chains have no base fee."""
    raw = _members(value)
    return FeeHead(
        number=_of(raw, "number", count),
        hash=_of(raw, "hash", hash_text),
        base_fee_wei=_of(raw, "baseFeePerGas", optional(quantity)) or 0,
        gas_limit=_of(raw, "gasLimit", count),
        gas_used=_of(raw, "gasUsed", count),
    )


def log(value: object) -> Log:
    """Return one log of a mined block."""
    raw = _members(value)
    return Log(
        address=_of(raw, "address", account),
        topics=_of(raw, "topics", _topics),
        data=_of(raw, "data", data),
        block_number=_of(raw, "blockNumber", count),
        block_hash=_of(raw, "blockHash", word),
        log_index=_of(raw, "logIndex", count),
        tx_hash=_of(raw, "transactionHash", hash_text),
    )


def receipt(value: object) -> MinedReceipt:
    """Return the receipt of a mined transaction."""
    raw = _members(value)
    status = _of(raw, "status", count)
    if status > 1:
        raise AnswerUnreadable(f"status {status} is neither success nor failure")
    return MinedReceipt(
        tx_hash=_of(raw, "transactionHash", hash_text),
        sender=_of(raw, "from", account),
        block_number=_of(raw, "blockNumber", count),
        block_hash=_of(raw, "blockHash", word),
        gas_used=_of(raw, "gasUsed", count),
        gas_price_wei=_of(raw, "effectiveGasPrice", quantity),
        success=status == 1,
        logs=_of(raw, "logs", _logs),
    )


def receipt_if_mined(value: object) -> MinedReceipt | None:
    """Return a receipt, or None: some nodes show one of a transaction that waits."""
    if value is None or (isinstance(value, dict) and value.get("blockNumber", 0) is None):
        return None
    return receipt(value)


def transaction(value: object) -> SentTransaction:
    """Return a transaction, mined or not."""
    raw = _members(value)
    return SentTransaction(
        tx_hash=_of(raw, "hash", hash_text),
        sender=_of(raw, "from", account),
        to=_of(raw, "to", optional(account)),
        value_wei=_of(raw, "value", quantity),
        data=_of(raw, "input", data),
    )


def transactions(value: object) -> tuple[SentTransaction, ...]:
    """Return the transactions of a block that was asked for with them."""
    return field("transactions", list_of(transaction))(value)


# ---- the answer around it


def result_or_refusal(
    method: str, answer: Mapping[str, object], decode: Decoder[T]
) -> T | NodeRefused:
    """Return an answer's result, decoded, or the node's refusal. Raises AnswerUnreadable.

    Nodes that keep to JSON-RPC 1.0 add `"error": null` to a result.
    """
    error = answer.get("error")
    if error is not None:
        if answer.get("result") is not None:
            raise AnswerUnreadable(f"{method} is answered with a result and an error")
        return refusal(method, error)
    if "result" not in answer:
        raise AnswerUnreadable(f"{method} is answered with neither a result nor an error")
    try:
        return decode(answer["result"])
    except AnswerUnreadable as fault:
        raise AnswerUnreadable(f"{method} is answered with what is none: {fault}") from fault


def refusal(method: str, error: object) -> NodeRefused:
    """Return the refusal that an error object is. Raises AnswerUnreadable."""
    raw = _members(error)
    code = raw.get("code")
    if not isinstance(code, int) or isinstance(code, bool):
        raise AnswerUnreadable(f"{method} is answered with an error that has no code")
    # What cannot be written, as half of a surrogate pair, would end who shows the message.
    message = _of(raw, "message", text).encode("utf-8", "backslashreplace").decode()
    return NodeRefused(method, code, message, raw.get("data"))


def object_in(message: str) -> dict[str, Any]:
    """Return the JSON object that a message is. Raises AnswerUnreadable."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(f"a node says what is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise AnswerUnreadable("a node says what is no JSON-RPC")
    return found


def _members(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise AnswerUnreadable(f"{reprlib.repr(value)} is no object")
    return value


def _of(raw: Mapping[str, object], name: str, decode: Decoder[T]) -> T:
    """Return one member, decoded. One that is missing reads as `null`."""
    try:
        return decode(raw.get(name))
    except AnswerUnreadable as fault:
        raise AnswerUnreadable(f"{name}: {fault}") from fault


def _sized(value: object, size: int) -> bytes:
    found = data(value)
    if len(found) != size:
        raise AnswerUnreadable(f"{reprlib.repr(value)} has {len(found)} bytes, not {size}")
    return found


_topics, _logs = list_of(word), list_of(log)
