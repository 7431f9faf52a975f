"""List every mutant of the named files, as JSON: slither-mutate's operators, and three of our own.

    PYTHONPATH=.cache/analysers/packages python toolchain/mutation/generate.py OUT_FOLDER FILE...

Nothing is compiled or written: slither's mutators give patches, and these are printed. Runs under
the analysers' own packages. Operators of our own: YUL replaces instructions and numbers in inline
assembly, which slither's leave alone; NUM replaces numbers elsewhere, STR a text's first letter.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slither import Slither
from slither.tools.mutator.mutators import all_mutators
from slither.tools.mutator.mutators.abstract_mutator import AbstractMutator

ROOT = Path(__file__).resolve().parents[2]
INSTRUCTIONS = {
    "add": "sub", "sub": "add", "mul": "add", "div": "mul", "mod": "div", "lt": "gt", "gt": "lt",
    "eq": "lt", "and": "or", "or": "and", "xor": "or", "shl": "shr", "shr": "shl",
    "addmod": "mulmod", "mulmod": "addmod", "mstore": "mstore8",
}  # fmt: skip
INSTRUCTION = re.compile(rb"\b(" + "|".join(INSTRUCTIONS).encode() + rb")\(")
NUMBER = re.compile(rb"(?<![\w.\"])(0x[0-9a-fA-F]+|\d[\d_]*)\b(?![\w\"])")
ASSEMBLY = re.compile(rb"assembly\s*(?:\([^)]*\)\s*)?\{")
# What carries no code that runs: comments, the version, imports, hex strings.
SILENT = re.compile(
    rb"//[^\n]*|/\*.*?\*/|pragma[^;]*;|import[^;]*;|hex\"[^\"]*\"|\"[^\"\n]*\"", re.DOTALL
)


class Narrowed:
    """A contract or function of which a mutator shall see a part alone."""

    def __init__(self, whole: Any, **parts: Any) -> None:
        self.__dict__.update(parts, _whole=whole)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


def main(out_folder: str, files: list[str]) -> None:
    """Print {file: [{operator, start, end, new}]}; offsets are in bytes."""
    slither = Slither(
        str(ROOT),
        compile_force_framework="foundry",
        foundry_ignore_compile=True,
        foundry_out_directory=out_folder,
    )
    mutators = [it for it in vars(all_mutators).values() if is_mutator(it)]
    found: dict[str, list[dict]] = {file: [] for file in files}
    for unit in slither.compilation_units:
        for contract in unit.contracts:
            file = contract.source_mapping.filename.relative
            if file in found:
                for kind in mutators:
                    found[file] += patches(unit, contract, kind)
    for file in files:
        found[file] += own_patches((ROOT / file).read_bytes())
    print(json.dumps(found))


def is_mutator(candidate: object) -> bool:
    """Tell whether an object is one of slither's mutator classes."""
    return (
        isinstance(candidate, type)
        and issubclass(candidate, AbstractMutator)
        and candidate is not AbstractMutator
    )


def patches(unit: Any, contract: Any, kind: type) -> Iterator[dict]:
    """Yield an operator's patches statement by statement.

    Several operators stop with an exception at inline assembly, and lose what they had found.
    """
    for function in contract.functions_and_modifiers_declared:
        for node in function.nodes:
            part = Narrowed(function, nodes=[node])
            seen = Narrowed(contract, functions_and_modifiers_declared=[part])
            mutator = kind(unit, 1, "", "", seen, None, False, Path("unused"), [])
            found: dict = {}
            with contextlib.suppress(IndexError, AttributeError, TypeError, KeyError):
                found = mutator._mutate()
            for patch in found.get("patches", {}).get(mutator.in_file, []):
                one = {"operator": kind.NAME, "start": patch["start"], "end": patch["end"]}
                yield {**one, "new": patch["new_string"]}


def own_patches(source: bytes) -> Iterator[dict]:
    """Yield the patches of YUL, NUM and STR."""
    silent = [match.span() for match in SILENT.finditer(source)]
    blocks = [(match.end(), block_end(source, match.end())) for match in ASSEMBLY.finditer(source)]
    for match in INSTRUCTION.finditer(source):
        if is_within(match.start(), blocks) and not is_within(match.start(), silent):
            new = INSTRUCTIONS[match[1].decode()]
            yield {"operator": "YUL", "start": match.start(1), "end": match.end(1), "new": new}
    for match in NUMBER.finditer(source):
        if not is_within(match.start(), silent):
            operator = "YUL" if is_within(match.start(), blocks) else "NUM"
            one = {"operator": operator, "start": match.start(), "end": match.end()}
            yield {
                **one,
                "new": f"({match[0].decode()} + 1)" if operator == "NUM" else bumped(match[0]),
            }
    yield from text_patches(source)


def text_patches(source: bytes) -> Iterator[dict]:
    """Yield the patches of STR: every text but the names of imports and the flags of assembly."""
    flags = [match.span() for match in ASSEMBLY.finditer(source)]
    for match in SILENT.finditer(source):
        if len(match[0]) > 2 and match[0].startswith(b'"') and not is_within(match.start(), flags):
            first = match.start() + 1
            new = "y" if match[0][1:2] == b"x" else "x"
            yield {"operator": "STR", "start": first, "end": first + 1, "new": new}


def bumped(number: bytes) -> str:
    """Return the number one higher, as a literal."""
    value = int(number.replace(b"_", b""), 0) + 1
    return hex(value) if number.startswith(b"0x") else str(value)


def block_end(source: bytes, start: int) -> int:
    """Return where the block ends whose brace opened before ``start``."""
    depth = 1
    for at in range(start, len(source)):
        depth += {ord("{"): 1, ord("}"): -1}.get(source[at], 0)
        if depth == 0:
            return at
    raise ValueError("a block that does not end")


def is_within(at: int, spans: list[tuple[int, int]]) -> bool:
    """Tell whether an offset lies in one of the spans."""
    return any(start <= at < end for start, end in spans)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
