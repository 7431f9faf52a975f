"""PrepaidLock.reject (reject.tree)."""

import money
import pytest


def test_reject__when_caller_is_not_payee__reverts(
    open_request, refuses, lock, outsider, meter_owner, processor_two
):
    it = open_request()
    for account in (outsider, meter_owner.account, processor_two.account):
        with refuses("PrepaidLock_NotPayee", it.id, account):
            lock.reject(it.id, money.NOT_RECOGNISED, {"from": account})
    unknown = money.digest_of("unknown")
    with refuses("PrepaidLock_NotPayee", unknown, outsider):
        lock.reject(unknown, money.NOT_RECOGNISED, {"from": outsider})


def test_reject__given_other_state__reverts(other_states, refuses, lock, processor):
    for it, state in other_states(money.NONE, money.REQUESTED):  # who is None's payee?
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.reject(it.id, money.NOT_RECOGNISED, {"from": processor.account})


def test_reject__when_no_reason_is_given__reverts(open_request, refuses, lock, processor):
    it = open_request()
    with refuses("PrepaidLock_BadReason", 0):
        lock.reject(it.id, 0, {"from": processor.account})


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_reject__given_requested__gives_everything_back(
    open_request, lock, processor, meter_owner, credit, state_of, at, only_event, offset, owes,
    may_withdraw, bond_is,
):  # fmt: skip
    it = open_request()
    at(it.expires_at + offset)
    tx = lock.reject(it.id, money.NOT_RECOGNISED, {"from": processor.account})
    assert state_of(it) == money.REJECTED
    may_withdraw(meter_owner=money.PRICE_WEI)
    owes(money.PRICE_WEI)
    bond_is(held=0)
    assert credit.creditOf(processor.address) == 0
    event = only_event(tx, "Rejected")
    assert bytes(event["lockId"]) == it.id
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert event["reason"] == money.NOT_RECOGNISED
    assert len(tx.events) == 1


def test_reject__given_revoked_payee__works(open_request, lock, processor, revoke, state_of):
    it = open_request()
    revoke(processor)
    lock.reject(it.id, money.NOT_RECOGNISED, {"from": processor.account})
    assert state_of(it) == money.REJECTED
