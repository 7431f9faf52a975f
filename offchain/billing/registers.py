"""Energy at an instant: what a meter's two registers say between readings (docs/formats.md §17)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from offchain.errors import RegisterError

GAP_S = 7_200
RESTARTED = 1
Section = Literal["import", "export"]
Span = tuple[int, int]


class RegisterReading(NamedTuple):
    """What the two registers of a meter show at one instant.

    `restarted`: 0; 1 where the energy since the reading before is unknown; above 1 the modulus in
    Wh of counters that may have rolled over since. It says nothing on a first reading.
    """

    time_s: int
    import_wh: int
    export_wh: int
    restarted: int = 0


class Register:
    """One register: energy in Wh at any instant between the first reading and the last."""

    def __init__(self, times: list[int], wh: list[int]) -> None:
        self._times = times
        self._wh = wh
        self._known = dict(zip(times, wh, strict=True))

    def at(self, instants: Iterable[int]) -> list[int]:
        """Return the energy at each instant, floored to Wh; only differences mean anything."""
        known, between = self._known.get, self._between
        return [between(t) if (wh := known(t)) is None else wh for t in instants]

    def cut_intervals(self, cuts: Iterable[int]) -> set[int]:
        """Return the numbers of the intervals that have one of these instants strictly inside."""
        return {bisect_right(self._times, cut) - 1 for cut in cuts if cut not in self._known}

    def _between(self, instant: int) -> int:
        i = bisect_right(self._times, instant) - 1
        t0, t1 = self._times[i], self._times[i + 1]
        e0, e1 = self._wh[i], self._wh[i + 1]
        return e0 + (e1 - e0) * (instant - t0) // (t1 - t0)


class Meter:
    """The readings of one device, in order of time.

    Raises RegisterError, naming the reading's time, where times do not rise or a register falls
    that is not said to have restarted.
    """

    def __init__(self, readings: Sequence[RegisterReading]) -> None:
        self._times = [reading.time_s for reading in readings]
        for before, after in pairwise(self._times):
            if after <= before:
                raise RegisterError(f"the time {after} does not rise above {before}")
        self.unknown: list[Span] = [
            (before.time_s, after.time_s)
            for before, after in pairwise(readings)
            if after.restarted == RESTARTED
        ]
        events = [(i, r.restarted) for i, r in enumerate(readings) if r.restarted and i]
        self._registers: dict[Section, Register] = {
            "import": self._register([r.import_wh for r in readings], events, "import"),
            "export": self._register([r.export_wh for r in readings], events, "export"),
        }
        self._long = [i for i, (a, b) in enumerate(pairwise(self._times)) if b - a > GAP_S]

    @property
    def first_s(self) -> int | None:
        """When the first reading was taken; None where there is none."""
        return self._times[0] if self._times else None

    @property
    def last_s(self) -> int | None:
        """When the last reading was taken; None where there is none."""
        return self._times[-1] if self._times else None

    @property
    def gaps(self) -> list[Span]:
        """The intervals that tell nothing of the hours in them: long ones and unknown ones."""
        return [(self._times[i], self._times[i + 1]) for i in self._long] + self.unknown

    def at(self, section: Section, instants: Iterable[int]) -> list[int]:
        """Return a register's energy at instants between the first reading and the last."""
        return self._registers[section].at(instants)

    def wh(self, section: Section, span: Span) -> int:
        """Return the energy in Wh of [start, end)."""
        start, end = self.at(section, span)
        return end - start

    def estimated_wh(self, section: Section, span: Span, cuts: Iterable[int]) -> int:
        """Return the Wh inside `span` of intervals that are long or have a cut strictly inside."""
        start, end = span
        places = {i for i in self._long if self._times[i] < end and self._times[i + 1] > start}
        places |= self._registers[section].cut_intervals(cuts)
        return sum(
            self.wh(section, (max(start, self._times[i]), min(end, self._times[i + 1])))
            for i in places
        )

    def _register(self, raw: list[int], events: list[tuple[int, int]], name: str) -> Register:
        """Take out of the counter what its events did to it; then it must not fall."""
        billed: list[int] = []
        shift = 0
        for place, event in events:
            billed.extend(_shifted(raw[len(billed) : place], shift))
            shift += _correction(raw[place - 1], raw[place], event)
        billed.extend(_shifted(raw[len(billed) :], shift))
        for i, (before, after) in enumerate(pairwise(billed), start=1):
            if after < before:
                raise RegisterError(
                    f"{name}_wh falls from {raw[i - 1]} to {raw[i]} at {self._times[i]}; say why "
                    "in register_restarted: 1, or the modulus of a counter that rolled over"
                )
        return Register(self._times, billed)


def _shifted(values: list[int], shift: int) -> list[int]:
    return [value + shift for value in values] if shift else values


def _correction(before: int, after: int, event: int) -> int:
    if event == RESTARTED:
        return before - after
    return event if after < before else 0
