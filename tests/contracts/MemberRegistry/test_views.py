import pytest
from members import NO_POINT, NOBODY, NOWHERE, Role, region_id
from reading import plain

from offchain.crypto.messages import Role as Tag
from offchain.crypto.messages import domain_tag

NORTH = region_id("north")


def test_views__given_outsider__are_all_zero(registry, outsider):
    empty = (0, NOWHERE, NOBODY, NOWHERE, NOWHERE, (0, 0, 0, 0), NO_POINT)
    assert plain(registry.memberOf(outsider)) == plain((empty, False))
    assert plain(registry.activeRoleOf(outsider)) == plain((0, NOWHERE))
    assert plain(registry.blsKeyOf(outsider)) == (0, 0, 0, 0)
    assert plain(registry.deliveryKeyOf(outsider)) == NO_POINT
    assert plain(registry.idCommitmentOf(outsider)) == plain(NOWHERE)
    assert registry.ownerOf(outsider) == NOBODY


def test_is_active__given_outsider__is_false_for_every_role(registry, outsider):
    # Role None too: nobody is an active None.
    assert [registry.isActive(outsider, role) for role in Role] == [False] * len(Role)


@pytest.mark.parametrize("name", ["processor", "device", "meter_owner", "buyer", "regulator"])
def test_is_active__given_member__is_true_for_its_role_alone(registry, cast, name):
    member = cast[name]
    assert [role for role in Role if registry.isActive(member.address, role)] == [member.role]


def test_processor_of__given_regions__names_their_processors(registry, processor, processor_two):
    assert registry.processorOf(NORTH) == processor.address
    assert registry.processorOf(region_id("south")) == processor_two.address
    assert registry.processorOf(region_id("west")) == NOBODY


def test_consortium__when_read__is_the_consortium_contract(registry, consortium):
    assert registry.consortium() == consortium.address


@pytest.mark.parametrize("name", ["processor", "device", "meter_owner", "buyer", "regulator"])
def test_may_begin__given_member__is_true_for_its_role_alone(registry, cast, revoke, name):
    member = cast[name]
    assert [r for r in Role if registry.mayBegin(member.address, r)] == [member.role]
    assert plain(registry.beginnerOf(member.address)) == plain((member.role, member.region))
    assert registry.mayAnchor(member.address) == (member.role == Role.DEVICE)
    revoke(member)
    assert not any(registry.mayBegin(member.address, role) for role in Role)
    assert plain(registry.beginnerOf(member.address)) == plain((Role.NONE, NOWHERE))
    assert not registry.mayAnchor(member.address)


def test_may_begin__given_outsider__is_false_for_every_role(registry, outsider):
    assert not any(registry.mayBegin(outsider, role) for role in Role)
    assert plain(registry.beginnerOf(outsider)) == plain((Role.NONE, NOWHERE))
    assert not registry.mayAnchor(outsider)


def test_is_signed_by__given_a_members_signature__holds_also_when_revoked(
    registry, buyer, buyer_two, revoke, outsider, reverts_with
):
    message, tag = b"any bytes", domain_tag(Tag.SHARING)
    signature = buyer.sign(message, role=Tag.SHARING)
    held = (buyer.address, message, tag, signature)
    assert registry.isSignedBy(*held)
    wrong = {
        0: [buyer_two.address, outsider.address],
        1: [b"any byte", b""],
        2: [domain_tag(Tag.REQUEST), b"\0" * 255],
        3: [(0, 0), (1, 3), buyer_two.sign(message, role=Tag.SHARING)],
    }
    for position, values in wrong.items():
        for value in values:
            changed = (*held[:position], value, *held[position + 1 :])
            assert not registry.isSignedBy(*changed), (position, value)
    with reverts_with("HashToCurve_TagLength", 0):
        registry.isSignedBy(*held[:2], b"", held[3])
    revoke(buyer)
    assert registry.isSignedBy(*held)
