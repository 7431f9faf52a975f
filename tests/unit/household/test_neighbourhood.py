"""A household against its neighbourhood: the arithmetic."""

import pytest

from offchain.audit.aggregate_opening import Totals
from offchain.household.neighbourhood import compare
from offchain.member.errors import AggregateInvalid
from offchain.records.slots import SlotEnergy


def drawn(*values: int | None) -> list[SlotEnergy | None]:
    """Slots in which so much was drawn, and ten times as much fed in."""
    return [None if one is None else SlotEnergy(one, 10 * one) for one in values]


def totals(*values: int, homes: int = 3) -> Totals:
    slots = tuple(SlotEnergy(one, 10 * one) for one in values)
    return Totals(from_s=0, slot_s=3_600, homes=homes, slots=slots, false_members=())


def test_compare__with_the_set__takes_oneself_out() -> None:
    found = compare(totals(10, 21, 30), drawn(4, 0, None), is_in_set=True)
    assert [(one.start_s, one.own, one.mean) for one in found.slots] == [
        (0, (4, 40), (3, 30)),
        (3_600, (0, 0), (11, 105)),  # 10.5 is rounded half up
    ]
    assert (found.others, found.own, found.mean) == (2, (4, 40), (14, 135))
    assert found.percent_of_mean == 29


def test_compare__from_outside__takes_the_mean_of_all() -> None:
    found = compare(totals(9, 0), drawn(4, 4), is_in_set=False)
    assert (found.others, found.mean, found.percent_of_mean) == (3, (3, 30), 267)
    assert compare(totals(0), drawn(1), is_in_set=False).percent_of_mean is None


def test_compare__given_what_cannot_be__is_refused() -> None:
    with pytest.raises(AggregateInvalid, match="below"):
        compare(totals(3), drawn(4), is_in_set=True)
    with pytest.raises(AggregateInvalid, match="below"):
        compare(totals(3), [SlotEnergy(0, 31)], is_in_set=True)
    with pytest.raises(AggregateInvalid, match="none of"):
        compare(totals(3), drawn(None), is_in_set=True)
