"""You against your neighbourhood: own energies beside the mean of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.audit.aggregate_opening import Totals
from offchain.member.errors import AggregateInvalid
from offchain.records import slots
from offchain.types import Account, Reading


@dataclass(frozen=True, slots=True, repr=False)
class SlotComparison:
    """One slot: own energy, and the mean of the others (of all, for who is not in the set)."""

    start_s: int
    own_wh: int
    mean_wh: int


@dataclass(frozen=True, slots=True, repr=False)
class Neighbourhood:
    """The comparison over the slots that the own readings show; energies in Wh, means rounded
    half up. `others`: over how many homes the mean is taken.
    """

    others: int
    is_in_set: bool
    own_wh: int
    mean_wh: int
    slots: tuple[SlotComparison, ...]

    @property
    def percent_of_mean(self) -> int | None:
        """Own energy in percent of the mean, rounded half up; None of a mean of nothing."""
        return None if self.mean_wh == 0 else _rounded(100 * self.own_wh, self.mean_wh)


def own_slots(readings: Mapping[Account, Sequence[Reading]], totals: Totals) -> list[int | None]:
    """Return the own energy of each slot, over all devices; None where a device does not show it.

    Raises FormatError for readings with gaps.
    """
    to_s = totals.from_s + len(totals.totals_wh) * totals.slot_s
    columns = [
        slots.slot_energies(one, from_s=totals.from_s, to_s=to_s, slot_s=totals.slot_s)
        for one in readings.values()
    ]
    return [
        None if not values or None in values else sum(value for value in values if value)
        for values in zip(*columns, strict=True)
    ]


def compare(totals: Totals, own_wh: Sequence[int | None], *, is_in_set: bool) -> Neighbourhood:
    """Compare own energies with the mean of the other homes.

    Raises AggregateInvalid when the own energy exceeds a total that it should be part of, or no
    slot can be compared.
    """
    others = totals.homes - 1 if is_in_set else totals.homes
    compared = []
    own_sum = others_sum = 0
    for position, (total, own) in enumerate(zip(totals.totals_wh, own_wh, strict=True)):
        if own is None:
            continue
        rest = total - own if is_in_set else total
        if rest < 0:
            raise AggregateInvalid("the total is below the own energy that should be part of it")
        own_sum, others_sum = own_sum + own, others_sum + rest
        start_s = totals.from_s + position * totals.slot_s
        compared.append(SlotComparison(start_s, own, _rounded(rest, others)))
    if not compared:
        raise AggregateInvalid("the own readings show none of the set's slots; ask for its days")
    return Neighbourhood(others, is_in_set, own_sum, _rounded(others_sum, others), tuple(compared))


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
