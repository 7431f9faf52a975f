"""Inputs of about 1 MiB that cost a careless decoder the most."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from functools import cache

MIB = 1 << 20

_REPEATED = {
    "zeros": b"\x00",
    "ones": b"\xff",
    "openings": b"[",
    "empty-lists": b"[],",
    "empty-objects": b"{},",
    "objects": b'{"a":',
    "digits": b"9",
    "quotes": b'"',
    "backslashes": b"\\",
    "escapes": b'"\\',
    "lines": b"\n",
    "commas": b",",
    "blanks": b" ",
    "numbers": b"1,",
    "tables": b"[a]\n",
    "dots": b"a.",
}


def large_inputs(seed: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (name, about 1 MiB): repetitions, noise, bombs, and the seed blown up."""
    yield from _for_all().items()
    yield "seed-repeated", (seed * (MIB // len(seed) + 1))[:MIB]
    yield "seed-padded", seed + bytes(MIB - len(seed))
    yield "seed-inside", _inside(seed)


@cache
def _for_all() -> dict[str, bytes]:
    made = {name: (unit * (MIB // len(unit) + 1))[:MIB] for name, unit in _REPEATED.items()}
    members = b",".join(b'"%06x":0' % number for number in range(MIB // 12))
    return made | {
        "list": b"[" + b"1," * (MIB // 2 - 2) + b"1]",
        "list-of-lists": b"[" + b"[]," * (MIB // 3 - 2) + b"[]]",
        "members": b"{" + members + b"}",
        "noise": random.Random(7).randbytes(MIB),
        "bomb": zlib.compress(bytes(64 * MIB), 9),
        "list-bomb": zlib.compress(b"[" + b"[]," * (5 * MIB // 3) + b"[]]", 9),
    }


def _inside(seed: bytes) -> bytes:
    """Blow up the first quoted text after a colon, or the middle."""
    at = seed.find(b':"') + 2 if b':"' in seed else len(seed) // 2
    return seed[:at] + b"a" * (MIB - len(seed)) + seed[at:]
