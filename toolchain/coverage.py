"""Hold the branch coverage of the contracts by the Foundry tests.

    .venv/bin/python toolchain/coverage.py

Every branch that `forge coverage` counts (each side of an `if`; optimizer off) must be taken, or
stand in tests/forge/coverage.toml with its reason: a table a file, the line's text as the key.
A reason whose branch is taken is an error as well. Mocks and tests are not counted.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "toolchain"))

from foundry import forge, selfcheck

REASONS = ROOT / "tests" / "forge" / "coverage.toml"
REPORT = ROOT / ".cache" / "coverage-contracts.info"
FUZZ_RUNS = "32"  # branches are reached by plain tests
Branches = dict[str, dict[int, list[bool]]]


def main() -> int:
    """Measure and compare; return the exit code."""
    if selfcheck():
        return 1
    REPORT.unlink(missing_ok=True)
    settings = {"FOUNDRY_FUZZ_RUNS": FUZZ_RUNS, "FOUNDRY_INVARIANT_RUNS": "4"}
    options = ["--report", "lcov", "--report-file", str(REPORT)]
    done = forge("coverage", *options, settings=settings, capture_output=True, text=True)
    if done.returncode or not REPORT.exists():
        print(done.stdout + done.stderr)
        return 1
    return compare(
        read_branches(REPORT.read_text().splitlines()), tomllib.loads(REASONS.read_text())
    )


def read_branches(lines: Iterable[str]) -> Branches:
    """Read an LCOV report: by file and line, whether each branch of the project's own was taken."""
    branches: Branches = {}
    file = ""
    for line in lines:
        kind, _, rest = line.partition(":")
        if kind == "SF":
            file = rest
        elif kind == "BRDA" and is_counted(file):
            number, _, _, taken = rest.split(",")
            places = branches.setdefault(file, {})
            places.setdefault(int(number), []).append(taken not in ("-", "0"))
    return branches


def is_counted(file: str) -> bool:
    """Tell whether a file's branches count."""
    return file.startswith("contracts/") and not file.startswith("contracts/mocks/")


def compare(branches: Branches, reasons: dict[str, dict[str, str]]) -> int:
    """Print the gaps without a reason and the reasons without a gap; return the exit code."""
    gaps = {
        (file, source_line(file, number))
        for file, places in branches.items()
        for number, taken in places.items()
        if not all(taken)
    }
    named = {
        (file, line) for file, lines in reasons.items() for line in lines if lines[line].strip()
    }
    for file, line in sorted(gaps - named):
        print(f"not taken, and no reason in {REASONS.relative_to(ROOT)}: {file}: {line}")
    for file, line in sorted(named - gaps):
        print(f"taken, or not there any more; take the reason out: {file}: {line}")
    taken = [one for places in branches.values() for both in places.values() for one in both]
    print(
        f"branches of the contracts: {sum(taken)} of {len(taken)} taken, "
        f"{len(gaps & named)} explained"
    )
    return 1 if gaps != named or not taken else 0


def source_line(file: str, number: int) -> str:
    """Return the text of a source line."""
    return (ROOT / file).read_text().splitlines()[number - 1].strip()


if __name__ == "__main__":
    sys.exit(main())
