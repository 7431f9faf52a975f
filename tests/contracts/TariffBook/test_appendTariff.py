"""TariffBook.appendTariff: prices are said before they begin (appendTariff.tree)."""

import pytest
from reading import plain

from tests.contracts.TariffBook.conftest import (
    DIGEST,
    HOUR,
    NONE,
    NORTH,
    OTHER,
    PRODUCT,
    SOUTH,
    head_after,
    key_of,
)


@pytest.mark.parametrize(
    "region, name, digest, from_s, to_s, field",
    [
        (bytes(32), PRODUCT, DIGEST, 0, 0, "regionId"),
        (NORTH, "", DIGEST, 0, 0, "name"),
        (NORTH, "n" * 129, DIGEST, 0, 0, "name"),
        (NORTH, PRODUCT, bytes(32), 0, 0, "digest"),
        (NORTH, PRODUCT, DIGEST, 0, 1, None),
        (NORTH, PRODUCT, DIGEST, 5, 5, "validTo"),
        (NORTH, PRODUCT, DIGEST, 5, 4, "validTo"),
    ],
)
def test_append_tariff__when_a_field_does_not_fit__reverts(
    book, processor, now, reverts_with, region, name, digest, from_s, to_s, field
):
    start = now() + HOUR
    entry = (digest, start + from_s, start + to_s if to_s else 0)
    if field is None:
        book.appendTariff(region, "n" * 128, entry, {"from": processor.account})
        return
    with reverts_with("TariffBook_BadEntry", field):
        book.appendTariff(region, name, entry, {"from": processor.account})
    assert book.headOf(NORTH, key_of(PRODUCT)) == NONE


def test_append_tariff__given_another_caller__reverts(
    book, processor, processor_two, meter_owner, regulator, founder, outsider, now, reverts_with
):
    entry = (DIGEST, now() + HOUR, 0)
    others = (processor_two.account, meter_owner.account, regulator.account, founder, outsider)
    for caller in others:
        with reverts_with("TariffBook_NotProcessor", NORTH, caller):
            book.appendTariff(NORTH, PRODUCT, entry, {"from": caller})
    # What has begun is told to a stranger as the same.
    with reverts_with("TariffBook_NotProcessor", NORTH, outsider):
        book.appendTariff(NORTH, PRODUCT, (DIGEST, 1, 0), {"from": outsider})
    with reverts_with("TariffBook_NotProcessor", SOUTH, processor.account):
        book.appendTariff(SOUTH, PRODUCT, entry, {"from": processor.account})
    assert book.headOf(NORTH, key_of(PRODUCT)) == NONE


def test_append_tariff__given_revoked_node__reverts(book, processor, revoke, now, reverts_with):
    revoke(processor)
    with reverts_with("TariffBook_NotProcessor", NORTH, processor.account):
        book.appendTariff(NORTH, PRODUCT, (DIGEST, now() + HOUR, 0), {"from": processor.account})


def test_append_tariff__given_a_stop__reverts_for_the_node_alone(
    book, registry, processor, consortium, impersonate, govern, at, reverts_with
):
    govern(registry, "stopBeginnings")
    until = registry.stoppedUntil()
    entry, sender = (DIGEST, until + HOUR, 0), {"from": processor.account}
    with reverts_with("MemberRegistry_Stopped", until):
        book.appendTariff(NORTH, PRODUCT, entry, sender)
    book.appendTariff(NORTH, PRODUCT, (OTHER, 1, 0), {"from": impersonate(consortium)})
    at(until - 1)
    with reverts_with("MemberRegistry_Stopped", until):
        book.appendTariff(NORTH, PRODUCT, entry, sender)
    at(until)
    book.appendTariff(NORTH, PRODUCT, entry, sender)


@pytest.mark.parametrize("late_by", [0, 1])
def test_append_tariff__when_it_has_begun__reverts(book, processor, now, at, reverts_with, late_by):
    begins_at = now() + 100
    at(begins_at + late_by)
    with reverts_with("TariffBook_NotAhead", begins_at, begins_at + late_by):
        book.appendTariff(
            NORTH, PRODUCT, (DIGEST, begins_at, begins_at + HOUR), {"from": processor.account}
        )
    assert book.headOf(NORTH, key_of(PRODUCT)) == NONE


def test_append_tariff__when_it_is_ahead__hashes_and_emits(book, processor, now, at, only_event):
    entry = (DIGEST, now() + 101, now() + 201)
    at(entry[1] - 1)

    tx = book.appendTariff(NORTH, PRODUCT, entry, {"from": processor.account})

    head = head_after(bytes(32), entry, tx, is_correction=False)
    assert book.headOf(NORTH, key_of(PRODUCT)) == head
    assert book.headOf(SOUTH, key_of(PRODUCT)) == NONE
    assert book.headOf(NORTH, key_of("another")) == NONE
    assert book.seriesHeadOf(NORTH, key_of(PRODUCT)) == NONE
    assert plain(only_event(tx, "TariffAppended")) == plain(
        {
            "regionId": NORTH,
            "product": key_of(PRODUCT),
            "digest": DIGEST,
            "by": processor.address,
            "validFrom": entry[1],
            "validTo": entry[2],
            "appendedAt": tx.timestamp,
            "isCorrection": False,
            "productName": PRODUCT.encode(),
        }
    )
    assert book.balance() == 0


def test_append_tariff__given_earlier_entries__goes_on_from_them(book, processor, now):
    head, start = bytes(32), now() + HOUR
    for entry in ((DIGEST, start, 0), (OTHER, start, start + HOUR), (DIGEST, start, 0)):
        tx = book.appendTariff(NORTH, PRODUCT, entry, {"from": processor.account})
        head = head_after(head, entry, tx, is_correction=False)
        assert book.headOf(NORTH, key_of(PRODUCT)) == head
        head = bytes.fromhex(head[2:])


def test_append_tariff__given_a_vote__corrects_what_has_begun(
    book, govern, consortium, now, only_event
):
    begun, ahead = (DIGEST, 0, 0), (OTHER, now() + HOUR, 0)

    tx = govern(book, "appendTariff", NORTH, PRODUCT, begun)

    said = only_event(tx, "TariffAppended")
    assert (said["isCorrection"], said["validFrom"], said["by"]) == (True, 0, consortium.address)
    head = head_after(bytes(32), begun, tx, is_correction=True)
    assert book.headOf(NORTH, key_of(PRODUCT)) == head

    tx = govern(book, "appendTariff", NORTH, PRODUCT, ahead)

    assert only_event(tx, "TariffAppended")["isCorrection"] is False
    head = head_after(bytes.fromhex(head[2:]), ahead, tx, is_correction=False)
    assert book.headOf(NORTH, key_of(PRODUCT)) == head
