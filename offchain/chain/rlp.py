"""Recursive length prefix: how Ethereum writes a transaction as bytes.

Our own, because the `rlp` package takes a quarter of a second to import.
Source: Ethereum yellow paper, appendix B.
"""

from __future__ import annotations

from collections.abc import Sequence

Item = bytes | Sequence["Item"]
_TEXT, _LIST, _SHORT = 0x80, 0xC0, 55
_DEEPEST = 16  # no transaction nests so far


def encode(item: bytes | int | Sequence[bytes | int]) -> bytes:
    """Return bytes, a natural number, or a list of these, encoded."""
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < _TEXT else _prefix(_TEXT, len(item)) + item
    content = b"".join(encode(one) for one in item)
    return _prefix(_LIST, len(content)) + content


def decode(raw: bytes) -> Item:
    """Return what exactly one encoded item holds: bytes, or a list.

    Raises ValueError for anything else, also for a longer form of the same.
    """
    item, rest = _take(raw, 0)
    if rest:
        raise ValueError("bytes behind the item")
    return item


def _prefix(kind: int, length: int) -> bytes:
    if length <= _SHORT:
        return bytes([kind + length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([kind + _SHORT + len(size)]) + size


def _take(raw: bytes, depth: int) -> tuple[Item, bytes]:
    """Return the first item and what follows it."""
    if not raw or depth > _DEEPEST:
        raise ValueError("no item, or one that nests too far")
    first = raw[0]
    if first < _TEXT:
        return raw[:1], raw[1:]
    kind = _TEXT if first < _LIST else _LIST
    content, rest = _content(raw, first - kind)
    if kind == _TEXT:
        if len(content) == 1 and content[0] < _TEXT:
            raise ValueError("one small byte stands for itself")
        return content, rest
    items = []
    while content:
        item, content = _take(content, depth + 1)
        items.append(item)
    return items, rest


def _content(raw: bytes, code: int) -> tuple[bytes, bytes]:
    """Return what the prefix announces, and what follows it."""
    start = 1
    length = code
    if code > _SHORT:
        start += code - _SHORT
        length = int.from_bytes(raw[1:start], "big")
        if len(raw) < start or raw[1] == 0 or length <= _SHORT:
            raise ValueError("a length that is not written in its shortest form")
    if len(raw) < start + length:
        raise ValueError("fewer bytes than announced")
    return raw[start : start + length], raw[start + length :]
