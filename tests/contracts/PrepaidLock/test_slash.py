"""PrepaidLock.slash: a demanded answer that nobody served (slash.tree)."""

import disputes
import money
import pytest


def test_slash__given_other_state__reverts(other_states, refuses, lock, relayer):
    for it, state in other_states(money.DEMANDED):
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.slash(it.id, {"from": relayer})


def test_slash__when_answer_may_be_served__reverts(
    open_demanded, due_of, refuses, lock, meter_owner, at
):
    it = open_demanded()
    due = due_of(it)
    at(due - 1)
    with refuses("PrepaidLock_TooEarly", it.id, due, due - 1):
        lock.slash(it.id, {"from": meter_owner.account})


@pytest.mark.parametrize("late", [0, 1])
def test_slash__when_time_is_over__pays_the_payer(
    open_demanded, due_of, lock, relayer, meter_owner, processor, credit, only_event, state_of,
    at, late, owes, may_withdraw, bond_is, refuses,
):  # fmt: skip
    money.set_credit(credit, processor, 50)
    it, price_wei, deposit = open_demanded(), money.ADVICE_PRICE_WEI, disputes.demand_wei()
    bond_wei = money.bond_of(price_wei)
    at(due_of(it) + late)
    tx = lock.slash(it.id, {"from": relayer})
    assert state_of(it) == money.SLASHED
    may_withdraw(meter_owner=price_wei + deposit + bond_wei)
    owes(price_wei + deposit)
    bond_is(held=0, lost=bond_wei)
    assert credit.creditOf(processor.address) == 50 - credit.LOSS()
    event = only_event(tx, "Slashed")
    assert (bytes(event["lockId"]), event["priceWei"]) == (it.id, price_wei)
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert (event["feeWei"], event["gainWei"]) == (0, bond_wei)
    assert [event.name for event in tx.events] == ["Slashed", "CreditChanged"]
    print(f"gas slash: {tx.gas_used}")
    with refuses("PrepaidLock_WrongState", it.id, money.SLASHED):
        lock.slash(it.id, {"from": relayer})


def test_slash__given_revoked_members__slashes(
    open_demanded, due_of, revoke, meter_owner, processor, lock, relayer, at, may_withdraw
):
    it = open_demanded()
    revoke(meter_owner)
    revoke(processor)
    at(due_of(it))
    lock.slash(it.id, {"from": relayer})
    price_wei = money.ADVICE_PRICE_WEI
    may_withdraw(meter_owner=price_wei + disputes.demand_wei() + money.bond_of(price_wei))
