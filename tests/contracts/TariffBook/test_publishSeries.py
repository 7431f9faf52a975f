"""TariffBook.publishSeries: market prices are said before they hold (publishSeries.tree)."""

import pytest
from reading import plain

from tests.contracts.TariffBook.conftest import (
    DIGEST,
    HOUR,
    NAME,
    NONE,
    NORTH,
    OTHER,
    SOUTH,
    head_after,
    key_of,
)


@pytest.mark.parametrize(
    "region, name, digest, length_s, resolution_s, field",
    [
        (bytes(32), NAME, DIGEST, HOUR, HOUR, "regionId"),
        (NORTH, "", DIGEST, HOUR, HOUR, "name"),
        (NORTH, "n" * 129, DIGEST, HOUR, HOUR, "name"),
        (NORTH, NAME, bytes(32), HOUR, HOUR, "digest"),
        (NORTH, NAME, DIGEST, HOUR, 0, "resolutionSeconds"),
        (NORTH, NAME, DIGEST, HOUR, 901, "resolutionSeconds"),
        (NORTH, NAME, DIGEST, HOUR, 7_200, "resolutionSeconds"),
        (NORTH, NAME, DIGEST, 900, 900, None),
        (NORTH, NAME, DIGEST, 5_400, 1_800, None),
        (NORTH, NAME, DIGEST, 25 * HOUR, HOUR, None),
        (NORTH, NAME, DIGEST, 0, 900, "endsAt"),
        (NORTH, NAME, DIGEST, -HOUR, HOUR, "endsAt"),
        (NORTH, NAME, DIGEST, HOUR - 1, 900, "endsAt"),
        (NORTH, NAME, DIGEST, HOUR + 1_800, HOUR, "endsAt"),
    ],
)
def test_publish_series__when_a_field_does_not_fit__reverts(
    book, processor, now, reverts_with, region, name, digest, length_s, resolution_s, field
):
    start = now() + 2 * HOUR
    entry = (digest, start, start + length_s, resolution_s)
    if field is None:
        book.publishSeries(region, name, entry, {"from": processor.account})
        return
    with reverts_with("TariffBook_BadEntry", field):
        book.publishSeries(region, name, entry, {"from": processor.account})
    assert book.seriesHeadOf(NORTH, key_of(NAME)) == NONE


def test_publish_series__given_another_caller__reverts(
    book, processor, processor_two, meter_owner, founder, outsider, now, reverts_with
):
    start = now() + HOUR
    entry = (DIGEST, start, start + HOUR, HOUR)
    for caller in (processor_two.account, meter_owner.account, founder, outsider):
        with reverts_with("TariffBook_NotProcessor", NORTH, caller):
            book.publishSeries(NORTH, NAME, entry, {"from": caller})
    with reverts_with("TariffBook_NotProcessor", SOUTH, processor.account):
        book.publishSeries(SOUTH, NAME, entry, {"from": processor.account})


def test_publish_series__given_a_stop__reverts(book, registry, processor, govern, reverts_with):
    govern(registry, "stopBeginnings")
    until = registry.stoppedUntil()
    with reverts_with("MemberRegistry_Stopped", until):
        book.publishSeries(
            NORTH, NAME, (DIGEST, until, until + HOUR, HOUR), {"from": processor.account}
        )


@pytest.mark.parametrize("late_by", [0, 1])
def test_publish_series__when_it_has_begun__reverts(
    book, processor, now, at, reverts_with, late_by
):
    begins_at = now() + 100
    at(begins_at + late_by)
    with reverts_with("TariffBook_NotAhead", begins_at, begins_at + late_by):
        book.publishSeries(
            NORTH, NAME, (DIGEST, begins_at, begins_at + HOUR, HOUR), {"from": processor.account}
        )
    assert book.seriesHeadOf(NORTH, key_of(NAME)) == NONE


def test_publish_series__when_it_is_ahead__hashes_and_emits(book, processor, now, at, only_event):
    entry = (DIGEST, now() + 101, now() + 101 + 23 * HOUR, HOUR)
    at(entry[1] - 1)

    tx = book.publishSeries(NORTH, NAME, entry, {"from": processor.account})

    head = head_after(bytes(32), entry, tx, is_correction=False)
    assert book.seriesHeadOf(NORTH, key_of(NAME)) == head
    assert book.seriesHeadOf(SOUTH, key_of(NAME)) == NONE
    assert book.seriesHeadOf(NORTH, key_of("another")) == NONE
    assert book.headOf(NORTH, key_of(NAME)) == NONE
    assert plain(only_event(tx, "SeriesPublished")) == plain(
        {
            "regionId": NORTH,
            "name": key_of(NAME),
            "digest": DIGEST,
            "by": processor.address,
            "startsAt": entry[1],
            "endsAt": entry[2],
            "resolutionSeconds": HOUR,
            "publishedAt": tx.timestamp,
            "isCorrection": False,
            "seriesName": NAME.encode(),
        }
    )


def test_publish_series__given_earlier_series__goes_on_from_them(book, processor, now):
    head, start = bytes(32), now() + HOUR
    entries = (
        (DIGEST, start, start + 24 * HOUR, HOUR),
        (OTHER, start, start + 900, 900),
        (DIGEST, start, start + 24 * HOUR, HOUR),
    )
    for entry in entries:
        tx = book.publishSeries(NORTH, NAME, entry, {"from": processor.account})
        head = head_after(head, entry, tx, is_correction=False)
        assert book.seriesHeadOf(NORTH, key_of(NAME)) == head
        head = bytes.fromhex(head[2:])


def test_publish_series__given_a_vote__fills_what_has_begun(book, govern, only_event):
    entry = (DIGEST, 0, 1_800, 1_800)

    tx = govern(book, "publishSeries", NORTH, NAME, entry)

    assert only_event(tx, "SeriesPublished")["isCorrection"] is True
    head = head_after(bytes(32), entry, tx, is_correction=True)
    assert book.seriesHeadOf(NORTH, key_of(NAME)) == head
