"""`make bench-sealing`: whether signers can come to a halt, by rule; docs/benchmarks/sealing.md.

Runs the model of bench/sealing_model.py a million times with the rule that networks have, and a
tenth of that with each rule that was thought of. `--runs` and `--seed` for other runs, which write
nothing. Exits with 1 if the rule chosen halts, leaves two heads, or if the old one does not halt.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.sealing_model import CANDIDATES, LOADS, NEW, OLD, Burst, Rules

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "sealing.md"
SIGNERS = (3, 4, 5, 7)
RUNS, SEED = 1_000_000, 1
_OTHERS = 10  # a rule that was not chosen gets so many times fewer runs
_CHUNK = 5_000


@dataclass(slots=True)
class Tally:
    """What came of many runs; `undone` counts those that took off a block with n/2+1 on it."""

    runs: int = 0
    halted: int = 0
    split: int = 0
    undone: int = 0
    deepest: int = 0

    def add(self, other: Tally) -> None:
        """Count another one's runs too."""
        self.runs += other.runs
        self.halted += other.halted
        self.split += other.split
        self.undone += other.undone
        self.deepest = max(self.deepest, other.deepest)


def tally(rules: Rules, load: str, *, runs: int, seed: int) -> Tally:
    """Run the model so often, with each number of signers in turn."""
    random, found = Random(seed), Tally()
    for number in range(runs):
        signers = SIGNERS[number % len(SIGNERS)]
        one = Burst(random, signers, rules, load).run()
        found.add(
            Tally(1, one.halted, one.split, one.deepest > signers // 2 + 1, one.deepest),
        )
    return found


def tallies(rules: Rules, *, runs: int, seed: int) -> dict[str, Tally]:
    """Return a tally for each load; the runs are dealt to all processors."""
    found = {load: Tally() for load in LOADS}
    share = max(1, runs // len(LOADS))
    parts = [(load, start) for load in LOADS for start in range(0, share, _CHUNK)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(tally, rules, load, runs=min(_CHUNK, share - start), seed=seed + start)
            for load, start in parts
        ]
        for (load, _), job in zip(parts, jobs, strict=True):
            found[load].add(job.result())
    return found


def main() -> int:
    """Run, print, write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    rows, is_well = [], True
    for name, rules in CANDIDATES.items():
        runs = chosen.runs if rules == NEW else chosen.runs // _OTHERS
        found = tallies(rules, runs=runs, seed=chosen.seed)
        rows += [_row(name, load, one) for load, one in found.items()]
        print(*rows[-len(LOADS) :], sep="\n", flush=True)
        halted = sum(one.halted for one in found.values())
        if rules == NEW:
            is_well &= not halted and not any(one.split for one in found.values())
        if rules == OLD:
            is_well &= halted > 0
    if (chosen.runs, chosen.seed) == (RUNS, SEED):
        PAGE.write_text(_page(rows), encoding="utf-8")
    return 0 if is_well else 1


def _row(name: str, load: str, one: Tally) -> str:
    counts = f"{one.runs:,} | {one.halted:,} | {one.split:,} | {one.undone:,} | {one.deepest}"
    return f"| {name} | {load} | {counts} |"


def _page(rows: Iterable[str]) -> str:
    loads = "; ".join(
        f"{name}: {low:g} to {low + most:g} ms" for name, (low, most) in LOADS.items()
    )
    return f"""# Can signers come to a halt?

Written by `make bench-sealing` (`bench/sealing_model.py`): random bursts on {SIGNERS} signers at
period 0, up to as many dead as a majority bears. A message takes ({loads}), most
of them little. A run **halts** if nobody may seal once everything has arrived, is **split** if
heads differ then, and has **undone** a block if one with signers/2+1 on it was taken off.

| rule | machine | runs | halted | split | undone | deepest |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}
"""


if __name__ == "__main__":
    raise SystemExit(main())
