"""How many readings and batches a node holds of a device, by UTC day (docs/formats.md §8)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from offchain.errors import FormatError
from offchain.records import fields

MAX_DAYS = 40_000
_MAX_COUNT = 2**32


@dataclass(frozen=True, slots=True)
class HeldDay:
    """A UTC day of a device: its readings from_seq … from_seq + readings - 1, in `batches`."""

    day: int
    from_seq: int
    readings: int
    batches: int

    @property
    def next_seq(self) -> int:
        """The seq after its last reading."""
        return self.from_seq + self.readings


def to_json(days: list[HeldDay]) -> fields.Json:
    """Return the JSON object of held days."""
    return {"days": [[one.day, one.from_seq, one.readings, one.batches] for one in days]}


def from_json(value: object) -> list[HeldDay]:
    """Read held days; their order and seqs are checked. Raises FormatError."""
    obj = fields.members(value, "days", what="held days")
    days = [_day(item) for item in fields.sequence(obj["days"], "days", max_items=MAX_DAYS)]
    for before, after in itertools.pairwise(days):
        if after.day <= before.day or after.from_seq != before.next_seq:
            raise FormatError(f"the held day {after.day} does not follow the one before")
    return days


def _day(value: object) -> HeldDay:
    day, from_seq, readings, batches = fields.sequence(value, "a day", min_items=4, max_items=4)
    count = fields.integer(readings, "readings", low=1, high=_MAX_COUNT)
    return HeldDay(
        day=fields.integer(day, "day", high=fields.MAX_DAY),
        from_seq=fields.integer(from_seq, "from_seq", low=1),
        readings=count,
        batches=fields.integer(batches, "batches", low=1, high=count),
    )
