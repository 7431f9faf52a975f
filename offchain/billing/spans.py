"""Spans of instants, [start, end), taken from one another."""

from __future__ import annotations

from collections.abc import Iterable

from offchain.billing.registers import Span


def carve(free: Iterable[Span], wanted: Span) -> tuple[list[Span], list[Span]]:
    """Return what of `free` lies in a span, and what is left of it."""
    taken, left = [], []
    for start, end in free:
        low, high = max(start, wanted[0]), min(end, wanted[1])
        if low >= high:
            left.append((start, end))
            continue
        taken.append((low, high))
        left += [(a, b) for a, b in ((start, low), (high, end)) if a < b]
    return taken, left
