"""Run the deep checks, too long for every change, one named part after another.

    .venv/bin/python toolchain/run_deep.py [PART...]      (all parts when none is named)

A part is a command with the minutes it may take; add yours to PARTS. All together they end within
TOTAL_MINUTES. Ends with 0 only if every part did, in its time; prints a line for each at the end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOTAL_MINUTES = 90


@dataclass(frozen=True)
class Part:
    """One deep check: its name, what it shows, its command, and the minutes it may take."""

    name: str
    shows: str
    command: tuple[str, ...]
    minutes: int


PARTS = (
    Part(
        "fuzz",
        "no decoder raises what it does not declare, or takes much time or memory",
        (sys.executable, "toolchain/fuzz.py", "--minutes", "7"),
        12,
    ),
    Part(
        "large-inputs",
        "no input of 1 MiB costs a decoder more than a second or 64 MiB",
        (sys.executable, "-m", "tests.fuzz.try_large"),
        2,
    ),
    Part(
        "contracts",
        "the invariants hold 10,000 times 32 calls, fuzz tests 50,000 times",
        (sys.executable, "toolchain/foundry.py", "test", "--deep"),
        17,
    ),
    Part(
        "proofs",
        "halmos proves its properties, those of sequences of calls too",
        (sys.executable, "toolchain/halmos.py"),
        6,
    ),
    Part(
        "prague",
        "the contract tests pass with Prague's rules too",
        (sys.executable, "toolchain/brownie_test.py", "--hardfork", "prague", "-q"),
        8,
    ),
    Part(
        "soak",
        "real signers never halt, lose or undo anything, whatever happens to a minority",
        (sys.executable, "-m", "tests.network.soak", "--minutes", "30"),
        45,
    ),
)


def main() -> int:
    """Run the parts that the command line names, or all; return the exit code."""
    known = {part.name: part for part in PARTS}
    if unknown := [name for name in sys.argv[1:] if name not in known]:
        print(f"no such part: {', '.join(unknown)}; there are {', '.join(known)}")
        return 2
    if sum(part.minutes for part in PARTS) > TOTAL_MINUTES:
        print(f"the parts may take more than {TOTAL_MINUTES} minutes together")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    since = time.monotonic()
    results = [run(known[name]) for name in sys.argv[1:] or known]
    print("\n" + "\n".join(line for line, _ in results))
    print(f"{'in all':<47} {time.monotonic() - since:.0f} s")
    return 0 if all(held for _, held in results) else 1


def run(part: Part) -> tuple[str, bool]:
    """Run a part with its children; return the line that says how it went, and whether it held."""
    print(f"\n== {part.name}: {part.shows} (at most {part.minutes} min)", flush=True)
    since = time.monotonic()
    process = subprocess.Popen(
        part.command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        code = process.wait(timeout=60 * part.minutes)
        state = "ok" if code == 0 else f"FAILED ({code})"
    except subprocess.TimeoutExpired:
        code, state = -1, f"FAILED (not done in {part.minutes} min)"
    finally:
        with contextlib.suppress(ProcessLookupError):  # unless nothing of it is left
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return f"{part.name:<16} {state:<30} {time.monotonic() - since:.0f} s", code == 0


if __name__ == "__main__":
    sys.exit(main())
