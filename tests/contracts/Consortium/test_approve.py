"""Consortium.approve: who counts, and from when (approve.tree)."""

import pytest
from brownie import web3
from reading import plain

from tests.contracts.Consortium.conftest import DELAY, LIFE


def time_of(tx):
    return web3.eth.get_block(tx.block_number)["timestamp"]


def test_approve__when_caller_is_no_member__reverts(council, revoke_call, outsider, reverts_with):
    council.propose(revoke_call)
    with reverts_with("Consortium_NotMember", outsider):
        council.contract.approve(1, council.call_hash(1), {"from": outsider})


def test_approve__given_no_such_proposal__reverts(council, revoke_call, reverts_with):
    council.propose(revoke_call)
    for proposal_id in (0, 2, 2**256 - 1):
        with reverts_with("Consortium_NoProposal", proposal_id):
            council.approve(proposal_id, 1)


def test_approve__given_executed__reverts(council, decide, reverts_with):
    decide(council, council.call("setThreshold", 4))
    with reverts_with("Consortium_AlreadyExecuted", 1):
        council.approve(1, 4)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_approve__when_it_lapses__reverts(council, revoke_call, at, reverts_with, late):
    council.propose(revoke_call)
    lapses_at = council.contract.proposalOf(1)["proposedAt"] + LIFE
    at(lapses_at + late)
    if late < 0:
        council.approve(1, 1)
        assert council.contract.approvalsOf(1) == 2
        return
    with reverts_with("Consortium_Lapsed", 1, lapses_at, lapses_at + late):
        council.approve(1, 1)


def test_approve__when_call_is_another__reverts(council, revoke_call, reverts_with):
    council.propose(revoke_call)
    council.propose(council.call("setThreshold", 4))
    for wrong in (council.call_hash(2), b"\0" * 32):
        with reverts_with("Consortium_OtherCall", 1):
            council.contract.approve(1, wrong, {"from": council.members[1]})
    assert council.contract.approvalsOf(1) == 1


def test_approve__given_cancelled__reverts(council, revoke_call, reverts_with):
    council.propose(revoke_call)
    council.cancel(1, 0, 1, 2)
    with reverts_with("Consortium_AlreadyCancelled", 1):
        council.approve(1, 1)


def test_approve__given_own_approval__reverts(council, revoke_call, reverts_with):
    council.propose(revoke_call)
    council.approve(1, 1)
    for i in (0, 1):
        with reverts_with("Consortium_AlreadyApproved", 1, council.members[i]):
            council.approve(1, i)


def test_approve__given_open_proposal__counts_and_emits(council, revoke_call, only_event):
    council.propose(revoke_call)
    second = council.approve(1, 3)
    assert (council.contract.approvalsOf(1), council.agreed_at(1)) == (2, 0)
    assert [event.name for event in second.events] == ["Approved"]

    third = council.approve(1, 4)

    assert council.contract.approvalsOf(1) == 3
    assert council.agreed_at(1) == time_of(third)
    assert [event.name for event in third.events] == ["Approved", "Agreed"]
    assert plain(only_event(third, "Approved")) == plain(
        {"proposalId": 1, "by": council.members[4]}
    )
    assert only_event(third, "Agreed")["proposalId"] == 1
    assert not council.contract.proposalOf(1)["isExecuted"]


def test_approve__given_agreement__keeps_its_time(council, revoke_call, at):
    council.agree(revoke_call)
    agreed_at = council.agreed_at(1)
    at(agreed_at + 1_000)
    tx = council.approve(1, 4)
    assert [event.name for event in tx.events] == ["Approved"]
    assert council.agreed_at(1) == agreed_at
    assert council.contract.approvalsOf(1) == 4


def test_approve__given_removed_approver__does_not_count_it(
    found, now, revoke_call, deployer, reverts_with
):
    # During the founding, so that removal and return can fall into one second of the clock.
    council = found(founding_ends_at=now() + 20 * 86_400)
    contract, second = council.contract, council.members[1]
    proposal_id = council.propose(revoke_call)
    council.approve(proposal_id, 1)
    for function in ("removeMember", "addMember"):
        call = council.call(function, second.address, 3)
        council.propose(call, by=2)
        decision = contract.proposalCount()
        council.approve(decision, 3, 4)
        assert contract.approvalsOf(proposal_id) == (2 if function == "removeMember" else 1)
        council.execute(decision, call)
        assert contract.approvalsOf(proposal_id) == 1
        assert not contract.hasApproved(proposal_id, second)

    with reverts_with("Consortium_NotApproved", proposal_id, second):
        contract.withdrawApproval(proposal_id, {"from": second})
    council.approve(proposal_id, 1)  # it may approve again
    assert contract.approvalsOf(proposal_id) == 2
    assert contract.hasApproved(proposal_id, second)


def test_approve__given_undone_agreement__agrees_anew(
    council, revoke_call, impersonate, at, reverts_with
):
    proposal_id = council.agree(revoke_call)
    first_at = council.agreed_at(proposal_id)
    at(first_at + DELAY)
    council.contract.removeMember(council.members[2], 3, {"from": impersonate(council.contract)})
    assert council.contract.approvalsOf(proposal_id) == 2
    with reverts_with("Consortium_NotAgreed", proposal_id, 2, 3):
        council.execute(proposal_id, revoke_call)

    tx = council.approve(proposal_id, 3)

    assert [event.name for event in tx.events] == ["Approved", "Agreed"]
    again_at = council.agreed_at(proposal_id)
    assert again_at == time_of(tx) >= first_at + DELAY
    at(again_at + DELAY - 1)
    with reverts_with("Consortium_TooEarly", proposal_id, again_at + DELAY, again_at + DELAY - 1):
        council.execute(proposal_id, revoke_call)


def test_approve__given_higher_threshold__agrees_anew(council, revoke_call, decide, reverts_with):
    proposal_id = council.agree(revoke_call)
    first_at = council.agreed_at(proposal_id)
    decide(council, council.call("setThreshold", 4))
    with reverts_with("Consortium_NotAgreed", proposal_id, 3, 4):
        council.execute(proposal_id, revoke_call)

    tx = council.approve(proposal_id, 3)

    assert council.agreed_at(proposal_id) == time_of(tx) > first_at


def test_approve__given_lower_threshold__agrees_with_the_next(
    found, revoke_call, decide, reverts_with
):
    council = found(5, 4)
    proposal_id = council.propose(revoke_call)
    council.approve(proposal_id, 1, 2)
    decide(council, council.call("setThreshold", 3))
    # Nobody has said Agreed yet: the delay has not begun.
    with reverts_with("Consortium_NotAgreed", proposal_id, 3, 3):
        council.execute(proposal_id, revoke_call)

    tx = council.approve(proposal_id, 3)

    assert [event.name for event in tx.events] == ["Approved", "Agreed"]
    assert council.agreed_at(proposal_id) == time_of(tx)
