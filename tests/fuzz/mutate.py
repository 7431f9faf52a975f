"""Deterministic mutations of a seed: the same ones in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator

_TOKENS = [
    b"\x00" * 8, b"\xff" * 8, b"[" * 40, b"{}", b"null", b"true", b"1.5", b"-1", b"1e9", b"NaN",
    b"9" * 5000, b'"\\ud800"', b"\xed\xa0\x80", b"\xc3\x28", b"0x", b"\n", b",", b'"', b"\\",
]  # fmt: skip


def mutations(seed: bytes, count: int, *, label: str) -> Iterator[bytes]:
    """Yield `count` changed copies of a seed: flips, cuts, doublings, tokens, other lengths."""
    chance = random.Random(f"{label}/{len(seed)}")
    for _ in range(count):
        data = bytearray(seed)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            _change(data, chance)
        yield bytes(data)


def _change(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice((1, 1, 2, 4, 32, 300)))
    kind = chance.randrange(7)
    if kind == 0 and at < len(data):
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 1 and at < len(data):
        data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0x22, 0x5B, 0x7B))
    elif kind == 2:
        del data[at:end]
    elif kind == 3:
        data[at:at] = data[at:end]
    elif kind == 4:
        data[at:at] = chance.choice(_TOKENS)
    elif kind == 5:
        data[at:end] = chance.choice(_TOKENS)
    else:
        del data[at:]
