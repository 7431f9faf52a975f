"""Packing of interval energies into Paillier plaintexts, with guard bits for sums.

A slot has 40 bits: a value of 20 and a guard of 20, so that 2^20 plaintexts can be added before
a slot could touch its neighbour. The first value lies in the lowest slot. A plaintext has an even
number of slots, so that two values which belong together never part, and so few that even a full
one stays below n/8.
"""

from collections.abc import Sequence

from offchain.crypto.encoding import is_integer
from offchain.errors import PackingError

VALUE_BITS = 20
GUARD_BITS = 20
SLOT_BITS = VALUE_BITS + GUARD_BITS
MAX_SUMMANDS = 1 << GUARD_BITS
_MAX_VALUE = (1 << VALUE_BITS) - 1
_SLOT_MASK = (1 << SLOT_BITS) - 1
_HEADROOM_BITS = 4


def slots_per_plaintext(key_bits: int) -> int:
    """Return how many slots a plaintext of a `key_bits` key holds: 76 at 3072, 50 at 2048."""
    slots = (key_bits - _HEADROOM_BITS) // (2 * SLOT_BITS) * 2
    if slots < 2:
        raise PackingError(f"a {key_bits}-bit key holds no two slots")
    return slots


def pack(values_wh: Sequence[int], *, key_bits: int) -> list[int]:
    """Pack energies in Wh, each in [0, 2^20), into as few plaintexts as possible.

    Raises PackingError for a value that does not fit; nothing is ever wrapped or rounded.
    """
    for position, value in enumerate(values_wh):
        if not is_integer(value) or not 0 <= value <= _MAX_VALUE:
            raise PackingError(f"value {position} is not an integer in [0, 2^{VALUE_BITS})")
    slots = slots_per_plaintext(key_bits)
    rows = (values_wh[start : start + slots] for start in range(0, len(values_wh), slots))
    return [sum(value << SLOT_BITS * slot for slot, value in enumerate(row)) for row in rows]


def unpack(plaintexts: Sequence[int], *, count: int, key_bits: int) -> list[int]:
    """Unpack `count` values. Raises PackingError unless `pack` could have made the plaintexts."""
    return unpack_sums(plaintexts, count=count, summands=1, key_bits=key_bits)


def unpack_sums(
    plaintexts: Sequence[int], *, count: int, summands: int, key_bits: int
) -> list[int]:
    """Unpack `count` slot sums of `summands` (1..2^20) plaintexts added under encryption.

    Raises PackingError when the number of plaintexts is wrong, a slot exceeds what that many
    summands can reach, or a bit is set above the last value.
    """
    if not is_integer(summands) or not 1 <= summands <= MAX_SUMMANDS:
        raise PackingError(f"the number of summands must be in [1, 2^{GUARD_BITS}]")
    slots = slots_per_plaintext(key_bits)
    if not is_integer(count) or count < 0 or len(plaintexts) != -(-count // slots):
        raise PackingError(f"{count} values do not lie in {len(plaintexts)} plaintexts")
    values: list[int] = []
    for plaintext in plaintexts:
        values += _read_slots(plaintext, min(slots, count - len(values)))
    if any(value > summands * _MAX_VALUE for value in values):
        raise PackingError("a slot holds more than its summands can reach")
    return values


def _read_slots(plaintext: int, count: int) -> list[int]:
    if not is_integer(plaintext) or plaintext < 0 or plaintext >> SLOT_BITS * count:
        raise PackingError("a plaintext has bits outside its slots")
    return [plaintext >> SLOT_BITS * slot & _SLOT_MASK for slot in range(count)]
