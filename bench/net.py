"""`make bench-net`: the paper's Fig. 6 and Fig. 10 on real signers; tables and plots in docs/.

Prints each figure as `name value limit ok|MISSED` and exits with 1 when one is missed that
bench/missed.toml does not explain. Takes about 25 minutes, most of them at period 1, where each
transaction waits for a block. `--quick` makes 40 of each, at period 0, and writes nothing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, unexplained, write_table
from bench.net_burst import BurstRun, measure_burst
from bench.net_notifications import NotificationRun, measure_notifications
from bench.net_plots import draw_notifications, draw_requests
from bench.net_requests import RequestRun, measure_inquiries, measure_requests
from bench.net_site import DEPTH, HOUSEHOLDS, IPFS_NODES, SIGNERS, Site, open_site
from bench.process_use import Use
from bench.sending import measure_sending
from bench.storing import storage_figures
from offchain.network.building import CONSORTIUM
from offchain.network.heartbeat import GAS_PRICE_WEI
from offchain.network.programs import PROJECT

DOCS = PROJECT / "docs" / "benchmarks"
TITLE = "The network: this project beside the paper"
PREFACE = (
    f"Made by `make bench-net`: {SIGNERS} Geth signers (Clique), {IPFS_NODES} Kubo nodes, "
    f"{HOUSEHOLDS} device agents and a processing node (`dmsm node run`), all processes of one "
    "machine; keys of full size. *Notification*: from the reading to the receipt; of it "
    "*consensus* is sending until the receipt, *storage* until the node keeps the sealed report. "
    "*Payment*: from the ask (sealed, stored, signed, sent) to the receipt of the prepayment. "
    "*Answer*: from the ask until the user has opened the answer and checked its signature: "
    "request, accept and claim lie between. *Final*: the same with a node and a user who believe "
    f"what {DEPTH} blocks lie on. Each member keeps its objects at one Kubo node, its own; with "
    "copies at all three, as `network.toml` has it, an answer takes longer (docs/known-limits.md). "
    "What lies behind payment and answer, question by question: "
    "[038](../decisions/038-asked-at-once.md). *Inquiry*: balance, withdrawable sum and "
    "last lock. Paper (five Raspberry Pis and a host, Hyperledger Fabric; other hardware, other "
    "ledger): notification ≈ 1 s, prepaid payment 1.6–1.8 s, account inquiry 0.8–1.0 s.\n\n"
    "![notifications](network-fig6.svg)\n\n![payments and inquiries](network-fig10.svg)"
)
RUNS = 100  # of each, as in the paper
QUICK_RUNS = 40  # fewer say little: an agent's first notifications wait for its start
BURST = 1_000
PACE_S = {0: 1.0, 1: 3.0}  # between two readings of an agent
# Medians at period 0. What lies behind each: docs/decisions/038.
_NOTIFICATION_MS, _PAYMENT_MS, _ANSWER_MS, _FINAL_MS, _INQUIRY_MS = 80, 80, 200, 350, 10
_BURST_PER_S = 350  # of the whole burst: a short one is over before it is at its pace


@dataclass(frozen=True)
class PeriodRun:
    """What was measured at one period."""

    period_s: int
    notifications: NotificationRun
    requests: RequestRun
    final: RequestRun
    inquiries_ms: list[float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args(arguments).quick
    warnings.filterwarnings("ignore", message="The 'strict' parameter", category=FutureWarning)
    count = QUICK_RUNS if quick else RUNS
    figures: list[Figure] = []
    runs: list[PeriodRun] = []
    for period_s in (0,) if quick else (0, 1):
        found, run = _measure(period_s, count, burst=BURST // 10 if quick else BURST)
        figures, runs = figures + found, [*runs, run]
    if not quick:
        write_table(figures, DOCS / "network.md", title=TITLE, preface=PREFACE)
        _draw(runs)
    names = unexplained(figures)
    if names:
        print("missed without a reason in bench/missed.toml:", ", ".join(names), file=sys.stderr)
    return 1 if names else 0


def _measure(period_s: int, count: int, *, burst: int) -> tuple[list[Figure], PeriodRun]:
    cache = PROJECT / ".cache"
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-net-", dir=cache) as folder:
        with open_site(Path(folder), period_s=period_s, rows=count // HOUSEHOLDS) as site:
            run = _run(site, period_s, count)
            figures = _shown(_period_figures(run))
            if period_s == 0:
                figures += _shown(_sending_figures(site))
                figures += _shown(_burst_figures(measure_burst(site, burst)))
                figures += _shown(storage_figures(site.network.plan.ipfs_urls[0]))
    return figures, run


def _run(site: Site, period_s: int, count: int) -> PeriodRun:
    rows = count // HOUSEHOLDS
    with site.node(confirmations=0) as url:
        notifications = measure_notifications(site, url, rows=rows, pace_s=PACE_S[period_s])
        requests = measure_requests(site, count, is_final=False)
        inquiries_ms = measure_inquiries(site, count)
    with site.node(confirmations=DEPTH):
        # A deeper look at what is the same but for the wait: a fifth of the runs shows it.
        final = measure_requests(site, max(5, count // 5), is_final=True)
    return PeriodRun(period_s, notifications, requests, final, inquiries_ms)


def _period_figures(run: PeriodRun) -> list[Figure]:
    at, is_limited = f"period-{run.period_s}", run.period_s == 0
    notified = run.notifications.notifications
    timed: list[tuple[str, Sequence[float], int | None]] = [
        ("notification", [one.total_ms for one in notified], _NOTIFICATION_MS),
        ("notification-consensus", [one.chain_ms for one in notified], None),
        ("notification-storage", [one.store_ms for one in notified], None),
        ("payment", run.requests.payment_ms, _PAYMENT_MS),
        ("answer", run.requests.answer_ms, _ANSWER_MS),
        ("answer-final", run.final.answer_ms, _FINAL_MS),
        ("inquiry", run.inquiries_ms, _INQUIRY_MS),
    ]
    figures = [
        _milliseconds(f"{name}-{at}", values, limit if is_limited else None)
        for name, values, limit in timed
    ]
    for kind, uses in (("agent", run.notifications.agents), ("signer", run.notifications.signers)):
        figures += _use_figures(f"{kind}-{{}}-{at}", uses)
    return figures


def _milliseconds(name: str, values: Sequence[float], limit: int | None) -> Figure:
    ordered = sorted(values)
    tail = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    note = f"median of {len(ordered)}; 90 %: {tail:.0f}, largest {ordered[-1]:.0f}"
    return Figure(name, statistics.median(ordered), limit, unit="ms", at_most=True, note=note)


def _use_figures(name: str, uses: Sequence[Use]) -> list[Figure]:
    cpu = [value for use in uses for value in use.cpu_percent]
    memory = [value for use in uses for value in use.memory_mb]
    many = f"median of {len(uses)} processes"
    return [
        Figure(
            name.format("cpu"),
            statistics.median(cpu),
            unit="%",
            note=f"{many}; largest {max(cpu):.0f}",
        ),
        Figure(
            name.format("memory"),
            statistics.median(memory),
            unit="MB",
            note=f"{many}; largest {max(memory):.0f}",
        ),
    ]


def _burst_figures(run: BurstRun) -> list[Figure]:
    rate, note = run.notifications / run.seconds, f"{run.notifications} in {run.seconds:.1f} s"
    limit = _BURST_PER_S if run.notifications >= BURST else None
    deepest = "blocks that one gave up; what is final lies deeper"
    return [
        Figure("burst-rate", rate, limit, unit="/s", note=note),
        Figure("burst-blocks", run.blocks, unit="", note="that hold them"),
        Figure(
            "burst-reorganisations",
            run.reorganisations,
            unit="",
            note="of all signers; none lost, none twice",
        ),
        Figure("burst-deepest", run.deepest, DEPTH, unit="", at_most=True, note=deepest),
    ]


def _sending_figures(site: Site) -> list[Figure]:
    plan = site.network.plan
    key = "0x" + plan.key(CONSORTIUM).read_text().strip()
    rates = measure_sending(plan.rpc_urls[0], key, gas_price_wei=GAS_PRICE_WEI, confirmations=DEPTH)
    return rates.figures("period-0")


def _draw(runs: Sequence[PeriodRun]) -> None:
    notifications = {f"period {run.period_s}": run.notifications for run in runs}
    draw_notifications(notifications, DOCS / "network-fig6.svg")
    times: dict[str, Sequence[float]] = {}
    for run in runs:
        at = f"period {run.period_s}"
        times[f"answer opened, {at}"] = run.requests.answer_ms
        times[f"prepaid payment, {at}"] = run.requests.payment_ms
        times[f"answer opened, final, {at}"] = run.final.answer_ms
        times[f"account inquiry, {at}"] = run.inquiries_ms
    draw_requests(times, DOCS / "network-fig10.svg")


def _shown(figures: list[Figure]) -> list[Figure]:
    for figure in figures:
        print(figure.line(), flush=True)
    return figures


if __name__ == "__main__":
    raise SystemExit(main())
