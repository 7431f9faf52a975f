"""PrepaidLock.settle (settle.tree)."""

from dataclasses import replace

import disputes
import money
import publishing
import pytest
from reading import plain


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
    assert (event["feeWei"], event["ownersWei"], event["gainWei"]) == (fee, 0, 0)
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


@pytest.fixture
def open_sold(open_sharing, deliver, set_sharing_window):
    """``open_sold(owners_bps, price_wei=…)``: a sharing lock in Delivered with an owners' part."""

    def make(owners_bps=5_000, **changed):
        set_sharing_window(disputes.SHARING_WINDOW_S, owners_bps)
        it = open_sharing(**changed)
        deliver(it)
        return it

    return make


@pytest.mark.parametrize("owners_bps", [0, 1, 3_333, 5_000, 8_000])
@pytest.mark.parametrize("price_wei", [0, 1, 167, 336, 7 * 10**15 + 1, 10**17 + 13])
def test_settle__given_owners_part__splits_the_price(
    open_sold, lock, data_sets, data_set, relayer, processor, credit, only_event, at, due_of, owes,
    may_withdraw, govern, catalogue, owners_bps, price_wei,
):  # fmt: skip
    highest = replace(money.RULES, fee_bps=2_000)
    govern(catalogue, "setRules", disputes.rules_words(highest))
    it = open_sold(owners_bps, price_wei=price_wei, **at_fee(price_wei, owners_bps, 2_000))
    at(due_of(it))
    tx = lock.settle(it.id, {"from": relayer})
    part = price_wei * owners_bps // money.BPS
    each, rest = divmod(part, publishing.ROWS)
    pot, fee = each * publishing.ROWS, price_wei * 2_000 // money.BPS
    may_withdraw(processor=price_wei - fee - part, consortium=fee + rest)
    owes(price_wei)
    assert plain(data_sets.earningsOf(data_set.data_set_id))[:2] == (each, pot)
    event = only_event(tx, "Settled")
    assert (event["priceWei"], event["feeWei"], event["ownersWei"]) == (price_wei, fee + rest, pot)
    if owners_bps == 8_000 and price_wei % 10 == 0:
        assert lock.withdrawableOf(processor.address) == 0
    gained = min((fee + rest) // credit.pointWei(), credit.MAX_GAIN())
    assert credit.creditOf(processor.address) == gained


def at_fee(price_wei, owners_bps, fee_bps):
    """Return the signed terms of a sharing lock under the second rules and terms of sharing."""
    window = disputes.SHARING_WINDOW_S
    terms = money.sharing_terms(price_wei, version=2, window_s=window, owners_bps=owners_bps)
    return {"terms": terms._replace(rules_version=2, fee_bps=fee_bps)}


def test_settle__given_retired_data_set_and_revoked_parties__splits_all_the_same(
    open_sold, lock, data_sets, data_set, relayer, processor, buyer, revoke, at, due_of, owes
):
    it = open_sold()
    data_sets.retire(data_set.data_set_id, {"from": processor.account})
    revoke(processor)
    revoke(buyer)
    at(due_of(it))
    lock.settle(it.id, {"from": relayer})
    part = it.order.price_wei // 2
    assert data_sets.earningsOf(data_set.data_set_id)[1] == part - part % publishing.ROWS
    owes(it.order.price_wei)


def test_settle__given_owners_part__stays_within_gas(open_sold, due_of, lock, relayer, at):
    used = []
    for _ in range(2):
        it = open_sold()
        at(due_of(it))
        used.append(lock.settle(it.id, {"from": relayer}).gas_used)
    print(f"gas settle of a sale, first use: {used[0]}, later: {used[1]}")
    assert used[1] <= 110_000


def test_settle__given_request__gives_owners_nothing(
    open_claimed, set_sharing_window, lock, relayer, at, due_of, may_withdraw, only_event
):
    set_sharing_window(0, 8_000)
    it, fee = open_claimed(), money.fee_of(money.ADVICE_PRICE_WEI)
    assert lock.lockOf(it.id)["ownersBps"] == 0
    at(due_of(it))
    tx = lock.settle(it.id, {"from": relayer})
    may_withdraw(processor=money.ADVICE_PRICE_WEI - fee, consortium=fee)
    assert only_event(tx, "Settled")["ownersWei"] == 0


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
