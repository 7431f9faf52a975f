"""ConsentBook.stands (stands.tree)."""

import pytest
from members import Role, region_id

RESEARCH, BILLING = region_id("research"), region_id("billing")


def test_stands__given_no_consent__is_false(consents, device, meter_owner, outsider, admit, now):
    assert not consents.stands(device.address, RESEARCH)
    assert not consents.stands(outsider.address, RESEARCH)
    other = admit(Role.DEVICE, region_id("north"), owner=meter_owner)
    consents.give(other.address, RESEARCH, now() + 1_000, {"from": meter_owner.account})
    assert consents.stands(other.address, RESEARCH)
    assert not consents.stands(device.address, RESEARCH)
    assert not consents.stands(other.address, BILLING)
    consents.withdraw(other.address, RESEARCH, {"from": meter_owner.account})
    assert not consents.stands(other.address, RESEARCH)


@pytest.mark.parametrize("offset, stands", [(-1, True), (0, False), (1, False)])
def test_stands__when_time_passes__is_true_until_the_expiry(
    consents, device, meter_owner, now, mine_at, offset, stands
):
    expires_at = now() + 100
    consents.give(device.address, RESEARCH, expires_at, {"from": meter_owner.account})
    mine_at(expires_at + offset)
    assert consents.stands(device.address, RESEARCH) is stands


@pytest.mark.parametrize("who", ["device", "meter_owner"])
def test_stands__given_revoked_device_or_owner__is_false(
    consents, device, meter_owner, cast, revoke, now, who
):
    consents.give(device.address, RESEARCH, now() + 1_000, {"from": meter_owner.account})
    assert consents.stands(device.address, RESEARCH)
    revoke(cast[who])
    assert not consents.stands(device.address, RESEARCH)
