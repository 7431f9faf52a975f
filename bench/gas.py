"""`make gas`: what the contracts' calls cost against limits and goals; docs/gas.md.

Prints `name value limit ok|MISSED` for each and exits with 1 on a miss that bench/missed.toml does
not explain. The snapshots are made by tests/contracts/gas/measure.py, one by London's rules, which
limits and goals are of, and one by Prague's; when a change of them is not committed, the difference
is seen there.
"""

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import gas_page
from bench.figures import Figure, unexplained

ROOT = Path(__file__).resolve().parents[1]
LONDON = ROOT / "tests" / "snapshots" / "gas.json"
PRAGUE = ROOT / "tests" / "snapshots" / "gas-prague.json"
PAGE = ROOT / "docs" / "gas.md"
PEERS = ROOT / "bench" / "gas_peers.toml"
WITHIN = ROOT / "tests" / "contracts" / "gas" / "within.toml"

LIMITS = {
    "PrepaidLock.request": 325_000,
    "PrepaidLock.accept": 130_000,
    "PrepaidLock.claim": 80_000,
    "PrepaidLock.settle": 90_000,
    "PrepaidLock.refund, from Requested": 60_000,
    "PrepaidLock.refund, from Accepted": 90_000,
    "DataLedger.anchor, batch of 1,000": 60_000,
    "DataLedger.anchor, batch of 100, a reading": 550,
    "DataLedger.anchorMany, 20 batches of 100 of one meter, a reading": 550,
    "DataLedger.anchorMany, 20 batches of 100 of 20 meters, a reading": 550,
    "DataLedger.anchor, batch of 1,000, a reading": 60,
    "TariffBook.appendTariff": 75_000,
    "TariffBook.appendTariff, the first of a product": 75_000,
    "TariffBook.publishSeries": 75_000,
    "TariffBook.publishSeries, the first of a name": 75_000,
    "NotificationBoard.report, nothing changes": 40_000,
    "NotificationBoard.report, status changes": 60_000,
    "Consortium.approve, agreed": 80_000,
    "DataMarket.broadcast, 2 regions": 188_000,
    "DataMarket.respond, into a form of 16": 115_000,
    "DataSetBook.publish": 332_000,
    "DataSetBook.draw, of 1,024 devices, into an empty purse": 90_000,
    "DataSetBook.draw, of 1,024 devices, into a purse in use": 68_000,
    "DataSetBook.drawMany, ten data sets of 1,024 devices, a draw": 40_000,
    "PrepaidLock.settle, a sale": 90_000,
    "PrepaidLock.deliver, (3,5)": 390_000,
    "PrepaidLock.deliver, (6,10)": 600_000,
    "PrepaidLock.deliver, (34,50)": 2_900_000,
    "PrepaidLock.deliver, (67,100)": 6_300_000,
    "DataLedger.verifyReading, batch of 1,000": 60_000,
}
# How many draws a measured call makes, and how many readings it anchors.
DRAWS = {"DataSetBook.drawMany, ten data sets of 1,024 devices": 10}
READINGS = {
    "DataLedger.anchor, batch of 100": 100,
    "DataLedger.anchorMany, 20 batches of 100 of one meter": 2_000,
    "DataLedger.anchorMany, 20 batches of 100 of 20 meters": 2_000,
    "DataLedger.anchor, batch of 1,000": 1_000,
}

Used = Mapping[str, float]


def main() -> int:
    """Print, write the page, compare; return the exit status."""
    london, prague = read(LONDON), read(PRAGUE)
    if london.keys() != prague.keys():
        print("the two snapshots hold different calls: run `make gas` whole", file=sys.stderr)
        return 1
    figures = figures_of(london, prague)
    for figure in figures:
        print(figure.line(), flush=True)
    PAGE.write_text(page(london, prague), encoding="utf-8")
    names = unexplained(figures)
    if names:
        print("missed without a reason in bench/missed.toml:", ", ".join(names), file=sys.stderr)
    return 1 if names else 0


def read(snapshot: Path) -> dict[str, int]:
    """Return a snapshot's gas by name."""
    return json.loads(snapshot.read_text())


def with_shares(used: Used) -> dict[str, float]:
    """Add what an anchor costs a reading, and what many draws cost each."""
    shares = {f"{name}, a reading": used[name] / count for name, count in READINGS.items()}
    draws = {f"{name}, a draw": used[name] / count for name, count in DRAWS.items()}
    return {**used, **shares, **draws}


def figures_of(london: Used, prague: Used) -> list[Figure]:
    """Return the limited figures, of Prague those that differ, and the goals beside peers."""
    ours, theirs = with_shares(london), with_shares(prague)
    limits = [limited(name, ours, "gas_") for name in LIMITS]
    later = [limited(name, theirs, "gas_prague_") for name in LIMITS if theirs[name] != ours[name]]
    return [*limits, *later, *(goal for peer in peers() if (goal := goal_of(peer, ours)))]


def limited(name: str, used: Used, prefix: str) -> Figure:
    """Return a limited figure; one that was not measured is missed."""
    value = used.get(name, sys.maxsize)
    return Figure(prefix + key_of(name), value, LIMITS[name], unit="gas", at_most=True)


def goal_of(peer: Mapping[str, Any], used: Used) -> Figure | None:
    """Return the goal of a ratio to a peer, if it has one."""
    if "goal" not in peer:
        return None
    ratio = sum_of(peer["ours"], used) / peer["gas"]
    return Figure("gas_ratio_" + key_of(peer["ours"]), ratio, peer["goal"], at_most=True)


def peers() -> list[dict[str, Any]]:
    """Return the peers as they are checked in."""
    return tomllib.loads(PEERS.read_text())["peer"]


def sum_of(names: str, used: Used) -> float:
    """Return the gas of one call, or of several joined by ` + `."""
    return sum(used[name] for name in names.split(" + "))


def key_of(name: str) -> str:
    """Return a figure's name as one word."""
    kept = "".join(c if c.isalnum() else " " for c in name.replace("'", ""))
    return "_".join(kept.split())


def page(london: Used, prague: Used) -> str:
    """Return docs/gas.md."""
    used = with_shares(london)
    limits = [
        (name, used[name], limit, limited(name, used, "gas_")) for name, limit in LIMITS.items()
    ]
    beside = [(peer, sum_of(peer["ours"], used), goal_of(peer, used)) for peer in peers()]
    within = tomllib.loads(WITHIN.read_text())
    figures = figures_of(london, prague)
    return gas_page.page(
        limits=limits, beside=beside, london=london, prague=prague, within=within, figures=figures
    )


if __name__ == "__main__":
    raise SystemExit(main())
