"""Where two plain objects differ, in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

_MISSING = object()
_LONGEST = 60


def differences(said: Any, own: Any, path: str = "") -> list[str]:
    """Return, for each place at which two JSON values differ, what is said and what comes out."""
    return list(_walk(said, own, path))


def _walk(said: Any, own: Any, path: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(own, dict):
        for name in [*own, *(name for name in said if name not in own)]:
            place = f"{path}.{name}" if path else str(name)
            yield from _walk(said.get(name, _MISSING), own.get(name, _MISSING), place)
    elif isinstance(said, list) and isinstance(own, list):
        for i, (one, other) in enumerate(zip_longest(said, own, fillvalue=_MISSING)):
            yield from _walk(one, other, f"{path}[{i}]")
    elif type(said) is not type(own) or said != own:
        yield f"{path}: the node says {_shown(said)}, it comes out as {_shown(own)}"


def _shown(value: Any) -> str:
    if value is _MISSING:
        return "nothing"
    text = ascii(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
