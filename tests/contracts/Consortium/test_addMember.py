"""Consortium.addMember (addMember.tree)."""

import pytest
from brownie import accounts, web3
from members import NOBODY
from reading import plain


def test_add_member__when_caller_is_not_consortium__reverts(council, outsider, reverts_with):
    for caller in (outsider, council.members[0]):
        with reverts_with("Consortium_NotConsortium", caller):
            council.contract.addMember(outsider, 4, {"from": caller})


def test_add_member__when_account_is_unfit__reverts(council, decide, reverts_with):
    for account in (NOBODY, council.contract.address, council.members[2].address):
        with reverts_with("Consortium_BadMember", account):
            decide(council, council.call("addMember", account, 4))
    assert len(council.contract.members()) == 5


@pytest.mark.parametrize(
    "count, threshold", [(5, 3), (5, 0), (5, 7), (4, 2), (32, 17), (1, 1), (5, 2**256 - 1)]
)
def test_add_member__when_threshold_is_no_majority__reverts(
    found, impersonate, outsider, reverts_with, count, threshold
):
    council = found_many(found, count)
    caller = {"from": impersonate(council.contract)}
    with reverts_with("Consortium_BadMembers", count + 1, threshold):
        council.contract.addMember(outsider, threshold, caller)
    assert len(council.contract.members()) == count


def found_many(found, count):
    """Found a consortium of any size: its surplus members are addresses alone."""
    council = found(min(count, 5), min(count, 5) // 2 + 1)
    if count <= 5:
        return council
    caller = {"from": accounts.at(council.contract.address, force=True)}
    web3.provider.make_request("anvil_impersonateAccount", [council.contract.address])
    for size in range(6, count + 1):
        address = web3.to_checksum_address(f"0x{10**6 + size:040x}")
        council.contract.addMember(address, size // 2 + 1, caller)
    return council


@pytest.mark.parametrize("threshold", [4, 5, 6])
def test_add_member__when_everything_fits__adds_and_emits(
    council, decide, outsider, only_event, threshold
):
    assert council.contract.memberSince(outsider) == 0

    tx = decide(council, council.call("addMember", outsider.address, threshold))

    added_at = web3.eth.get_block(tx.block_number)["timestamp"]
    assert list(council.contract.members()) == [*(m.address for m in council.members), outsider]
    assert council.contract.threshold() == threshold
    assert council.contract.memberSince(outsider) == added_at
    assert plain(only_event(tx, "MemberAdded")) == plain(
        {"account": outsider, "threshold": threshold}
    )
    assert only_event(tx, "ThresholdChanged")["threshold"] == threshold
    call = council.call("setThreshold", 6)
    council.propose(call)
    council.contract.approve(2, council.call_hash(2), {"from": outsider})
    council.contract.propose(*call.parts, {"from": outsider})
    assert council.contract.approvalsOf(2) == 2
