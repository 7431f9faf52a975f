"""The small immutable types that every layer shares. Integers only; units stand in the names."""

import re
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import lru_cache
from typing import NewType, Self

from eth_hash.auto import keccak

SECONDS_PER_DAY = 86_400

Account = NewType("Account", str)
_DIGITS = re.compile(r"[0-9a-f]{40}")


@lru_cache(maxsize=4096)
def to_account(value: str | bytes) -> Account:
    """Return an account as EIP-55 text, the one form that Python objects hold.

    `value` is `0x` and 40 hexadecimal digits of any case, or 20 bytes. Raises ValueError otherwise.
    """
    text = "0x" + value.hex() if isinstance(value, bytes) else value
    digits = text[2:].lower()
    if text[:2] != "0x" or not _DIGITS.fullmatch(digits):
        raise ValueError("an account must be 0x and 40 hexadecimal digits")
    nibbles = keccak(digits.encode()).hex()
    cased = (d.upper() if n > "7" else d for d, n in zip(digits, nibbles, strict=False))
    return Account("0x" + "".join(cased))


# What finality the chain of a network's engine has.
ENGINE_FINALITY = {"clique": "clique", "besu": "qbft"}


def final_depth(engine: str, signers: int) -> int:
    """Return how many blocks must lie on one before it is final, by the chain's engine.

    "clique": signers/2+1, by when a majority has built on it and no minority can outweigh it.
    "qbft": 1; its blocks are signed by two thirds and never replaced. Raises ValueError for
    another engine, or no signers.
    """
    if engine == "clique" and signers > 0:
        return signers // 2 + 1
    if engine == "qbft":
        return 1
    raise ValueError(f"how deep is final is not known of {engine!r} with {signers} signers")


def day_of(time_s: int) -> int:
    """Return the number of the UTC day that holds a unix time."""
    return time_s // SECONDS_PER_DAY


class ReadingFlag(IntFlag):
    """What is said about a reading beside its values; the bits are the record's (formats.md §7)."""

    REGISTER_RESTARTED = 1
    SELF_REPORTED = 2
    CLOCK_UNCERTAIN = 4
    ESTIMATED = 8

    def names(self) -> list[str]:
        """Return what is said, in words; nothing for no flag."""
        return [name.lower() for name, flag in ReadingFlag.__members__.items() if flag in self]


NO_FLAGS = ReadingFlag(0)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MeterSample:
    """What a meter shows at one instant.

    time_s: unix seconds. import_wh, export_wh: the two registers, never falling. power_w: signed,
    negative where it feeds in. temperature_dc: tenths of a degree Celsius, None if not measured.
    """

    time_s: int
    import_wh: int
    export_wh: int
    power_w: int
    temperature_dc: int | None
    flags: ReadingFlag = NO_FLAGS


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reading:
    """One record of a device (paper §IV.A; docs/formats.md §7): a sample with its place and its
    32-byte nonce.
    """

    chain_id: int
    device: Account
    seq: int
    time_s: int
    import_wh: int
    export_wh: int
    power_w: int
    temperature_dc: int | None
    flags: ReadingFlag = NO_FLAGS
    nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A run of consecutive readings of one device and UTC day, as anchored."""

    device: Account
    from_seq: int
    count: int
    root: bytes

    @property
    def next_seq(self) -> int:
        """The seq that the next batch begins with."""
        return self.from_seq + self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What every message from a device to its processor is bound to."""

    chain_id: int
    data_ledger: Account
    device: Account
    processor: Account


class Role(IntEnum):
    """What a member is; the numbers are IMemberRegistry's."""

    NONE = 0
    CONSORTIUM = 1
    PROCESSOR = 2
    DEVICE = 3
    USER = 4
    SHARER = 5


class Status(IntEnum):
    """Verdicts of Algorithm 1; the numbers are INotificationBoard's."""

    NONE = 0
    IN_OPERATION = 1
    SHUT_DOWN = 2
    TOO_HIGH = 3
    TOO_LOW = 4
    OFFLINE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the owner of a device wants to be told; the fields are INotificationBoard's."""

    low_power_w: int
    high_power_w: int
    high_feed_in_w: int
    temperature_warning_dc: int
    heartbeat_seconds: int
    feeds_in: bool
    is_sealed: bool

    @classmethod
    def from_chain(cls, value: tuple[int, int, int, int, int, bool, bool]) -> Self:
        """Read the contract's struct."""
        low, high, high_feed_in, temperature, heartbeat, feeds_in, is_sealed = value
        return cls(
            low_power_w=low,
            high_power_w=high,
            high_feed_in_w=high_feed_in,
            temperature_warning_dc=temperature,
            heartbeat_seconds=heartbeat,
            feeds_in=feeds_in,
            is_sealed=is_sealed,
        )

    def as_tuple(self) -> tuple[int, int, int, int, int, bool, bool]:
        """Return the contract's struct."""
        return (
            self.low_power_w,
            self.high_power_w,
            self.high_feed_in_w,
            self.temperature_warning_dc,
            self.heartbeat_seconds,
            self.feeds_in,
            self.is_sealed,
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status, and beside it whether the temperature reached the warning."""

    status: Status
    temperature_too_high: bool
