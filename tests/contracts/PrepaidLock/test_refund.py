"""PrepaidLock.refund: exactly when success is closed (refund.tree)."""

import disputes
import money
import pytest


def test_refund__given_other_state__reverts(other_states, refuses, lock, relayer):
    open_states = (money.REQUESTED, money.ACCEPTED, money.SELECTED, money.DISPUTED)
    for it, state in other_states(*open_states):
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.refund(it.id, {"from": relayer})


@pytest.mark.parametrize("opener", ["open_request", "open_accepted", "open_sharing"])
def test_refund__when_t_is_not_reached__reverts(request, opener, refuses, lock, meter_owner, at):
    it = request.getfixturevalue(opener)()
    at(it.expires_at - 1)
    with refuses("PrepaidLock_NotExpired", it.id, it.expires_at, it.expires_at - 1):
        lock.refund(it.id, {"from": meter_owner.account})


@pytest.mark.parametrize("late", [0, 1])
def test_refund__given_requested__gives_back_and_spares_credit(
    open_request, lock, relayer, processor, meter_owner, credit, only_event, state_of,
    at, late, owes, may_withdraw, bond_is,
):  # fmt: skip
    money.set_credit(credit, processor, 50)
    it = open_request()
    at(it.expires_at + late)
    tx = lock.refund(it.id, {"from": relayer})
    assert state_of(it) == money.REFUNDED
    may_withdraw(meter_owner=money.PRICE_WEI)
    owes(money.PRICE_WEI)
    bond_is(held=0)
    assert credit.creditOf(processor.address) == 50
    event = only_event(tx, "Refunded")
    assert (bytes(event["lockId"]), event["priceWei"]) == (it.id, money.PRICE_WEI)
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert event["gainWei"] == 0
    assert len(tx.events) == 1


@pytest.mark.parametrize(
    ("opener", "payer"), [("open_accepted", "meter_owner"), ("open_sharing", "buyer")]
)
@pytest.mark.parametrize("late", [0, 1])
def test_refund__given_taken_on__gives_back_and_lowers_credit(
    request, opener, payer, late, lock, relayer, processor, credit, state_of, at, owes,
    may_withdraw, bond_is, only_event,
):  # fmt: skip
    money.set_credit(credit, processor, 50)
    it = request.getfixturevalue(opener)()
    price_wei = lock.lockOf(it.id)["priceWei"]
    bond_wei = money.bond_of(price_wei)
    at(it.expires_at + late)
    tx = lock.refund(it.id, {"from": relayer})
    assert state_of(it) == money.REFUNDED
    may_withdraw(**{payer: price_wei + bond_wei})
    owes(price_wei)
    bond_is(held=0, lost=bond_wei)
    event = only_event(tx, "Refunded")
    assert (bytes(event["lockId"]), event["priceWei"]) == (it.id, price_wei)
    assert event["payer"] == request.getfixturevalue(payer).address
    assert (event["payee"], event["gainWei"]) == (processor.address, bond_wei)
    assert credit.creditOf(processor.address) == 50 - credit.LOSS()
    assert [event.name for event in tx.events] == ["Refunded", "CreditChanged"]


def test_refund__given_revoked_members__gives_back(
    open_accepted, lock, relayer, processor, meter_owner, revoke, at, may_withdraw
):
    it = open_accepted()
    revoke(processor)
    revoke(meter_owner)
    at(it.expires_at)
    lock.refund(it.id, {"from": relayer})
    may_withdraw(meter_owner=money.PRICE_WEI + money.bond_of(money.PRICE_WEI))


def test_refund__when_judges_may_still_decide__reverts(
    open_disputed, due_of, refuses, lock, relayer, at
):
    it = open_disputed()
    due = due_of(it)
    at(due - 1)
    with refuses("PrepaidLock_TooEarly", it.id, due, due - 1):
        lock.refund(it.id, {"from": relayer})


@pytest.mark.parametrize("late", [0, 1])
def test_refund__given_undecided_dispute__gives_everything_back(
    open_disputed, court, judges, due_of, lock, relayer, processor, credit, state_of, at, late,
    owes, may_withdraw, bond_is, only_event, meter_owner,
):  # fmt: skip
    money.set_credit(credit, processor, 50)
    it, price_wei = open_disputed(), money.ADVICE_PRICE_WEI
    court.vote(it.id, True, {"from": judges[0].account})  # one of two is not enough
    at(due_of(it) + late)
    tx = lock.refund(it.id, {"from": relayer})
    assert state_of(it) == money.REFUNDED
    may_withdraw(meter_owner=price_wei + disputes.dispute_wei(price_wei))
    owes(price_wei + disputes.dispute_wei(price_wei))
    bond_is(held=0)
    assert credit.creditOf(processor.address) == 50
    event = only_event(tx, "Refunded")
    assert (bytes(event["lockId"]), event["priceWei"]) == (it.id, price_wei)
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert event["gainWei"] == 0
    assert len(tx.events) == 1


def test_refund__given_undecided_dispute_of_a_member__gives_each_its_own(
    open_delivered, dispute_as_member, due_of, lock, relayer, at, owes, may_withdraw, bond_is
):
    it = open_delivered()
    dispute_as_member(it)
    at(due_of(it))
    lock.refund(it.id, {"from": relayer})
    price_wei = it.order.price_wei
    may_withdraw(buyer=price_wei, buyer_two=disputes.dispute_wei(price_wei))
    owes(price_wei + disputes.dispute_wei(price_wei))
    bond_is(held=0)


def test_refund__given_requested__stays_within_gas(open_request, lock, relayer, at):
    used = []
    for _ in range(2):
        it = open_request()
        at(it.expires_at)
        used.append(lock.refund(it.id, {"from": relayer}).gas_used)
    print(f"gas refund from Requested, first use: {used[0]}, later: {used[1]}")
    assert max(used) <= 60_000


def test_refund__given_accepted__stays_within_gas(
    open_accepted, lock, relayer, processor, credit, at
):
    money.set_credit(credit, processor, 100)
    used = []
    for _ in range(2):
        it = open_accepted()
        at(it.expires_at)
        used.append(lock.refund(it.id, {"from": relayer}).gas_used)
    print(f"gas refund from Accepted, first use: {used[0]}, later: {used[1]}")
    assert max(used) <= 90_000
