"""PrepaidLock.demand: the sealed answer, on chain (demand.tree)."""

import disputes
import money
import pytest


def test_demand__given_other_state__reverts(other_states, demand, refuses):
    for it, state in other_states(money.CLAIMED):
        with refuses("PrepaidLock_WrongState", it.id, state):
            demand(it)


@pytest.mark.parametrize("late", [0, 1])
def test_demand__when_window_is_over__reverts(open_claimed, due_of, demand, refuses, at, late):
    it = open_claimed()
    due = due_of(it)
    at(due + late)
    with refuses("PrepaidLock_TooLate", it.id, due, due + late):
        demand(it)


def test_demand__when_window_is_open__demands(open_claimed, due_of, demand, state_of, at):
    it = open_claimed()
    at(due_of(it) - 1)
    demand(it)
    assert state_of(it) == money.DEMANDED


def test_demand__given_demanded_before__reverts(open_demanded, serve, demand, refuses):
    it = open_demanded()
    serve(it)
    with refuses("PrepaidLock_AlreadyDemanded", it.id):
        demand(it)


def test_demand__when_caller_is_not_payer__reverts(
    open_claimed, demand, refuses, processor, neighbour, outsider
):
    it = open_claimed()
    for account in (processor.account, neighbour.account, outsider):
        with refuses("PrepaidLock_NotParty", it.id, account):
            demand(it, by=account)


def test_demand__when_value_is_not_the_deposit__reverts(open_claimed, demand, refuses):
    it, deposit = open_claimed(), disputes.demand_wei()
    for value in (0, deposit - 1, deposit + 1):
        with refuses("PrepaidLock_WrongValue", value, deposit):
            demand(it, value=value)


def test_demand__given_revoked_members__demands(
    open_claimed, demand, revoke, meter_owner, processor, state_of
):
    it = open_claimed()
    revoke(meter_owner)
    revoke(processor)
    demand(it)
    assert state_of(it) == money.DEMANDED


def test_demand__when_everything_holds__stores_and_emits(
    open_claimed, demand, lock, meter_owner, processor, credit, only_event, at, now, owes,
    may_withdraw, bond_is,
):  # fmt: skip
    it, deposit = open_claimed(), disputes.demand_wei()
    before = meter_owner.account.balance()
    demanded_at = now() + 7
    at(demanded_at)
    tx = demand(it)
    stored = lock.lockOf(it.id)
    assert (stored["state"], stored["isDemanded"]) == (money.DEMANDED, True)
    assert stored["dueAt"] == demanded_at + money.RULES.serve_seconds
    assert meter_owner.account.balance() == before - deposit
    owes(money.ADVICE_PRICE_WEI + deposit)
    may_withdraw()
    bond_is(held=money.bond_of(money.ADVICE_PRICE_WEI))
    assert credit.creditOf(processor.address) == 0
    event = only_event(tx, "Demanded")
    assert bytes(event["lockId"]) == it.id
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert (event["depositWei"], event["dueAt"]) == (deposit, stored["dueAt"])
    assert len(tx.events) == 1


def test_demand__when_everything_holds__stays_within_gas(open_claimed, demand):
    used = demand(open_claimed()).gas_used
    print(f"gas demand: {used}")
    assert used <= 80_000
