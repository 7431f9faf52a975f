"""Consortium.cancel: k members end a proposal at once (cancel.tree)."""

import pytest
from reading import plain

from tests.contracts.Consortium.conftest import DELAY, LIFE


def test_cancel__when_caller_is_no_member__reverts(council, revoke_call, outsider, reverts_with):
    council.propose(revoke_call)
    with reverts_with("Consortium_NotMember", outsider):
        council.contract.cancel(1, council.call_hash(1), {"from": outsider})


def test_cancel__given_no_such_proposal__reverts(council, reverts_with):
    with reverts_with("Consortium_NoProposal", 1):
        council.cancel(1, 0)


def test_cancel__given_executed__reverts(council, decide, reverts_with):
    decide(council, council.call("setThreshold", 4))
    with reverts_with("Consortium_AlreadyExecuted", 1):
        council.cancel(1, 0)


def test_cancel__given_cancelled__reverts(council, revoke_call, reverts_with):
    council.propose(revoke_call)
    council.cancel(1, 0, 1, 2)
    with reverts_with("Consortium_AlreadyCancelled", 1):
        council.cancel(1, 3)
    with reverts_with("Consortium_AlreadyCancelled", 1):
        council.contract.withdrawApproval(1, {"from": council.members[0]})


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_cancel__when_lapsed__reverts(council, revoke_call, at, reverts_with, late):
    council.propose(revoke_call)
    lapses_at = council.contract.proposalOf(1)["proposedAt"] + LIFE
    at(lapses_at + late)
    if late < 0:
        council.cancel(1, 0)
        assert council.contract.cancelVotesOf(1) == 1
        return
    with reverts_with("Consortium_Lapsed", 1, lapses_at, lapses_at + late):
        council.cancel(1, 0)


def test_cancel__when_call_is_another__reverts(council, revoke_call, reverts_with):
    council.propose(revoke_call)
    with reverts_with("Consortium_OtherCall", 1):
        council.contract.cancel(1, b"\0" * 32, {"from": council.members[1]})


def test_cancel__given_own_vote__reverts(council, revoke_call, reverts_with):
    council.propose(revoke_call)
    council.cancel(1, 1)
    with reverts_with("Consortium_AlreadyVoted", 1, council.members[1]):
        council.cancel(1, 1)


@pytest.mark.parametrize("is_agreed", [False, True])
def test_cancel__given_open_proposal__counts_and_emits(council, revoke_call, only_event, is_agreed):
    (council.agree if is_agreed else council.propose)(revoke_call)
    second = council.cancel(1, 0, 3)
    assert council.contract.cancelVotesOf(1) == 2
    assert [event.name for event in second.events] == ["CancelVoted"]
    assert not council.contract.proposalOf(1)["isCancelled"]

    third = council.cancel(1, 4)

    assert council.contract.cancelVotesOf(1) == 3
    assert council.contract.proposalOf(1)["isCancelled"]
    assert [event.name for event in third.events] == ["CancelVoted", "Cancelled"]
    voted = {"proposalId": 1, "by": council.members[4]}
    assert plain(only_event(third, "CancelVoted")) == plain(voted)
    assert only_event(third, "Cancelled")["proposalId"] == 1


def test_cancel__given_agreement__ends_it(council, at, reverts_with):
    call = council.call("setThreshold", 4)
    council.agree(call)
    council.cancel(1, 2, 3, 4)
    at(council.agreed_at(1) + DELAY)
    with reverts_with("Consortium_AlreadyCancelled", 1):
        council.execute(1, call)
    assert council.contract.threshold() == 3


def test_cancel__given_removed_voter__does_not_count_it(council, revoke_call, impersonate):
    council.propose(revoke_call)
    council.cancel(1, 0, 1)
    own = {"from": impersonate(council.contract)}
    council.contract.removeMember(council.members[1], 3, own)
    council.contract.addMember(council.members[1], 3, own)
    assert council.contract.cancelVotesOf(1) == 1
    council.cancel(1, 1, 2)
    assert council.contract.proposalOf(1)["isCancelled"]
