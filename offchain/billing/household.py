"""The meters of one household as one: energy is summed, and covered is what all of them cover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from offchain.billing.registers import Meter, RegisterReading, Section, Span
from offchain.errors import BillingError


class Household:
    """One or more meters, by account; or one without, whose bill then names no device."""

    def __init__(self, meters: Mapping[str, Meter], *, are_named: bool = True) -> None:
        if not meters:
            raise BillingError("a bill needs the readings of at least one device")
        self._by_account = dict(meters)
        self._are_named = are_named

    @classmethod
    def of_readings(cls, readings: Sequence[RegisterReading]) -> Household:
        """Return the household of one meter whose account is not known, as from a file."""
        return cls({"": Meter(readings)}, are_named=False)

    def covered(self, window: Span) -> Span:
        """Return the part of a window that lies between every meter's first and last reading.

        Where that is nothing, both ends are the window's beginning.
        """
        start, end = window
        for meter in self._meters:
            if meter.first_s is None or meter.last_s is None:
                return window[0], window[0]
            start, end = max(start, meter.first_s), min(end, meter.last_s)
        return (start, end) if start < end else (window[0], window[0])

    def at(self, section: Section, instants: Sequence[int]) -> list[int]:
        """Return the sum of a register at covered instants; only differences mean anything."""
        columns = [meter.at(section, instants) for meter in self._meters]
        if len(columns) == 1:
            return columns[0]
        return [sum(row) for row in zip(*columns, strict=True)]

    def wh(self, section: Section, span: Span) -> int:
        """Return the energy in Wh of covered instants [start, end)."""
        return sum(meter.wh(section, span) for meter in self._meters if span[0] < span[1])

    def estimated_wh(self, section: Section, span: Span, cuts: Iterable[int]) -> int:
        """Return the Wh inside a covered span of intervals that are long, or cut inside."""
        if span[0] >= span[1]:
            return 0
        instants = list(cuts)
        return sum(meter.estimated_wh(section, span, instants) for meter in self._meters)

    def unknown_intervals(self, span: Span) -> int:
        """Count the intervals of unknown energy that have instants in [start, end)."""
        return sum(
            max(low, span[0]) < min(high, span[1])
            for meter in self._meters
            for low, high in meter.unknown
        )

    def gaps(self) -> list[Span]:
        """Return the long intervals and the unknown ones of all meters."""
        return [gap for meter in self._meters for gap in meter.gaps]

    def devices(self, span: Span) -> dict[str, dict[str, int]]:
        """Return the energy of each named device over a covered span, by account in lower case."""
        if not self._are_named:
            return {}
        return {
            account.lower(): {
                "import_wh": meter.wh("import", span) if span[0] < span[1] else 0,
                "export_wh": meter.wh("export", span) if span[0] < span[1] else 0,
            }
            for account, meter in sorted(self._by_account.items())
        }

    @property
    def _meters(self) -> Iterable[Meter]:
        return self._by_account.values()
