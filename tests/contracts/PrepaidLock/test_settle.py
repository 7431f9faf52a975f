"""PrepaidLock.settle (settle.tree)."""

import money
import pytest


def settle_at(lock, it):
    return lock.lockOf(it.id)["dueAt"]


def test_settle__given_other_state__reverts(
    open_request, open_accepted, open_sharing, open_claimed, refuses, lock, relayer, processor, at
):
    rejected, declined, settled = open_request(), open_sharing(), open_claimed()
    lock.reject(rejected.id, money.NOT_SERVED, {"from": processor.account})
    lock.decline(declined.id, money.NOT_SERVED, {"from": processor.account})
    at(settle_at(lock, settled))
    lock.settle(settled.id, {"from": relayer})
    for it, state in (
        (rejected, money.REJECTED),
        (declined, money.DECLINED),
        (settled, money.SETTLED),
        (open_request(), money.REQUESTED),
        (open_accepted(), money.ACCEPTED),
        (open_sharing(), money.SELECTED),
    ):
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.settle(it.id, {"from": relayer})
    with refuses("PrepaidLock_WrongState", money.NOTHING, money.NONE):
        lock.settle(money.NOTHING, {"from": relayer})


def test_settle__when_window_is_open__reverts(open_claimed, refuses, lock, relayer, at):
    it = open_claimed()
    due = settle_at(lock, it)
    at(due - 1)
    with refuses("PrepaidLock_TooEarly", it.id, due, due - 1):
        lock.settle(it.id, {"from": relayer})


@pytest.mark.parametrize("late", [0, 1])
def test_settle__when_window_is_over__pays_the_payee(
    open_claimed, lock, relayer, processor, meter_owner, credit, only_event, state_of, at, late
):
    it = open_claimed()
    at(settle_at(lock, it) + late)
    tx = lock.settle(it.id, {"from": relayer})
    assert state_of(it) == money.SETTLED
    assert lock.withdrawableOf(processor.address) == money.ADVICE_PRICE_WEI
    assert lock.withdrawableOf(meter_owner.address) == lock.withdrawableOf(relayer) == 0
    assert lock.balance() == lock.liabilitiesWei() == money.ADVICE_PRICE_WEI
    assert credit.creditOf(processor.address) == credit.GAIN()
    event = only_event(tx, "Settled")
    assert (bytes(event["lockId"]), event["priceWei"]) == (it.id, money.ADVICE_PRICE_WEI)
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert [event.name for event in tx.events] == ["Settled", "CreditChanged"]


def test_settle__given_delivered__pays_the_payee(
    open_sharing, deliver, set_sharing_window, lock, relayer, processor, refuses, state_of, at
):
    set_sharing_window(120)
    it = open_sharing()
    deliver(it)
    due = settle_at(lock, it)
    at(due - 1)
    with refuses("PrepaidLock_TooEarly", it.id, due, due - 1):
        lock.settle(it.id, {"from": relayer})
    at(due)
    lock.settle(it.id, {"from": relayer})
    assert state_of(it) == money.SETTLED
    assert lock.withdrawableOf(processor.address) == it.order.price_wei


def test_settle__given_t_passed_and_payee_revoked__pays(
    open_claimed, lock, relayer, processor, refuses, revoke, at
):
    it = open_claimed()
    revoke(processor)
    at(it.expires_at + 10 * money.WINDOW_S)
    with refuses("PrepaidLock_WrongState", it.id, money.CLAIMED):
        lock.refund(it.id, {"from": relayer})
    lock.settle(it.id, {"from": relayer})
    assert lock.withdrawableOf(processor.address) == money.ADVICE_PRICE_WEI


def test_settle__when_window_is_over__stays_within_gas(open_claimed, lock, relayer, at):
    used = []
    for _ in range(2):
        it = open_claimed()
        at(settle_at(lock, it))
        used.append(lock.settle(it.id, {"from": relayer}).gas_used)
    print(f"gas settle, first use: {used[0]}, later: {used[1]}")
    assert max(used) <= 90_000
