"""PrepaidLock.settle (settle.tree)."""

import money
import pytest


def test_settle__given_other_state__reverts(other_states, refuses, lock, relayer):
    for it, state in other_states(money.CLAIMED, money.DELIVERED):
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.settle(it.id, {"from": relayer})


def test_settle__when_window_is_open__reverts(open_claimed, due_of, refuses, lock, relayer, at):
    it = open_claimed()
    due = due_of(it)
    at(due - 1)
    with refuses("PrepaidLock_TooEarly", it.id, due, due - 1):
        lock.settle(it.id, {"from": relayer})


@pytest.mark.parametrize("late", [0, 1])
def test_settle__when_window_is_over__pays_the_payee(
    open_claimed, lock, relayer, processor, meter_owner, credit, only_event, state_of, at, late,
    owes, may_withdraw, bond_is, due_of,
):  # fmt: skip
    it, fee = open_claimed(), money.fee_of(money.ADVICE_PRICE_WEI)
    bond_is(held=money.bond_of(money.ADVICE_PRICE_WEI))
    at(due_of(it) + late)
    tx = lock.settle(it.id, {"from": relayer})
    assert state_of(it) == money.SETTLED
    may_withdraw(processor=money.ADVICE_PRICE_WEI - fee, consortium=fee)
    owes(money.ADVICE_PRICE_WEI)
    bond_is(held=0)
    assert lock.bondOf(processor.address)["freedAt"] == 0  # not by its own choice
    assert credit.creditOf(processor.address) == money.gain_of(credit, money.ADVICE_PRICE_WEI) > 0
    event = only_event(tx, "Settled")
    assert (bytes(event["lockId"]), event["priceWei"]) == (it.id, money.ADVICE_PRICE_WEI)
    assert (event["feeWei"], event["gainWei"]) == (fee, 0)
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert [event.name for event in tx.events] == ["Settled", "CreditChanged"]


def test_settle__given_delivered__pays_the_payee(
    open_delivered, lock, relayer, refuses, state_of, at, due_of, owes, may_withdraw, bond_is
):
    it = open_delivered()
    due = due_of(it)
    at(due - 1)
    with refuses("PrepaidLock_TooEarly", it.id, due, due - 1):
        lock.settle(it.id, {"from": relayer})
    at(due)
    lock.settle(it.id, {"from": relayer})
    assert state_of(it) == money.SETTLED
    fee = money.fee_of(it.order.price_wei)
    may_withdraw(processor=it.order.price_wei - fee, consortium=fee)
    owes(it.order.price_wei)
    bond_is(held=0)


def test_settle__given_t_passed_and_payee_revoked__pays(
    open_claimed, lock, relayer, processor, refuses, revoke, at, may_withdraw
):
    it = open_claimed()
    revoke(processor)
    at(it.expires_at + 10 * money.WINDOW_S)
    with refuses("PrepaidLock_WrongState", it.id, money.CLAIMED):
        lock.refund(it.id, {"from": relayer})
    lock.settle(it.id, {"from": relayer})
    fee = money.fee_of(money.ADVICE_PRICE_WEI)
    may_withdraw(processor=money.ADVICE_PRICE_WEI - fee, consortium=fee)


def test_settle__when_window_is_over__stays_within_gas(open_claimed, due_of, lock, relayer, at):
    used = []
    for _ in range(2):
        it = open_claimed()
        at(due_of(it))
        used.append(lock.settle(it.id, {"from": relayer}).gas_used)
    print(f"gas settle, first use: {used[0]}, later: {used[1]}")
    assert used[1] <= 90_000
