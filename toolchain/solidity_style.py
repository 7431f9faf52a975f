"""Hold the contracts to what a program can hold of the house style: part of `make lint`.

    .venv/bin/python toolchain/solidity_style.py [FILE ...]

- No line of contracts/ and interfaces/ has more than 120 columns.
- interfaces/ and contracts/types/ import contracts/types/ alone.
- Each function of an interface that changes state has below `Requirements:` a list of them, one a
  line: `- …;` and the last `- ….`; and its tree in tests/contracts/.
- Blank lines part the beats of a body that changes state. With more than two, each begins with its
  label, `// check`, `// effect`, `// log`, `// interaction` or, for another function's beats,
  `// next`, in this order; it reverts in `check` and emits in `log`.

Without a file it judges all. Ends with 0 only if there is nothing to say.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "toolchain" / "style"))

from rules import Finding, judge
from scan import Source

FOLDERS = ("contracts", "interfaces")


def findings(root: Path, files: list[Path]) -> list[Finding]:
    """Return what the files do not keep to, in the order of their lines."""
    trees = root / "tests" / "contracts"
    found = (one for file in files for one in judge(Source.read(file, root), trees=trees))
    return sorted(found)


def main(arguments: list[str]) -> int:
    """Judge the files that are named, or all; return the exit code."""
    named = [Path(one).resolve() for one in arguments]
    files = named or [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.sol"))]
    found = findings(ROOT, files)
    for one in found:
        print(one)
    print(f"{len(files)} Solidity files, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
