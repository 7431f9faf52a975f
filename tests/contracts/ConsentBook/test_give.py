import pytest
from members import region_id
from reading import plain

RESEARCH, BILLING = region_id("research"), region_id("billing")


def test_give__when_caller_is_not_owner__reverts(
    consents, device, meter_owner, neighbour, processor, outsider, now, reverts_with
):
    for caller in (neighbour.account, processor.account, device.account, outsider):
        with reverts_with("ConsentBook_NotOwner", device.address, caller):
            consents.give(device.address, RESEARCH, now() + 1000, {"from": caller})
    with reverts_with("ConsentBook_NotOwner", outsider, meter_owner.account):
        consents.give(outsider, RESEARCH, now() + 1000, {"from": meter_owner.account})


def test_give__given_revoked_owner__reverts(
    consents, device, meter_owner, revoke, now, reverts_with
):
    revoke(meter_owner)
    with reverts_with("ConsentBook_NotOwner", device.address, meter_owner.account):
        consents.give(device.address, RESEARCH, now() + 1000, {"from": meter_owner.account})


@pytest.mark.parametrize("late_by", [0, 1])
def test_give__when_expiry_is_not_in_future__reverts(
    consents, device, meter_owner, now, at, reverts_with, late_by
):
    expires_at = now() + 100
    at(expires_at + late_by)
    with reverts_with("ConsentBook_Expired", expires_at, expires_at + late_by):
        consents.give(device.address, RESEARCH, expires_at, {"from": meter_owner.account})


def test_give__when_expiry_is_in_future__stores_and_emits(
    consents, device, meter_owner, now, at, only_event
):
    expires_at = now() + 100
    at(expires_at - 1)

    tx = consents.give(device.address, RESEARCH, expires_at, {"from": meter_owner.account})

    assert consents.expiryOf(device.address, RESEARCH) == expires_at
    assert consents.stands(device.address, RESEARCH)
    assert consents.expiryOf(device.address, BILLING) == 0
    assert not consents.stands(device.address, BILLING)
    assert plain(only_event(tx, "ConsentGiven")) == plain(
        {
            "device": device.address,
            "purpose": RESEARCH,
            "owner": meter_owner.address,
            "expiresAt": expires_at,
        }
    )
    assert consents.balance() == 0


@pytest.mark.parametrize("offset, stands", [(-1, True), (0, False), (1, False)])
def test_give__when_time_passes__stands_until_expiry(
    consents, device, meter_owner, now, mine_at, offset, stands
):
    expires_at = now() + 1000
    consents.give(device.address, RESEARCH, expires_at, {"from": meter_owner.account})

    mine_at(expires_at + offset)

    assert consents.stands(device.address, RESEARCH) is stands


def test_give__given_earlier_consent__replaces_expiry(consents, device, meter_owner, now):
    start = now()
    for expires_at in (start + 1000, start + 5000, start + 500):
        consents.give(device.address, RESEARCH, expires_at, {"from": meter_owner.account})
        assert consents.expiryOf(device.address, RESEARCH) == expires_at
