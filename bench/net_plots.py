"""Fig. 6 and Fig. 10 as the paper draws them, a point a run, with the paper's values as bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.net_notifications import NotificationRun
from bench.process_use import Use

# (label, lowest, highest) in seconds, as the paper gives them.
PAPER_NOTIFICATION = ("paper: ≈ 1 s", 0.95, 1.05)
PAPER_PAYMENT = ("paper: 1.6–1.8 s", 1.6, 1.8)
PAPER_INQUIRY = ("paper: 0.8–1.0 s", 0.8, 1.0)
_OTHER = "bands: the paper's values (other hardware: Raspberry Pis; other ledger: Fabric)"
_COLOURS = ("#3b6ea5", "#c8553d", "#4f8a5b", "#8a6d3b")

Band = tuple[str, float, float]


def draw_notifications(runs: Mapping[str, NotificationRun], path: Path) -> None:
    """Draw Fig. 6: each notification's time with its consensus and storage part; CPU; memory."""
    pyplot = _pyplot()
    plot, rows = pyplot.subplots(3, 1, figsize=(9, 10), layout="constrained")
    _band(rows[0], PAPER_NOTIFICATION)
    for (name, run), colour in zip(runs.items(), _COLOURS, strict=False):
        numbers = range(1, len(run.notifications) + 1)
        parts = {"in all": "-", "consensus": "--", "storage": ":"}
        for part, style in parts.items():
            values = [_part_s(one, part) for one in run.notifications]
            rows[0].plot(numbers, values, style, color=colour, lw=1, label=f"{name}, {part}")
    rows[0].set(yscale="log", ylabel="seconds", xlabel="notification")
    rows[0].set_title("Fig. 6: notifications of five device agents")
    rows[0].legend(fontsize=7, ncols=2)
    for (name, run), colour in zip(runs.items(), _COLOURS, strict=False):
        for kind, uses, style in (("agent", run.agents, "-"), ("signer", run.signers, "--")):
            _draw_uses(rows[1], uses, "cpu_percent", f"{kind}s, {name}", colour, style)
            _draw_uses(rows[2], uses, "memory_mb", f"{kind}s, {name}", colour, style)
    rows[1].set(ylabel="CPU, % of a core", xlabel="seconds")
    rows[2].set(ylabel="memory, MB", xlabel="seconds", ylim=(0, None))
    for axes in rows[1:]:
        axes.legend(fontsize=7)
    plot.supxlabel(_OTHER, fontsize=7)
    _save(plot, path)


def draw_requests(times_ms: Mapping[str, Sequence[float]], path: Path) -> None:
    """Draw Fig. 10: prepaid payments, their answers, and account inquiries, in milliseconds."""
    pyplot = _pyplot()
    plot, axes = pyplot.subplots(figsize=(9, 6), layout="constrained")
    for band in (PAPER_PAYMENT, PAPER_INQUIRY):
        _band(axes, band)
    styles = ("-", "--", ":", "-.")
    for index, (name, values) in enumerate(times_ms.items()):
        numbers = range(1, len(values) + 1)
        seconds = [value / 1000 for value in values]
        colour, style = _COLOURS[index // 4 % 4], styles[index % 4]
        axes.plot(numbers, seconds, style, color=colour, lw=1.2, label=name)
    axes.set(yscale="log", ylabel="seconds", xlabel="run")
    axes.set_title("Fig. 10: prepaid payments and account inquiries")
    axes.legend(fontsize=7, ncols=2)
    plot.supxlabel(_OTHER, fontsize=7)
    _save(plot, path)


def _part_s(one: Any, part: str) -> float:
    value = {"in all": one.total_ms, "consensus": one.chain_ms, "storage": one.store_ms}[part]
    return float(value) / 1000


def _draw_uses(
    axes: Any, uses: Sequence[Use], what: str, label: str, colour: str, style: str
) -> None:
    for use in uses:
        axes.plot(use.at_s, getattr(use, what), style, color=colour, lw=0.8, label=label)
        label = "_"  # one entry a kind


def _band(axes: Any, band: Band) -> None:
    label, low, high = band
    axes.axhspan(low, high, color="#bbbbbb", alpha=0.6, label=label)


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "dmsm"
    from matplotlib import pyplot

    return pyplot


def _save(plot: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    plot.savefig(path, metadata={"Date": None})
    _pyplot().close(plot)
