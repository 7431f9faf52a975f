"""The line that a person gave: what is noted with what it sends, and told when it was cut off."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextvars import ContextVar

_LINE: ContextVar[str | None] = ContextVar("line", default=None)


def note_line(arguments: Sequence[str]) -> None:
    """Remember the line of the command that begins."""
    _LINE.set(shlex.join(["dmsm", *arguments]))


def given_line() -> str | None:
    """Return the line of the command that runs, None outside of one."""
    return _LINE.get()
