"""The rules: what of the house style a program can hold a Solidity file to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scan import Function, Source, blanked

WIDTH = 120
# The beats of a body in their order. `next`: what another function goes on with, in its own beats.
BEATS = ("check", "effect", "log", "interaction", "next")
_MOST_PLAIN_BEATS = 2
_LABEL = re.compile(r"^\s*// (\w+)$")
_ITEM = re.compile(r"^- .")
_TYPES = "contracts/types/"


@dataclass(frozen=True, order=True)
class Finding:
    """What a file does not keep to, and where."""

    place: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.place}:{self.line}: {self.text}"


def judge(source: Source, *, trees: Path) -> Iterator[Finding]:
    """Yield what a file does not keep to. `trees`: where `Contract/function.tree` lie."""
    yield from _widths(source)
    if source.place.startswith("interfaces/") or source.place.startswith(_TYPES):
        yield from _imports(source)
    if source.place.startswith("interfaces/"):
        yield from _manual(source, trees)
    elif not source.place.startswith("contracts/mocks/"):
        yield from _beats(source)


def _widths(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.lines, start=1):
        if len(line) > WIDTH:
            yield Finding(source.place, number, f"the line has {len(line)} columns, not {WIDTH}")


def _imports(source: Source) -> Iterator[Finding]:
    for line, path in source.imports():
        place = posixpath.normpath(posixpath.join(posixpath.dirname(source.place), path))
        if not (path.startswith(".") and place.startswith(_TYPES)):
            yield Finding(source.place, line, f"it imports {path}, which is not in {_TYPES}")


def _manual(source: Source, trees: Path) -> Iterator[Finding]:
    """An interface is the manual: what a change requires stands there, and is specified."""
    contract = posixpath.basename(source.place).removesuffix(".sol").removeprefix("I")
    for function in source.functions():
        if not function.changes_state:
            continue
        for line, why in _requirements(function):
            yield Finding(source.place, line, f"{function.name}: {why}")
        tree = trees / contract / f"{function.name}.tree"
        if not tree.exists():
            yield Finding(source.place, function.line, f"{function.name} has no {tree.name}")


def _requirements(function: Function) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with a list of requirements; each is an item that ends with ; or ."""
    comment, first = function.comment, function.line - len(function.comment)
    heads = [at for at, one in enumerate(comment) if "Requirements:" in one]
    if not heads:
        yield function.line, "it has no list of requirements"
        return
    at = heads[0]
    if not comment[at].endswith("Requirements:"):
        yield first + at, "its requirements are a list, one a line, below `Requirements:`"
        return
    items = _items(comment[at + 1 :])
    if not items:
        yield first + at, "its list of requirements is empty"
    for number, item in enumerate(items, start=1):
        end = "." if number == len(items) else ";"
        if not item.endswith(end):
            yield first + at, f"its requirement {number} does not end with `{end}`"
        if "; " in item:
            yield first + at, f"its requirement {number} is several"


def _items(lines: tuple[str, ...]) -> list[str]:
    """Return the items of a list: each begins with `- ` and may go on in the next lines."""
    items: list[str] = []
    for line in lines:
        if _ITEM.match(line):
            items.append(line)
        elif items and line and not line.startswith("@") and not items[-1].endswith("."):
            items[-1] += " " + line
        else:
            break
    return items


def _beats(source: Source) -> Iterator[Finding]:
    for function in source.functions():
        if function.changes_state and function.body:
            for line, why in _wrong_beats(function):
                yield Finding(source.place, line, f"{function.name}: {why}")


def _wrong_beats(function: Function) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with the beats of a body: blank lines part them, labels name them."""
    beats = _parted(function)
    labels = [match[1] if (match := _LABEL.match(beat[0])) else "" for _, beat in beats]
    has_labels = any(label in BEATS for label in labels)
    if len(beats) <= _MOST_PLAIN_BEATS and not has_labels:
        return
    before = 0
    for (line, beat), label in zip(beats, labels, strict=True):
        if label not in BEATS:
            yield line, f"its beat has no label of {', '.join(BEATS)}"
            continue
        if BEATS.index(label) < before:
            yield line, f"`{label}` comes after `{BEATS[before]}`"
        before = BEATS.index(label)
        code = blanked("\n".join(beat))
        if label != "check" and re.search(r"\brevert\b", code):
            yield line, f"it reverts in `{label}`, not in `check`"
        if label not in ("log", "next") and re.search(r"\bemit\b", code):
            yield line, f"it emits in `{label}`, not in `log`"


def _parted(function: Function) -> list[tuple[int, list[str]]]:
    """Return (line, lines) of what blank lines part, outside of inner blocks."""
    beats: list[tuple[int, list[str]]] = []
    depth, is_new = 0, True
    for number, line in enumerate(function.body, start=function.body_line):
        if not line.strip():
            is_new = is_new or depth == 0
            continue
        if is_new:
            beats.append((number, []))
            is_new = False
        beats[-1][1].append(line)
        bare = blanked(line)
        depth += bare.count("{") - bare.count("}")
    return beats
