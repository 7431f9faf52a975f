"""Consortium.withdrawApproval (withdrawApproval.tree)."""

import pytest
from reading import plain

from tests.contracts.Consortium.conftest import DELAY, LIFE


@pytest.fixture
def withdraw(council):
    """``withdraw(proposal_id, i)``: the i-th member's transaction."""
    return lambda proposal_id, i: council.contract.withdrawApproval(
        proposal_id, {"from": council.members[i]}
    )


def test_withdraw_approval__given_no_such_proposal__reverts(withdraw, reverts_with):
    with reverts_with("Consortium_NoProposal", 1):
        withdraw(1, 0)


def test_withdraw_approval__given_executed__reverts(council, withdraw, decide, reverts_with):
    decide(council, council.call("setThreshold", 4))
    with reverts_with("Consortium_AlreadyExecuted", 1):
        withdraw(1, 0)


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_withdraw_approval__when_lapsed__reverts(
    council, withdraw, revoke_call, at, reverts_with, late
):
    council.propose(revoke_call)
    lapses_at = council.contract.proposalOf(1)["proposedAt"] + LIFE
    at(lapses_at + late)
    if late < 0:
        withdraw(1, 0)
        assert council.contract.approvalsOf(1) == 0
        return
    with reverts_with("Consortium_Lapsed", 1, lapses_at, lapses_at + late):
        withdraw(1, 0)


def test_withdraw_approval__when_caller_does_not_approve__reverts(
    council, withdraw, revoke_call, decide, outsider, reverts_with
):
    council.propose(revoke_call)
    council.approve(1, 4)
    with reverts_with("Consortium_NotApproved", 1, council.members[1]):
        withdraw(1, 1)
    with reverts_with("Consortium_NotApproved", 1, outsider):
        council.contract.withdrawApproval(1, {"from": outsider})
    decide(council, council.call("removeMember", council.members[4].address, 3))
    with reverts_with("Consortium_NotApproved", 1, council.members[4]):
        withdraw(1, 4)


def test_withdraw_approval__given_approval__takes_it_back(
    council, withdraw, revoke_call, only_event
):
    council.propose(revoke_call)
    council.approve(1, 1)

    tx = withdraw(1, 1)

    assert council.contract.approvalsOf(1) == 1
    assert not council.contract.hasApproved(1, council.members[1])
    assert plain(only_event(tx, "ApprovalWithdrawn")) == plain(
        {"proposalId": 1, "by": council.members[1]}
    )
    council.approve(1, 1)
    assert council.contract.approvalsOf(1) == 2


def test_withdraw_approval__given_enough_others__leaves_the_agreement(
    council, withdraw, revoke_call
):
    council.agree(revoke_call)
    agreed_at = council.agreed_at(1)
    council.approve(1, 3)
    withdraw(1, 0)
    assert (council.contract.approvalsOf(1), council.agreed_at(1)) == (3, agreed_at)


def test_withdraw_approval__given_too_few_others__undoes_the_agreement(
    council, withdraw, revoke_call, at, reverts_with
):
    council.agree(revoke_call)
    first_at = council.agreed_at(1)
    at(first_at + DELAY)
    withdraw(1, 2)
    assert (council.contract.approvalsOf(1), council.agreed_at(1)) == (2, 0)
    with reverts_with("Consortium_NotAgreed", 1, 2, 3):
        council.execute(1, revoke_call)

    at(first_at + DELAY + 500)
    council.approve(1, 2)

    again_at = first_at + DELAY + 500
    assert council.agreed_at(1) == again_at
    at(again_at + DELAY - 1)
    with reverts_with("Consortium_TooEarly", 1, again_at + DELAY, again_at + DELAY - 1):
        council.execute(1, revoke_call)
