"""`make gas`: the figures of tests/snapshots/gas.json against their limits; docs/gas.md.

Prints `name value limit ok|MISSED` for each limit and exits with 1 on a miss that
bench/missed.toml does not explain. The snapshot is made by tests/contracts/gas/measure.py; when a
change of it is not committed, the difference is seen there.
"""

import json
import sys
import tomllib
from pathlib import Path

from bench.figures import Figure, unexplained

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = ROOT / "tests" / "snapshots" / "gas.json"
PAGE = ROOT / "docs" / "gas.md"
PEERS = ROOT / "bench" / "gas_peers.toml"

LIMITS = {
    "PrepaidLock.request": 350_000,
    "PrepaidLock.accept": 130_000,
    "PrepaidLock.claim": 80_000,
    "PrepaidLock.settle": 90_000,
    "PrepaidLock.refund, from Requested": 60_000,
    "PrepaidLock.refund, from Accepted": 90_000,
    "DataLedger.anchor": 60_000,
    "NotificationBoard.report, nothing changes": 40_000,
    "NotificationBoard.report, status changes": 60_000,
    "DataMarket.respond, into a form of 32": 115_000,
    "PrepaidLock.deliver, (3,5)": 390_000,
    "PrepaidLock.deliver, (6,10)": 600_000,
    "PrepaidLock.deliver, (34,50)": 2_900_000,
    "PrepaidLock.deliver, (67,100)": 6_300_000,
    "DataLedger.verifyReading, batch of 1,000": 60_000,
}

PREFACE = """# Gas

Written by `make gas` from receipts of real transactions: anvil, London rules, settled storage, keys
and times from a fixed seed. All figures lie in `tests/snapshots/gas.json`, so that a change of a
contract shows there as a difference. Limits are those of the project's plan. Peers were measured
once, as they are published, or as the plain way of doing the same.

With Prague's rules every limit holds as well. Two calls cost more there, for which a floor of
21,000 and 10 to 40 a byte of calldata holds (EIP-7623): `DataLedger.verifyReading` 39,160, and
`PrepaidLock.serve` of 9,000 bytes 383,380. All others cost the same.
"""


def main() -> int:
    """Print, write the page, compare; return the exit status."""
    used = json.loads(SNAPSHOT.read_text())
    figures = figures_of(used)
    for figure in figures:
        print(figure.line(), flush=True)
    PAGE.write_text(page(used, figures), encoding="utf-8")
    names = unexplained(figures)
    if names:
        print("missed without a reason in bench/missed.toml:", ", ".join(names), file=sys.stderr)
    return 1 if names else 0


def figures_of(used: dict[str, int]) -> list[Figure]:
    """Return the limited figures; one that was not measured is missed."""
    return [
        Figure(key_of(name), used.get(name, sys.maxsize), limit, unit="gas", at_most=True)
        for name, limit in LIMITS.items()
    ]


def key_of(name: str) -> str:
    """Return a figure's name as one word."""
    kept = "".join(c if c.isalnum() else " " for c in name)
    return "gas_" + "_".join(kept.split())


def page(used: dict[str, int], figures: list[Figure]) -> str:
    """Return the page: limits, peers, every function."""
    lines = [PREFACE, "## Limits", "", "| what | gas | limit | |", "|---|---|---|---|"]
    for (name, limit), figure in zip(LIMITS.items(), figures, strict=True):
        verdict = "ok" if figure.is_met else "**MISSED**"
        lines.append(f"| {name} | {used.get(name, 0):,} | {limit:,} | {verdict} |")
    lines += ["", "## Beside others", "", "| what | gas | peer | gas | ratio | what theirs is |"]
    lines.append("|---|---|---|---|---|---|")
    for it in tomllib.loads(PEERS.read_text())["peer"]:
        ours, theirs = used[it["ours"]], it["gas"]
        cells = [it["ours"], f"{ours:,}", it["peer"], f"{theirs:,}", f"{ours / theirs:.2f}"]
        lines.append(f"| {' | '.join([*cells, it['note']])} |")
    lines += ["", "## Every function", "", "| what | gas |", "|---|---|"]
    lines += [f"| {name} | {gas:,} |" for name, gas in sorted(used.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
