"""Consortium.removeMember (removeMember.tree)."""

import pytest
from brownie import chain, web3
from reading import plain


def test_remove_member__when_caller_is_not_consortium__reverts(council, outsider, reverts_with):
    for caller in (outsider, council.members[0]):
        with reverts_with("Consortium_NotConsortium", caller):
            council.contract.removeMember(council.members[0], 3, {"from": caller})


def test_remove_member__when_account_is_no_member__reverts(council, decide, outsider, reverts_with):
    with reverts_with("Consortium_BadMember", outsider):
        decide(council, council.call("removeMember", outsider.address, 3))


@pytest.mark.parametrize(
    "count, threshold", [(5, 2), (5, 5), (5, 0), (4, 1), (4, 4), (2, 0), (2, 2), (1, 0), (1, 1)]
)
def test_remove_member__when_threshold_is_no_majority__reverts(
    found, impersonate, reverts_with, count, threshold
):
    council = found(count, count // 2 + 1)
    caller = {"from": impersonate(council.contract)}
    with reverts_with("Consortium_BadMembers", count - 1, threshold):
        council.contract.removeMember(council.members[-1], threshold, caller)
    assert len(council.contract.members()) == count


@pytest.mark.parametrize("threshold", [3, 4])
def test_remove_member__when_everything_fits__removes_and_emits(
    council, decide, only_event, reverts_with, threshold
):
    gone = council.members[1]

    tx = decide(council, council.call("removeMember", gone.address, threshold))

    staying = {m.address for m in council.members} - {gone.address}
    assert set(council.contract.members()) == staying
    assert len(council.contract.members()) == 4
    assert (council.contract.threshold(), council.contract.memberSince(gone)) == (threshold, 0)
    assert plain(only_event(tx, "MemberRemoved")) == plain(
        {"account": gone, "threshold": threshold}
    )
    assert only_event(tx, "ThresholdChanged")["threshold"] == threshold
    call = council.call("setThreshold", 4)
    council.propose(call)
    with reverts_with("Consortium_NotMember", gone):
        council.propose(call, by=1)
    with reverts_with("Consortium_NotMember", gone):
        council.approve(2, 1)


def test_remove_member__given_return__counts_from_then(council, decide, now):
    gone = council.members[1]
    first_at = council.contract.memberSince(gone)
    decide(council, council.call("removeMember", gone.address, 3))
    # The first, second and third propose and approve: the second is out.
    call = council.call("addMember", gone.address, 3)
    proposal_id = council.propose(call)
    council.approve(proposal_id, 2, 3)
    chain.sleep(2 * 86_400)
    tx = council.execute(proposal_id, call)
    back_at = web3.eth.get_block(tx.block_number)["timestamp"]
    assert council.contract.memberSince(gone) == back_at > first_at
    assert council.contract.memberSince(council.members[0]) == first_at
