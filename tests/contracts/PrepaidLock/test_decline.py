"""PrepaidLock.decline (decline.tree)."""

import money
import pytest

MEMBER_NOT_ACCEPTABLE = 6


def test_decline__when_caller_is_not_payee__reverts(
    open_sharing, refuses, lock, buyer, processor_two, outsider
):
    it = open_sharing()
    for account in (buyer.account, processor_two.account, outsider):
        with refuses("PrepaidLock_NotPayee", it.id, account):
            lock.decline(it.id, MEMBER_NOT_ACCEPTABLE, {"from": account})


def test_decline__given_other_state__reverts(other_states, refuses, lock, processor):
    for it, state in other_states(money.NONE, money.SELECTED):  # who is None's payee?
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.decline(it.id, MEMBER_NOT_ACCEPTABLE, {"from": processor.account})


@pytest.mark.parametrize("late", [0, 1])
def test_decline__when_t_is_reached__reverts(open_sharing, refuses, lock, processor, at, late):
    it = open_sharing()
    at(it.expires_at + late)
    with refuses("PrepaidLock_Expired", it.id, it.expires_at, it.expires_at + late):
        lock.decline(it.id, MEMBER_NOT_ACCEPTABLE, {"from": processor.account})


def test_decline__when_no_reason_is_given__reverts(open_sharing, refuses, lock, processor):
    it = open_sharing()
    with refuses("PrepaidLock_BadReason", 0):
        lock.decline(it.id, 0, {"from": processor.account})


def test_decline__given_revoked_payee__works(open_sharing, lock, processor, revoke, state_of):
    it = open_sharing()
    revoke(processor)
    lock.decline(it.id, MEMBER_NOT_ACCEPTABLE, {"from": processor.account})
    assert state_of(it) == money.DECLINED


def test_decline__when_t_is_not_reached__gives_everything_back(
    open_sharing, lock, processor, buyer, credit, state_of, at, only_event, owes, may_withdraw,
    bond_is,
):  # fmt: skip
    it = open_sharing()
    bond_is(held=money.bond_of(it.order.price_wei))
    at(it.expires_at - 1)
    tx = lock.decline(it.id, MEMBER_NOT_ACCEPTABLE, {"from": processor.account})
    assert state_of(it) == money.DECLINED
    may_withdraw(buyer=it.order.price_wei)
    owes(it.order.price_wei)
    bond_is(held=0)
    assert lock.bondOf(processor.address)["freedAt"] == 0  # it takes nothing from other offers
    assert credit.creditOf(processor.address) == 0
    event = only_event(tx, "Declined")
    assert (bytes(event["lockId"]), event["reason"]) == (it.id, MEMBER_NOT_ACCEPTABLE)
    assert (event["payer"], event["payee"]) == (buyer.address, processor.address)
    assert len(tx.events) == 1
