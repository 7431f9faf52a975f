"""A bill in words: its lines, and beside them what a node says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offchain.audit.bill_lines import CheckedLine, printable
from offchain.audit.gaps import Gap
from offchain.billing.advice import Advice
from offchain.billing.bill import Bill
from offchain.billing.money import amount_text
from offchain.billing.zones import Zone
from offchain.cli.advice_text import advice_text

_NAME = 38
_GAPS = 10


def result_text(found: Bill | Advice, zone: Zone) -> Iterator[str]:
    """Yield the lines of a bill, times in a zone, or of advice, as they may go to a terminal."""
    lines = bill_text(found, zone) if isinstance(found, Bill) else advice_text(found)
    yield from map(printable, lines)


def bill_text(found: Bill, zone: Zone) -> Iterator[str]:
    """Yield the lines of a bill, times in a zone."""

    def money(micro: int) -> str:
        return f"{amount_text(micro, least_digits=found.minor_digits):>16} {found.currency}"

    def clock(instant: int) -> str:
        return zone.wall_clock(instant).strftime("%Y-%m-%d %H:%M")

    yield f"{clock(found.window_from)} to {clock(found.window_to)}, {zone.name}"
    if not found.is_complete:
        yield f"covers {clock(found.covers_from)} to {clock(found.covers_to)} only: no readings"
    yield f"taken {found.import_wh} Wh, given {found.export_wh} Wh"
    if found.estimated_wh:
        yield f"{found.estimated_wh} Wh are estimated: their intervals are long, or cut"
    if found.unknown_intervals:
        yield f"intervals of unknown energy, not billed: {found.unknown_intervals}"
    shown = ""
    for line in found.lines:
        if len(found.tariffs) > 1 and shown != line.tariff:
            shown = line.tariff
            yield f"tariff {shown}"
        name = line.component if line.period is None else f"{line.component}: {line.period}"
        yield f"{line.section:<7} {name:<40} {line.wh:>10} Wh {money(line.amount)}"
    yield f"{'subtotal':<62}{money(found.subtotal)}"
    for tax in found.taxes:
        yield f"{'tax':<7} {tax.name:<54}{money(tax.amount)}"
    yield f"{'rounding':<62}{money(found.rounding)}"
    yield f"{'total':<62}{money(found.total)}"


def compared_text(lines: Sequence[CheckedLine], currency: str) -> Iterator[str]:
    """Yield each number of a bill as the node says it, as it comes out here, and the difference."""
    yield f"{'':<{_NAME}} {'the node says':>18} {'it comes out as':>18} {'difference':>16}"
    for line in lines:
        name = line.name if len(line.name) <= _NAME else f"{line.name[: _NAME - 1]}…"
        said, own = _shown(line.said, line.unit), _shown(line.own, line.unit)
        difference = "-" if line.ok else _shown(line.difference, line.unit)
        unit = currency if line.unit == "micro" else "Wh" if line.unit == "Wh" else ""
        yield f"{name:<{_NAME}} {said:>18} {own:>18} {difference:>16} {unit}".rstrip()


def gaps_text(gaps: Sequence[Gap], zone: Zone) -> Iterator[str]:
    """Yield where nothing was read, times in a zone; of many the first ones."""
    for gap in gaps[:_GAPS]:
        start, end = (
            zone.wall_clock(one).strftime("%Y-%m-%d %H:%M") for one in (gap.start, gap.end)
        )
        what = "unknown, not billed" if gap.is_unknown else "estimated"
        yield f"{gap.device}: no reading between {start} and {end}, {what}"
    if len(gaps) > _GAPS:
        yield f"and {len(gaps) - _GAPS} more such gaps"


def _shown(value: int | None, unit: str) -> str:
    if value is None:
        return "nothing"
    return amount_text(value, least_digits=2) if unit == "micro" else str(value)
