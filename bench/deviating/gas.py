"""What calls take, in gas: as `make gas` measured it, and what serving an answer takes at least."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

SNAPSHOT = Path(__file__).resolve().parents[2] / "tests" / "snapshots" / "gas.json"
SERVE_BASE_GAS, SERVE_BYTE_GAS = 40_000, 12
LONGEST_ANSWER = 32 * 1024

# What serving takes, fitted to receipts: the least of one answer among many that a contract serves
# in a single transaction, the words of an answer, and what a transaction of its own adds.
_BATCHED_GAS, _TEN_WORDS_GAS, _ALONE_GAS = 22_783, 2_771, 32_313
_ZERO_GAS, _OTHER_GAS, _MEMORY_DIVISOR = 4, 16, 512
_ZERO_BYTE_IN = 256  # of bytes that look random


def paid_gas(length: int) -> int:
    """Return the gas of serving that is paid for (`PrepaidLock.serveGasOf`)."""
    return SERVE_BASE_GAS + SERVE_BYTE_GAS * length


def batched_gas(length: int, *, in_calldata: int = 0) -> int:
    """Return the least that one more answer takes in a transaction that serves many.

    A contract can make zeros, or bytes that repeat, in its memory, where calldata costs nothing:
    `in_calldata` is how many bytes must be brought (all of an answer that was really sealed).
    """
    words = (length + 31) // 32
    own = _BATCHED_GAS + _TEN_WORDS_GAS * words // 10 + words * words // _MEMORY_DIVISOR
    return own + _OTHER_GAS * in_calldata - (_OTHER_GAS - _ZERO_GAS) * in_calldata // _ZERO_BYTE_IN


def alone_gas(length: int, *, zeros: int = 0) -> int:
    """Return what serving takes by a transaction of its own; `zeros` of the bytes are zero."""
    padded = (length + 31) // 32 * 32
    dearer = (_OTHER_GAS - _ZERO_GAS) * (length - zeros)
    return batched_gas(length) + _ALONE_GAS + _ZERO_GAS * padded + dearer


@cache
def gas_of(name: str) -> int:
    """Return the gas of a call as it was measured (docs/gas.md)."""
    return int(json.loads(SNAPSHOT.read_text())[name])
