import pytest
from members import NOBODY, NOWHERE, Role, region_id
from reading import plain

NORTH = region_id("north")


def test_revoke__when_caller_is_not_consortium__reverts(registry, buyer, founder, reverts_with):
    with reverts_with("Governed_NotConsortium", founder):
        registry.revoke(buyer.address, {"from": founder})


def test_revoke__given_no_active_member__reverts(
    revoke, govern, registry, outsider, buyer, reverts_with
):
    with reverts_with("MemberRegistry_NotActive", outsider):
        govern(registry, "revoke", outsider.address)
    revoke(buyer)
    with reverts_with("MemberRegistry_NotActive", buyer.address):
        revoke(buyer)


@pytest.mark.parametrize("name", ["processor", "device", "meter_owner", "buyer", "regulator"])
def test_revoke__given_active_member__ends_activity(registry, revoke, cast, only_event, name):
    member = cast[name]

    tx = revoke(member)

    assert plain(registry.memberOf(member.address)) == plain((member.profile, False))
    assert plain(registry.activeRoleOf(member.address)) == plain((Role.NONE, NOWHERE))
    assert not registry.isActive(member.address, member.role)
    assert plain(registry.blsKeyOf(member.address)) == member.bls_words
    assert plain(registry.deliveryKeyOf(member.address)) == member.delivery_words
    assert plain(registry.idCommitmentOf(member.address)) == plain(member.id_commitment)
    assert registry.ownerOf(member.address) == member.owner
    event = only_event(tx, "MemberRevoked")
    expected = {"account": member.address, "role": member.role, "regionId": member.region}
    assert plain(event) == plain(expected)


def test_revoke__given_processor__frees_region(registry, revoke, admit, processor):
    revoke(processor)
    assert registry.processorOf(NORTH) == NOBODY

    successor = admit(Role.PROCESSOR, NORTH)

    assert registry.processorOf(NORTH) == successor.address


def test_revoke__given_user__leaves_regions_processor(registry, revoke, meter_owner, processor):
    revoke(meter_owner)
    assert registry.processorOf(NORTH) == processor.address
