"""Times of peers in turn: medians and the ratio round by round, as machines drift."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Clock = Callable[[], float]


@dataclass(frozen=True)
class Timings:
    """Seconds a unit of work, one list a contender and one entry a round."""

    rounds: Mapping[str, list[float]]

    def median_s(self, name: str) -> float:
        """Return a contender's median."""
        return statistics.median(self.rounds[name])

    def ratio(self, slow: str, fast: str) -> float:
        """Return the median over the rounds of slow/fast."""
        pairs = zip(self.rounds[slow], self.rounds[fast], strict=True)
        return statistics.median(left / right for left, right in pairs)


def in_turn(
    contenders: Mapping[str, tuple[Callable[[], object], float]],
    *,
    rounds: int,
    clock: Clock = time.process_time,
) -> Timings:
    """Run contenders one after another, `rounds` times, after one run that does not count.

    Each is a call and the number of units of work it does.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, (call, units) in contenders.items():
            start = clock()
            call()
            if number:
                times[name].append((clock() - start) / units)
    return Timings(times)


def repeated(call: Callable[[], object], times: int) -> tuple[Callable[[], object], float]:
    """Return a contender that does `call` several times."""

    def run() -> None:
        for _ in range(times):
            call()

    return run, float(times)


def clock_with(process_id: int) -> Clock:
    """Return a clock of the CPU time of this process and another, by Linux's scheduler."""
    tasks = Path(f"/proc/{process_id}/task")

    def now() -> float:
        spent = (int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())
        return time.process_time() + sum(spent) / 1e9

    return now


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
