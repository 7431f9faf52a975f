import pytest
from members import region_id
from reading import plain

RESEARCH, BILLING = region_id("research"), region_id("billing")


@pytest.fixture
def given(consents, device, meter_owner, now):
    """Consent to research for a day."""
    consents.give(device.address, RESEARCH, now() + 86_400, {"from": meter_owner.account})


def test_withdraw__when_caller_is_not_owner__reverts(
    consents, device, neighbour, outsider, given, reverts_with
):
    for caller in (neighbour.account, device.account, outsider):
        with reverts_with("ConsentBook_NotOwner", device.address, caller):
            consents.withdraw(device.address, RESEARCH, {"from": caller})


def test_withdraw__given_no_consent__reverts(consents, device, meter_owner, given, reverts_with):
    sender = {"from": meter_owner.account}
    with reverts_with("ConsentBook_NoConsent", device.address, BILLING):
        consents.withdraw(device.address, BILLING, sender)
    consents.withdraw(device.address, RESEARCH, sender)
    with reverts_with("ConsentBook_NoConsent", device.address, RESEARCH):
        consents.withdraw(device.address, RESEARCH, sender)


def test_withdraw__given_consent__forgets_and_emits(
    consents, device, meter_owner, given, only_event
):
    tx = consents.withdraw(device.address, RESEARCH, {"from": meter_owner.account})

    assert consents.expiryOf(device.address, RESEARCH) == 0
    assert not consents.stands(device.address, RESEARCH)
    expected = {"device": device.address, "purpose": RESEARCH, "owner": meter_owner.address}
    assert plain(only_event(tx, "ConsentWithdrawn")) == plain(expected)
    assert consents.balance() == 0


def test_withdraw__given_revoked_owner__forgets(consents, device, meter_owner, given, revoke):
    revoke(meter_owner)
    assert consents.expiryOf(device.address, RESEARCH) > 0

    consents.withdraw(device.address, RESEARCH, {"from": meter_owner.account})

    assert consents.expiryOf(device.address, RESEARCH) == 0
