import pytest
from members import NO_POINT, NOBODY, NOWHERE, Role, region_id
from reading import plain

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
