"""CPU and memory of processes over time, from Linux's /proc."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
EVERY_S = 0.5


@dataclass
class Use:
    """Samples of one process: seconds since the start, percent of one core, MB resident."""

    at_s: list[float] = field(default_factory=list)
    cpu_percent: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)


@contextmanager
def watched(pids: Mapping[str, int]) -> Iterator[dict[str, Use]]:
    """Sample processes by name while the body runs; one that ends is sampled no more."""
    uses = {name: Use() for name in pids}
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(pids, uses, ended), daemon=True)
    thread.start()
    try:
        yield uses
    finally:
        ended.set()
        thread.join()


def _watch(pids: Mapping[str, int], uses: dict[str, Use], ended: threading.Event) -> None:
    started = time.monotonic()
    before = {name: (started, _cpu_s(pid)) for name, pid in pids.items()}
    while not ended.wait(EVERY_S):
        now = time.monotonic()
        for name, pid in pids.items():
            spent, memory = _cpu_s(pid), _memory_mb(pid)
            then, spent_then = before[name]
            if spent is None or spent_then is None or memory is None:
                continue
            uses[name].at_s.append(now - started)
            uses[name].cpu_percent.append(100 * (spent - spent_then) / (now - then))
            uses[name].memory_mb.append(memory)
            before[name] = (now, spent)


def _cpu_s(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _memory_mb(pid: int) -> float | None:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6
    except (OSError, IndexError):
        return None
