"""What a buyer notes of the slots that it helped to open."""

import pytest

from offchain.buyer.opening_record import OpeningRecord
from offchain.database import Place
from offchain.member.errors import AggregateRefused
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
