"""Figures against their limits: printed, tabled, drawn; what is missed needs a written reason."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

REASONS = Path(__file__).with_name("missed.toml")


@dataclass(frozen=True)
class Figure:
    """One measured value. `limit` None: for information; `at_most` turns the limit round."""

    name: str
    value: float
    limit: float | None = None
    unit: str = "x"
    at_most: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Tell whether the value keeps its limit."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    @property
    def shown_limit(self) -> str:
        """Return the limit as text."""
        if self.limit is None:
            return "-"
        limit = f"{self.limit:.0f}" if self.unit == "gas" else f"{self.limit:g}"
        return f"{'<=' if self.at_most else '>='}{limit}"

    def line(self) -> str:
        """Return `name value limit ok|MISSED`."""
        verdict = "ok" if self.is_met else "MISSED"
        value = f"{self.value:.10g} " if self.unit == "gas" else f"{self.value:.4g}"
        return f"{self.name} {value}{self.unit} {self.shown_limit} {verdict}"


def unexplained(figures: Sequence[Figure]) -> list[str]:
    """Return the names of the missed figures that missed.toml does not excuse."""
    excuses = tomllib.loads(REASONS.read_text())
    missed = [figure for figure in figures if not figure.is_met]
    return [figure.name for figure in missed if not _is_excused(figure, excuses)]


def _is_excused(figure: Figure, excuses: dict[str, Any]) -> bool:
    excuse = excuses.get(figure.name, {})
    if not str(excuse.get("reason", "")).strip():
        return False
    return replace(figure, limit=float(excuse["down_to"])).is_met


def write_table(figures: Sequence[Figure], path: Path, *, title: str, preface: str) -> None:
    """Write a Markdown table."""
    lines = [
        f"# {title}",
        "",
        preface,
        "",
        "| figure | value | limit | | |",
        "|---|---|---|---|---|",
    ]
    for figure in figures:
        verdict = "" if figure.limit is None else ("ok" if figure.is_met else "**MISSED**")
        value = f"{figure.value:.4g} {figure.unit}".replace(" x", " ×").replace(" us", " µs")
        lines.append(
            f"| {figure.name} | {value} | {figure.shown_limit} | {verdict} | {figure.note} |"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def draw_ratios(figures: Sequence[Figure], path: Path, *, title: str) -> None:
    """Draw the ratios and their limits as bars on a logarithmic scale (SVG)."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "dmsm"
    from matplotlib import pyplot

    ratios = [figure for figure in figures if figure.unit == "x" and figure.limit is not None]
    plot, axes = pyplot.subplots(figsize=(9, 0.38 * len(ratios) + 1.2), layout="constrained")
    places = range(len(ratios))
    axes.barh(places, [figure.value for figure in ratios], color="#3b6ea5", height=0.62)
    for place, figure in zip(places, ratios, strict=True):
        axes.plot([figure.limit] * 2, [place - 0.4, place + 0.4], color="#c8553d", linewidth=2)
        axes.annotate(f" {figure.value:.3g}×", (figure.value, place), va="center", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(0.5, max(figure.value for figure in ratios) * 3)
    axes.set_yticks(places, [figure.name for figure in ratios], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as the peer (red: the limit)")
    axes.set_title(title)
    plot.savefig(path, metadata={"Date": None})
    pyplot.close(plot)
