"""You against your neighbourhood: own energies beside the mean of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.audit.aggregate_opening import Totals
from offchain.member.errors import AggregateInvalid
from offchain.records import slots
from offchain.records.slots import SlotEnergy
from offchain.types import Account, Reading


@dataclass(frozen=True, slots=True, repr=False)
class SlotComparison:
    """One slot: own energies, and the means of the others (of all, for who is not in the set)."""

    start_s: int
    own: SlotEnergy
    mean: SlotEnergy


@dataclass(frozen=True, slots=True, repr=False)
class Neighbourhood:
    """The comparison over the slots that the own readings show; means rounded half up.

    `others`: over how many homes the mean is taken.
    """

    others: int
    is_in_set: bool
    own: SlotEnergy
    mean: SlotEnergy
    slots: tuple[SlotComparison, ...]

    @property
    def percent_of_mean(self) -> int | None:
        """What is drawn in percent of the mean, rounded half up; None of a mean of nothing."""
        mean_wh = self.mean.import_wh
        return None if mean_wh == 0 else _rounded(100 * self.own.import_wh, mean_wh)


def own_slots(
    readings: Mapping[Account, Sequence[Reading]], totals: Totals
) -> list[SlotEnergy | None]:
    """Return the own energies of each slot, over all devices; None where a device does not show it.

    Raises FormatError for readings with gaps.
    """
    to_s = totals.from_s + len(totals.slots) * totals.slot_s
    columns = [
        slots.slot_energies(one, from_s=totals.from_s, to_s=to_s, slot_s=totals.slot_s)
        for one in readings.values()
    ]
    return [
        None
        if not values or None in values
        else SlotEnergy.total([value for value in values if value])
        for values in zip(*columns, strict=True)
    ]


def compare(
    totals: Totals, own_slots: Sequence[SlotEnergy | None], *, is_in_set: bool
) -> Neighbourhood:
    """Compare own energies with the means of the other homes.

    Raises AggregateInvalid when an own energy exceeds a total that it should be part of, or no
    slot can be compared.
    """
    others = totals.homes - 1 if is_in_set else totals.homes
    compared, owns, rests = [], [], []
    for position, (total, own) in enumerate(zip(totals.slots, own_slots, strict=True)):
        if own is None:
            continue
        rest = _without(total, own) if is_in_set else total
        start_s = totals.from_s + position * totals.slot_s
        compared.append(SlotComparison(start_s, own, _mean(rest, others)))
        owns.append(own)
        rests.append(rest)
    if not compared:
        raise AggregateInvalid("the own readings show none of the set's slots; ask for its days")
    mean = _mean(SlotEnergy.total(rests), others)
    return Neighbourhood(others, is_in_set, SlotEnergy.total(owns), mean, tuple(compared))


def _without(total: SlotEnergy, own: SlotEnergy) -> SlotEnergy:
    rest = SlotEnergy(total.import_wh - own.import_wh, total.export_wh - own.export_wh)
    if min(rest) < 0:
        raise AggregateInvalid("the total is below the own energy that should be part of it")
    return rest


def _mean(total: SlotEnergy, homes: int) -> SlotEnergy:
    return SlotEnergy(_rounded(total.import_wh, homes), _rounded(total.export_wh, homes))


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
