"""Compare what Brownie returns with what Python made."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Return the value in built-in types: structs as tuples, bytes as 0x text, enums as ints.

    Brownie's own structs refuse to be compared with nested tuples.
    """
    if isinstance(value, bool | str):
        return value.value if hasattr(value, "value") else value
    if isinstance(value, bytes):
        return "0x" + value.hex().removeprefix("0x")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, dict) or type(value).__name__ == "_EventItem":
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple) or type(value).__name__ == "ReturnValue":
        return tuple(plain(part) for part in value)
    return str(getattr(value, "address", value))
