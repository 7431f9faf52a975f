"""The plots of the page, each as one piece of SVG."""

import io
import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from offchain.demo.report.content import NotificationRow, RunReport

STATUS_COLOURS = {
    "in operation": "#2a9d5c",
    "too high": "#d1495b",
    "too low": "#3d7ea6",
    "shut down": "#444444",
}
WARNING_COLOUR = "#e8871e"
MAX_LEGEND_HOMES = 20
_STYLE: dict[Any, Any] = {
    "text.parse_math": False,  # a home's name is a name, with $ in it or not
    "svg.fonttype": "none",
    "svg.hashsalt": "dmsm",
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


def load_plot(report: RunReport) -> str:
    """Draw the power of each home over time."""

    def draw(axes: Axes) -> None:
        for home in report.homes:
            times = [_moment(sample.time_s) for sample in home.samples]
            powers = [sample.power_w for sample in home.samples]
            axes.step(times, powers, where="pre", linewidth=0.9, label=_label(home.name))
        axes.set_ylabel("power (W)")
        if len(report.homes) <= MAX_LEGEND_HOMES:
            axes.legend(fontsize=7, ncols=4, loc="upper left")

    return _svg(draw, height=3.4, dates=True)


def notification_plot(report: RunReport) -> str:
    """Draw every notification at its time, a row a home; rings are temperature warnings."""
    names = sorted({row.home for row in report.notifications})

    def draw(axes: Axes) -> None:
        for status, colour in STATUS_COLOURS.items():
            rows = [row for row in report.notifications if row.status == status]
            _scatter(axes, names, rows, label=status, c=colour, s=18)
        warned = [row for row in report.notifications if row.temperature_too_high]
        ring: dict[str, Any] = {"s": 60, "facecolors": "none", "edgecolors": WARNING_COLOUR}
        _scatter(axes, names, warned, label="temperature too high", **ring)
        injected = [row for row in report.notifications if row.injected]
        _scatter(axes, names, injected, label="injected trial", c="black", s=60, marker="x")
        axes.set_yticks(range(len(names)), [_label(name) for name in names], fontsize=7)
        axes.margins(y=0.15)
        axes.legend(fontsize=7, ncols=6, loc="upper center", bbox_to_anchor=(0.5, 1.16))

    return _svg(draw, height=1.4 + 0.28 * len(names), dates=True)


def form_plot(report: RunReport) -> str:
    """Draw the credit of each responder in the order of the form."""

    def draw(axes: Axes) -> None:
        rows = list(reversed(report.form))
        labels = [f"{row.region} ({row.processor[:8]}…)" for row in rows]
        bars = axes.barh(range(len(rows)), [row.credit for row in rows], color="#3d7ea6")
        axes.bar_label(bars, [f"credit {row.credit}" for row in rows], padding=4, fontsize=8)
        axes.set_yticks(range(len(rows)), labels, fontsize=8)
        axes.margins(x=0.15)

    return _svg(draw, height=0.8 + 0.4 * max(1, len(report.form)))


def gas_plot(report: RunReport) -> str:
    """Draw the median gas of each step, the deployment left out."""
    steps = [(name, gas) for name, gas in report.gas.items() if gas and name != "deploy"]
    steps.sort(key=lambda step: step[1])

    def draw(axes: Axes) -> None:
        bars = axes.barh([name for name, _ in steps], [gas for _, gas in steps], color="#7a5195")
        axes.bar_label(bars, [f"{gas:,}" for _, gas in steps], padding=3, fontsize=7)
        axes.tick_params(axis="y", labelsize=7)
        axes.set_xlabel("gas, median of successful transactions")
        axes.margins(x=0.12)

    return _svg(draw, height=1.0 + 0.24 * len(steps))


def _scatter(axes: Axes, names: list[str], rows: list[NotificationRow], **style: Any) -> None:
    times = [_moment(row.time_s) for row in rows]
    axes.scatter(times, [names.index(row.home) for row in rows], **style)


def _label(name: str) -> str:
    return f" {name}" if name.startswith("_") else name  # else the legend leaves it out


def _moment(time_s: int) -> float:
    return float(date2num(datetime.fromtimestamp(time_s, UTC)))


def _svg(draw: Callable[[Axes], None], *, height: float, dates: bool = False) -> str:
    with plt.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser has the fonts
        return _inline(_drawn(draw, height=height, dates=dates))


def _drawn(draw: Callable[[Axes], None], *, height: float, dates: bool) -> str:
    figure, axes = plt.subplots(figsize=(10, height), layout="constrained")
    try:
        draw(axes)
        axes.spines[["top", "right"]].set_visible(False)
        if dates:
            axes.xaxis_date(UTC)
            axes.tick_params(axis="x", labelrotation=20, labelsize=7)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    finally:
        plt.close(figure)
    return buffer.getvalue()


def _inline(svg: str) -> str:
    """Leave out what a piece of SVG inside HTML needs not: the XML prologue and its namespaces."""
    svg = re.sub(r"^.*?(?=<svg)", "", svg, flags=re.DOTALL)
    return re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", svg, count=2)
