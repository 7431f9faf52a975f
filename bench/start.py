"""What it costs to start a command: CPU seconds and peak memory, each in a fresh process.

Prints each figure as `name value limit ok|MISSED` and exits with 1 when one is missed that
bench/missed.toml does not excuse.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from bench.figures import Figure, unexplained

DMSM = Path(sys.executable).with_name("dmsm")
RUNS = 9
# By name: what is typed, CPU seconds and megabytes at most.
COMMANDS: dict[str, tuple[tuple[str, ...], float, float]] = {
    "help": (("--help",), 0.3, 50),
    "missing_profile": (("user", "locks", "--profile", "/nonexistent/dmsm.toml"), 0.3, 60),
}


def started(words: tuple[str, ...]) -> tuple[float, float]:
    """Run a command to its end; return its CPU seconds and its peak memory in MB."""
    process = subprocess.Popen(
        [str(DMSM), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, use = os.wait4(process.pid, 0)
    process.returncode = 0  # it was waited for here
    return use.ru_utime + use.ru_stime, use.ru_maxrss / 1024


def measure() -> list[Figure]:
    """Measure every command after one run that does not count: it may compile."""
    figures = []
    for name, (words, most_s, most_mb) in COMMANDS.items():
        started(words)
        runs = [started(words) for _ in range(RUNS)]
        cpu_s = statistics.median(cpu_s for cpu_s, _ in runs)
        peak_mb = statistics.median(peak_mb for _, peak_mb in runs)
        figures += [
            Figure(f"start_{name}_cpu", cpu_s, most_s, unit="s", at_most=True),
            Figure(f"start_{name}_memory", peak_mb, most_mb, unit="MB", at_most=True),
        ]
    return figures


def main() -> int:
    """Print the figures; return 1 on a miss without a written reason."""
    figures = measure()
    for figure in figures:
        print(figure.line())
    return 1 if unexplained(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
