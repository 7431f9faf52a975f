"""Consortium.setThreshold (setThreshold.tree)."""

import pytest


def test_set_threshold__when_caller_is_not_consortium__reverts(council, outsider, reverts_with):
    for caller in (outsider, council.members[0]):
        with reverts_with("Consortium_NotConsortium", caller):
            council.contract.setThreshold(4, {"from": caller})


@pytest.mark.parametrize("count, threshold", [(5, 0), (5, 2), (5, 6), (4, 2), (4, 5), (1, 0)])
def test_set_threshold__when_it_is_no_majority__reverts(
    found, decide, reverts_with, count, threshold
):
    council = found(count, count // 2 + 1)
    with reverts_with("Consortium_BadMembers", count, threshold):
        decide(council, council.call("setThreshold", threshold))
    assert council.contract.threshold() == count // 2 + 1


@pytest.mark.parametrize("threshold", [3, 4, 5])
def test_set_threshold__when_it_is_a_majority__sets_and_emits(
    council, decide, only_event, threshold
):
    tx = decide(council, council.call("setThreshold", threshold))

    assert council.contract.threshold() == threshold
    assert only_event(tx, "ThresholdChanged")["threshold"] == threshold
    proposal_id = council.propose(council.call("setThreshold", 3))
    for i in range(1, threshold):
        assert council.agreed_at(proposal_id) == 0
        council.approve(proposal_id, i)
    assert council.agreed_at(proposal_id) > 0
