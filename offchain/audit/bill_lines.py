"""A bill as the node says it, held line by line against the bill as it comes out here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.billing.bill import Bill


@dataclass(frozen=True, slots=True, repr=False)
class CheckedLine:
    """One number of a bill. `said` is what the node says, `own` what comes out here; None where
    there is none. Units: "Wh", "micro" (micro-units of the currency), "number".
    """

    name: str
    unit: str
    said: int | None
    own: int | None

    @property
    def ok(self) -> bool:
        """Whether both are there and the same."""
        return self.said is not None and self.said == self.own

    @property
    def difference(self) -> int | None:
        """What the node says beyond what comes out here."""
        return None if self.said is None or self.own is None else self.said - self.own


def checked_lines(said: dict[str, Any], own: Bill) -> list[CheckedLine]:
    """Return every line, tax, sum and energy of either bill, in the order of the own one.

    `said` may be anything: a member that is missing or no integer counts as not said.
    """
    ours, theirs = dict(_numbers(own.to_json())), dict(_numbers(said))
    names = [*ours, *(name for name in theirs if name not in ours)]
    return [
        CheckedLine(printable(name), unit, theirs.get((name, unit)), ours.get((name, unit)))
        for name, unit in names
    ]


_SUMS = (
    ("import_wh", "taken", "Wh"),
    ("export_wh", "given", "Wh"),
    ("estimated_wh", "estimated", "Wh"),
    ("unknown_intervals", "intervals of unknown energy", "number"),
)


def said_numbers(said: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Return the numbers of what may be a bill: name, unit and value, in its order."""
    return [(printable(name), unit, value) for (name, unit), value in _numbers(said)]


def _numbers(bill: dict[str, Any]) -> Iterator[tuple[tuple[str, str], int]]:
    for member, name, unit in _SUMS:
        yield from _number(bill, member, name, unit)
    seen: Counter[str] = Counter()
    for line in _objects(bill.get("lines")):
        name = _again(seen, _line_name(line, bill))
        yield from _number(line, "wh", name, "Wh")
        yield from _number(line, "amount", name, "micro")
    yield from _number(bill, "subtotal", "subtotal", "micro")
    for tax in _objects(bill.get("taxes")):
        yield from _number(tax, "amount", _again(seen, f"tax {tax.get('name')}"), "micro")
    for member in ("rounding", "total"):
        yield from _number(bill, member, member, "micro")


def _number(
    value: dict[str, Any], member: str, name: str, unit: str
) -> Iterator[tuple[tuple[str, str], int]]:
    found = value.get(member)
    if isinstance(found, int) and not isinstance(found, bool):
        yield (name, unit), found


def _objects(value: object) -> Sequence[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _line_name(line: dict[str, Any], bill: dict[str, Any]) -> str:
    period = line.get("period")
    name = f"{line.get('section')} {line.get('component')}"
    name = name if period is None else f"{name}: {period}"
    tariffs = bill.get("tariffs")
    is_one_of_several = isinstance(tariffs, list) and len(tariffs) > 1
    return f"{name} ({str(line.get('tariff'))[:8]}…)" if is_one_of_several else name


def printable(text: str) -> str:
    """Return text as it may go to a terminal: whoever publishes a tariff chooses its names."""
    return "".join(one if one.isprintable() else "?" for one in text)


def _again(seen: Counter[str], name: str) -> str:
    """Tell lines of one name apart."""
    seen[name] += 1
    return name if seen[name] == 1 else f"{name} ({seen[name]})"
