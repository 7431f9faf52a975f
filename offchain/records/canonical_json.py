"""Canonical JSON: one text for one value (docs/formats.md §9)."""

import json
import re
from typing import Any, NoReturn

from offchain.errors import FormatError

MAX_INTEGER_BITS = 256
MAX_DEPTH = 32
_FREE_NODES = 1 << 18  # and one more for each 32 bytes: what honest documents stay far below
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)

JsonValue = Any


def dumps(value: JsonValue) -> bytes:
    """Encode a value as UTF-8 with sorted keys, no white space and integers only.

    Raises FormatError for floats, integers above 256 bits, keys that are no text, and text that
    UTF-8 cannot encode.
    """
    _check(value, depth=0)
    try:
        text = json.dumps(
            value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
        )
        return text.encode("utf-8")
    except (UnicodeEncodeError, ValueError, TypeError) as error:
        raise FormatError(f"the value has no canonical JSON: {error}") from error


def loads(data: bytes, *, max_bytes: int) -> JsonValue:
    """Decode canonical JSON of at most `max_bytes` bytes, and nothing else.

    The size is checked before parsing; what would encode to other bytes (white space, key order,
    duplicate keys, escapes, floats, "-0") is refused. Raises FormatError.
    """
    value = parse(data, max_bytes=max_bytes)
    if dumps(value) != data:
        raise FormatError("this JSON is not in canonical form")
    return value


def parse(data: bytes, *, max_bytes: int) -> JsonValue:
    """Parse JSON of any form (an HTTP body) of at most `max_bytes` bytes; integers only.

    Duplicate keys and nesting deeper than 32 are refused. Raises FormatError.
    """
    if not isinstance(data, bytes) or len(data) > max_bytes:
        raise FormatError(f"expected at most {max_bytes} bytes of JSON")
    nodes = data.count(b",") + data.count(b"[") + data.count(b"{")
    if nodes > _FREE_NODES + len(data) // 32:  # an empty list of 3 bytes takes 64 in memory
        raise FormatError("JSON has too many parts for its length")
    _check_nesting(data)
    try:
        return json.loads(
            data.decode("utf-8"),
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError) as error:
        raise FormatError("these bytes are not JSON") from error


def _check_nesting(data: bytes) -> None:
    """Refuse deep nesting before parsing: the parser recurses, and can exhaust the C stack."""
    depth = 0
    for token in _NESTING.finditer(data):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token.group(), 0)
        if depth > MAX_DEPTH:
            raise FormatError(f"JSON is nested at most {MAX_DEPTH} deep")


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormatError("a key of JSON appears once")
    return found


def _refuse_number(text: str) -> NoReturn:
    raise FormatError("canonical JSON holds integers only")


def _check(value: JsonValue, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise FormatError(f"canonical JSON is nested at most {MAX_DEPTH} deep")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise FormatError("keys of canonical JSON are text")
            _check(item, depth=depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item, depth=depth + 1)
    elif isinstance(value, int):  # bool is an int of one bit
        if value.bit_length() > MAX_INTEGER_BITS:
            raise FormatError(f"integers have at most {MAX_INTEGER_BITS} bits")
    elif value is not None and not isinstance(value, str):
        raise FormatError(f"canonical JSON holds no {type(value).__name__}")
