"""Logs to named values, quickly: most events are words at fixed places, read by prepared readers.

What is not so (bytes, lists) goes through eth_abi, as everywhere else; both give the same values
by the same names. Fields of structs are named `order.typeId`. No event has a `string`: nothing
would hold who sends one to UTF-8, and a text that is none must not make a log unreadable.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.chain import answers, codec
from offchain.chain.answers import AnswerUnreadable
from offchain.chain.codec import Abi
from offchain.chain.deployment import DeployedContract
from offchain.chain.errors import AbiMismatch, LogUnreadable
from offchain.types import to_account

_Reader = Callable[[str], Any]  # of 64 hexadecimal digits
_WORD = 64


@dataclass(slots=True)
class Told:
    """One event: where it stands and what it says. `time_s` is its block's, where it was asked."""

    source: tuple[str, str]
    block: int
    block_hash: bytes
    log_index: int
    tx_hash: str
    values: dict[str, Any]
    time_s: int = 0

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


class EventDecoder:
    """Reads one kind of event."""

    def __init__(self, contract: DeployedContract, entry: Abi) -> None:
        self.source = (contract.name, entry["name"])
        self._entry = entry
        indexed = [part for part in entry["inputs"] if part["indexed"]]
        plain = [part for part in entry["inputs"] if not part["indexed"]]
        try:
            self._topics = [(part["name"], _reader(part["type"])) for part in indexed]
            self._words: list[tuple[str, _Reader, int]] | None = [
                (name, _reader(kind), 2 + _WORD * place)
                for place, (name, kind) in enumerate(_flat(plain, ""))
            ]
        except KeyError:
            self._words = None

    def values(self, topics: Sequence[str], data: str) -> dict[str, Any]:
        """Return an event's values by name. Raises ValueError or AbiMismatch."""
        if self._words is None:
            decoded = codec.decode_event(
                self._entry,
                [bytes.fromhex(one[2:]) for one in topics],
                bytes.fromhex(data[2:]),
            )
            return dict(_named(decoded, ""))
        if len(data) != 2 + _WORD * len(self._words) or len(topics) != 1 + len(self._topics):
            raise ValueError("it has too few or too many words")
        found = {
            name: read(topic[2:])
            for (name, read), topic in zip(self._topics, topics[1:], strict=True)
        }
        for name, read, start in self._words:
            found[name] = read(data[start : start + _WORD])
        return found

    def told(self, log: Mapping[str, Any]) -> Told:
        """Return the event in a JSON-RPC log.

        Raises AnswerUnreadable for what is no log, LogUnreadable for one that is not this event.
        """
        block, time_s = answers.count(log.get("blockNumber")), log.get("blockTimestamp")
        topics, data = log["topics"], log.get("data") or ""
        if not all(map(_is_hex, [*topics, data])):
            raise AnswerUnreadable(f"a log of block {block} is no hexadecimal")
        try:
            values = self.values(topics, data)
        except (AbiMismatch, ValueError) as error:
            raise LogUnreadable(
                f"a log of block {block} is no {'.'.join(self.source)} ({error}); does this "
                "program fit the deployment?"
            ) from error
        return Told(
            source=self.source,
            block=block,
            block_hash=answers.word(log.get("blockHash")),
            log_index=answers.count(log.get("logIndex")),
            tx_hash=answers.hash_text(log.get("transactionHash")),
            values=values,
            time_s=0 if time_s is None else answers.moment(time_s),
        )


def _is_hex(value: object) -> bool:
    is_text = isinstance(value, str) and value[:2] == "0x" and len(value) % 2 == 0
    return is_text and not value[2:].strip(string.hexdigits)  # type: ignore[index]


def _flat(parts: Sequence[Abi], prefix: str) -> Iterator[tuple[str, str]]:
    """Yield (name, type) of each word. Raises KeyError where there is no fixed place."""
    for part in parts:
        if part["type"] == "tuple":
            yield from _flat(part["components"], f"{prefix}{part['name']}.")
        else:
            yield prefix + part["name"], part["type"]


def _named(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if hasattr(value, "_asdict"):
            yield from _named(value._asdict(), f"{prefix}{name}.")
        else:
            yield prefix + name, value


# ---- one reader a type

_ACCOUNTS: dict[str, str] = {}  # by word: the checksum costs more than all the rest
_MOST_ACCOUNTS = 200_000


def _account(word: str) -> str:
    found = _ACCOUNTS.get(word)
    if found is None:
        if len(_ACCOUNTS) >= _MOST_ACCOUNTS:
            _ACCOUNTS.clear()
        if int(word[:24], 16):
            raise ValueError(f"{word} is no address")
        found = _ACCOUNTS[word] = to_account("0x" + word[24:])
    return found


def _bool(word: str) -> bool:
    value = int(word, 16)
    if value > 1:
        raise ValueError(f"{word} is no bool")
    return value == 1


def _uint(bits: int) -> _Reader:
    def read(word: str) -> int:
        value = int(word, 16)
        if value >> bits:
            raise ValueError(f"{word} has more than {bits} bits")
        return value

    return read


def _int(bits: int) -> _Reader:
    def read(word: str) -> int:
        value = int(word, 16)
        value -= (value >> 255) << 256
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise ValueError(f"{word} has more than {bits} bits")
        return value

    return read


def _bytes(length: int) -> _Reader:
    def read(word: str) -> bytes:
        value = bytes.fromhex(word)
        if any(value[length:]):
            raise ValueError(f"{word} has more than {length} bytes")
        return value[:length]

    return read


_READERS: dict[str, _Reader] = {
    "address": _account,
    "bool": _bool,
    **{f"uint{bits}": _uint(bits) for bits in range(8, 257, 8)},
    **{f"int{bits}": _int(bits) for bits in range(8, 257, 8)},
    **{f"bytes{length}": _bytes(length) for length in range(1, 33)},
}


def _reader(kind: str) -> _Reader:
    return _READERS[kind]  # KeyError for what has no fixed place
