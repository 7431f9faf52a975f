"""Where the chain and the tables part after a reorganisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from offchain.chain import questions
from offchain.chain.questions import Question
from offchain.index.position import Known

_FIRST_STRIDE, _GROWTH = 8, 4


class NodeBehind(Exception):
    """The chain node has nothing that contradicts the tables, and less than they do."""


def common_ancestor(
    kept: Sequence[Known], head: int, ask: Callable[[list[Question[Any]]], Sequence[Any]]
) -> Known | None:
    """Return the newest of the blocks `kept` (the newest first) that the chain still has; None
    when it has none of them.

    Raises NodeBehind when the chain ends before the tables do, and has all that it could have.
    """
    held = [one for one in kept if one.number <= head]
    if not held:
        raise NodeBehind
    stride, rest = _FIRST_STRIDE, held
    while rest:
        asked, rest, stride = rest[:stride], rest[stride:], stride * _GROWTH
        found = ask([questions.header_or_none(one.number) for one in asked])
        for one, block in zip(asked, found, strict=True):
            if block is not None and block.hash == one.hash:
                if one == held[0] and head < kept[0].number:
                    raise NodeBehind
                return one
    return None
