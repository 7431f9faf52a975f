"""Read Solidity as far as its style is judged: imports, and functions with comments and bodies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# What a brace, a quote or a word may stand in without meaning anything.
_PASSED_OVER = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
_IMPORT = re.compile(r'^import\s+(?:\{[^}]*\}\s+from\s+)?"([^"]+)";', re.MULTILINE)
_FUNCTION = re.compile(
    r"^[ \t]*(?:function\s+(\w+)|(receive|fallback|constructor))\s*\(", re.MULTILINE
)
_READS = re.compile(r"\b(?:view|pure)\b")
_OPEN = re.compile(r"\b(?:external|public)\b")


@dataclass(frozen=True)
class Function:
    """A function: the line of its head, its comment's lines, its body's (empty if it has none)."""

    name: str
    line: int
    comment: tuple[str, ...]
    head: str
    body: tuple[str, ...]
    body_line: int

    @property
    def changes_state(self) -> bool:
        """Whether somebody else may call it, and something may be another afterwards."""
        return bool(_OPEN.search(self.head)) and not _READS.search(self.head)


@dataclass(frozen=True)
class Source:
    """A file. `place` is its path from the project's root, with slashes."""

    place: str
    text: str

    @classmethod
    def read(cls, path: Path, root: Path) -> Source:
        """Read a file."""
        return cls(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))

    @property
    def lines(self) -> list[str]:
        """The lines, without their ends."""
        return self.text.splitlines()

    def imports(self) -> list[tuple[int, str]]:
        """Return (line, path) of each import."""
        return [(_line(self.text, it.start()), it[1]) for it in _IMPORT.finditer(self.text)]

    def functions(self) -> list[Function]:
        """Return the functions in their order."""
        bare = blanked(self.text)
        return [self._function(bare, it) for it in _FUNCTION.finditer(bare)]

    def _function(self, bare: str, found: re.Match[str]) -> Function:
        start = found.start() + len(found[0]) - len(found[0].lstrip())
        opens, ends = bare.find("{", start), bare.find(";", start)
        has_body = opens != -1 and (ends == -1 or opens < ends)
        head_end = opens if has_body else ends
        body = self.text[opens + 1 : _closing(bare, opens)] if has_body else ""
        return Function(
            name=found[1] or found[2],
            line=_line(self.text, start),
            comment=tuple(self._comment_before(_line(self.text, start))),
            head=bare[start:head_end],
            body=tuple(body.split("\n")[1:-1]),
            body_line=_line(self.text, opens) + 1 if has_body else 0,
        )

    def _comment_before(self, line: int) -> list[str]:
        """Return the `///` lines just above a line, without their mark."""
        found: list[str] = []
        for one in reversed(self.lines[: line - 1]):
            if not one.strip().startswith("///"):
                break
            found.insert(0, one.strip()[3:].strip())
        return found


def blanked(text: str) -> str:
    """Return the text with spaces in the place of comments and of what stands in quotes."""
    return _PASSED_OVER.sub(lambda it: re.sub(r"[^\n]", " ", it[0]), text)


def _closing(bare: str, opens: int) -> int:
    depth = 0
    for at in range(opens, len(bare)):
        depth += {"{": 1, "}": -1}.get(bare[at], 0)
        if depth == 0:
            return at
    return len(bare)


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
