"""MemberRegistry.rename: companies' public names (rename.tree)."""

import pytest
from eth_utils import keccak
from reading import plain

COMPANIES = ["processor", "buyer", "regulator"]


def test_rename__when_caller_is_not_consortium__reverts(registry, buyer, founder, reverts_with):
    for caller in (founder, buyer.account):
        with reverts_with("Governed_NotConsortium", caller):
            registry.rename(buyer.address, "Vendor", {"from": caller})


def test_rename__given_no_active_member__reverts(
    registry, govern, revoke, outsider, buyer, reverts_with
):
    revoke(buyer)
    for account in (outsider.address, buyer.address):
        with reverts_with("MemberRegistry_NotActive", account):
            govern(registry, "rename", account, "Vendor")


@pytest.mark.parametrize("name", ["", "Anna"])
@pytest.mark.parametrize("who", ["meter_owner", "device"])
def test_rename__given_a_household_or_device__reverts(
    registry, govern, cast, reverts_with, who, name
):
    with reverts_with("MemberRegistry_BadProfile", cast[who].address, "role"):
        govern(registry, "rename", cast[who].address, name)
    assert registry.holderOfName(keccak(b"")) == "0x" + "00" * 20


@pytest.mark.parametrize("length", [0, 65])
def test_rename__when_name_is_missing_or_too_long__reverts(
    registry, govern, buyer, reverts_with, length
):
    with reverts_with("MemberRegistry_BadProfile", buyer.address, "name"):
        govern(registry, "rename", buyer.address, "n" * length)


@pytest.mark.parametrize("then", ["active", "renamed", "revoked"])
def test_rename__given_name_is_or_was_anothers__reverts(
    registry, govern, buyer, buyer_two, revoke, reverts_with, then
):
    if then == "renamed":
        govern(registry, "rename", buyer.address, "Another name")
    if then == "revoked":
        revoke(buyer)
    with reverts_with("MemberRegistry_NameTaken", buyer_two.address, buyer.address):
        govern(registry, "rename", buyer_two.address, buyer.name)


def test_rename__given_an_own_earlier_name__takes_it_back(registry, govern, buyer, only_event):
    for name in ("Another name", buyer.name, buyer.name):
        tx = govern(registry, "rename", buyer.address, name)
        event = plain(only_event(tx, "MemberRenamed"))
        assert event == plain({"account": buyer.address, "name": name.encode()})
    for name in ("Another name", buyer.name):
        assert registry.holderOfName(keccak(text=name)) == buyer.address


@pytest.mark.parametrize("length", [1, 64])
@pytest.mark.parametrize("who", COMPANIES)
def test_rename__given_a_free_name__takes_it(registry, govern, cast, only_event, who, length):
    member, name = cast[who], "n" * length

    tx = govern(registry, "rename", member.address, name)

    for taken in (name, member.name):
        assert registry.holderOfName(keccak(text=taken)) == member.address
    assert plain(registry.memberOf(member.address)) == plain((member.profile, True))
    event = plain(only_event(tx, "MemberRenamed"))
    assert event == plain({"account": member.address, "name": name.encode()})
    assert registry.balance() == 0
