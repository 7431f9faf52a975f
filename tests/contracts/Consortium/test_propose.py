"""Consortium.propose (propose.tree)."""

import pytest
from brownie import accounts, web3
from eth_abi import encode
from eth_utils import keccak
from reading import plain

from tests.contracts.Consortium.conftest import NOTHING, Call


def call_hash(call):
    return keccak(encode(["address", "uint256", "bytes"], call.parts))


def test_propose__when_caller_is_no_member__reverts(
    council, revoke_call, outsider, deployer, reverts_with
):
    for caller in (outsider, deployer):
        with reverts_with("Consortium_NotMember", caller):
            council.contract.propose(*revoke_call.parts, {"from": caller})
    assert council.contract.proposalCount() == 0


def test_propose__when_target_has_no_code__reverts(council, outsider, reverts_with):
    for value_wei in (0, 1):
        with reverts_with("Consortium_NoContract", outsider):
            council.propose(Call(outsider.address, value_wei, b"\0"))


@pytest.mark.parametrize("value_wei", [0, 1, 2**256 - 1])
def test_propose__when_it_is_a_bare_payment__is_proposed(council, outsider, value_wei):
    payment = Call(outsider.address, value_wei, NOTHING)
    assert council.propose(payment) == 1
    stored = council.contract.proposalOf(1)
    assert plain(stored["callHash"]) == plain(call_hash(payment))


def test_propose__given_one_decides__is_agreed(found, only_event, outsider):
    alone = found(1, 1)
    tx = alone.contract.propose(outsider, 0, NOTHING, {"from": alone.members[0]})
    made_at = web3.eth.get_block(tx.block_number)["timestamp"]
    assert only_event(tx, "Agreed")["proposalId"] == 1
    assert alone.agreed_at(1) == made_at


def test_propose__when_everything_fits__stores_and_emits(council, revoke_call, only_event):
    for expected_id, proposer in ((1, council.members[0]), (2, council.members[4])):
        tx = council.contract.propose(*revoke_call.parts, {"from": proposer})

        made_at = web3.eth.get_block(tx.block_number)["timestamp"]
        assert tx.return_value == expected_id == council.contract.proposalCount()
        assert plain(council.contract.proposalOf(expected_id)) == plain(
            (call_hash(revoke_call), made_at, 0, 0, False, False)
        )
        approving = [m for m in council.members if council.contract.hasApproved(expected_id, m)]
        assert approving == [proposer]
        assert council.contract.approvalsOf(expected_id) == 1
        assert [event.name for event in tx.events] == ["Proposed", "Approved"]
        assert plain(only_event(tx, "Proposed")) == plain(
            {
                "proposalId": expected_id,
                "by": proposer,
                "target": revoke_call.target,
                "valueWei": 0,
                "data": revoke_call.data,
            }
        )
        assert plain(only_event(tx, "Approved")) == plain(
            {"proposalId": expected_id, "by": proposer}
        )
    assert not council.contract.hasApproved(1, accounts[19])
    assert council.contract.balance() == 0
