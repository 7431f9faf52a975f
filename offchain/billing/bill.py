"""The bill as a value: its lines and taxes, what they add up to, and its JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from offchain.billing.lines import Line, TaxLine
from offchain.billing.rounding import half_away

VERSION = 2
_MICRO_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Bill:
    """A bill, version 2. Energies in Wh, amounts in micro-units of `currency`.

    The window asked for is [window_from, window_to), what it covers [covers_from, covers_to), all
    in unix seconds. `tariffs` and `series` are digests in hex. `minor_digits` is the tariffs'; it
    is no member of the bill's JSON.
    """

    currency: str
    minor_digits: int
    window_from: int
    window_to: int
    covers_from: int
    covers_to: int
    import_wh: int
    export_wh: int
    estimated_wh: int
    unknown_intervals: int
    lines: tuple[Line, ...]
    taxes: tuple[TaxLine, ...]
    tariffs: tuple[str, ...]
    series: tuple[str, ...]
    devices: dict[str, dict[str, int]]

    @property
    def is_complete(self) -> bool:
        """Tell whether readings reach both ends of the window."""
        return (self.covers_from, self.covers_to) == (self.window_from, self.window_to)

    @property
    def subtotal(self) -> int:
        """The sum of the lines."""
        return sum(line.amount for line in self.lines)

    @property
    def total(self) -> int:
        """Lines and taxes, rounded half away from zero to the currency's minor unit."""
        unit = 10 ** (_MICRO_DIGITS - self.minor_digits)
        return half_away(Fraction(self._exact, unit)) * unit

    @property
    def rounding(self) -> int:
        """What the rounding to the minor unit adds."""
        return self.total - self._exact

    @property
    def _exact(self) -> int:
        return self.subtotal + sum(tax.amount for tax in self.taxes)

    def to_json(self) -> dict[str, Any]:
        """Return the bill as the values of its JSON (docs/formats.md §17)."""
        return {
            "v": VERSION,
            "currency": self.currency,
            "from": self.window_from,
            "to": self.window_to,
            "covers_from": self.covers_from,
            "covers_to": self.covers_to,
            "is_complete": self.is_complete,
            "import_wh": self.import_wh,
            "export_wh": self.export_wh,
            "estimated_wh": self.estimated_wh,
            "unknown_intervals": self.unknown_intervals,
            "lines": [asdict(line) for line in self.lines],
            "subtotal": self.subtotal,
            "taxes": [asdict(tax) for tax in self.taxes],
            "rounding": self.rounding,
            "total": self.total,
            "tariffs": list(self.tariffs),
            "series": list(self.series),
            "devices": self.devices,
        }
