"""A household against its neighbourhood: the arithmetic."""

import pytest

from offchain.audit.aggregate_opening import Totals
from offchain.household.neighbourhood import compare
from offchain.member.errors import AggregateInvalid


def totals(*values: int, homes: int = 3) -> Totals:
    return Totals(from_s=0, slot_s=3_600, homes=homes, totals_wh=values, false_members=())


def test_compare__with_the_set__takes_oneself_out() -> None:
    found = compare(totals(10, 21, 30), [4, 0, None], is_in_set=True)
    assert [(one.start_s, one.own_wh, one.mean_wh) for one in found.slots] == [
        (0, 4, 3),
        (3_600, 0, 11),  # 10.5 is rounded half up
    ]
    assert (found.others, found.own_wh, found.mean_wh) == (2, 4, 14)
    assert found.percent_of_mean == 29


def test_compare__from_outside__takes_the_mean_of_all() -> None:
    found = compare(totals(9, 0), [4, 4], is_in_set=False)
    assert (found.others, found.mean_wh, found.percent_of_mean) == (3, 3, 267)
    assert compare(totals(0), [1], is_in_set=False).percent_of_mean is None


def test_compare__given_what_cannot_be__is_refused() -> None:
    with pytest.raises(AggregateInvalid, match="below"):
        compare(totals(3), [4], is_in_set=True)
    with pytest.raises(AggregateInvalid, match="none of"):
        compare(totals(3), [None], is_in_set=True)
