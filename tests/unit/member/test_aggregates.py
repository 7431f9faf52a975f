"""What a sharing node notes of opened slots, and the neighbourhood's arithmetic."""

import pytest

from offchain.audit.aggregate_opening import Totals
from offchain.buyer.opening_record import OpeningRecord
from offchain.database import Place
from offchain.household.neighbourhood import compare
from offchain.member.errors import AggregateInvalid, AggregateRefused
from tests.databases import place as place

NORTH, SOUTH = bytes([1]) * 32, bytes([2]) * 32
ONE, OTHER = bytes([3]) * 32, bytes([4]) * 32


def note(record: OpeningRecord, from_s: int, to_s: int, digest: bytes = ONE, region=NORTH) -> None:  # type: ignore[no-untyped-def]
    record.note(region_id=region, from_s=from_s, to_s=to_s, set_digest=digest)


def test_note__of_another_set_of_a_slot__is_refused_also_after_a_restart(place: Place) -> None:
    with OpeningRecord(place) as record:
        note(record, 100, 200)
        note(record, 100, 200)
    with OpeningRecord(place) as record:
        note(record, 100, 200)
        for from_s, to_s, digest in [
            *((100, 200, OTHER), (50, 101, OTHER), (199, 300, OTHER), (0, 500, OTHER)),
            *((120, 130, OTHER), (100, 150, ONE), (0, 200, ONE)),
        ]:
            with pytest.raises(AggregateRefused):
                note(record, from_s, to_s, digest)


def test_note__beside_or_in_another_region__is_taken(place: Place) -> None:
    with OpeningRecord(place) as record:
        note(record, 100, 200)
        note(record, 200, 300, OTHER)
        note(record, 0, 100, OTHER)
        note(record, 100, 200, OTHER, region=SOUTH)
    assert isinstance(place, str) or place.stat().st_mode & 0o077 == 0


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
