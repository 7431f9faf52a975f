"""PrepaidLock.decide: a verdict, carried out between the two parties (decide.tree)."""

import disputes
import money
import publishing
import pytest

PRICE_WEI = money.ADVICE_PRICE_WEI
FEE_WEI, BOND_WEI = money.fee_of(PRICE_WEI), money.bond_of(PRICE_WEI)
DISPUTE_WEI = disputes.dispute_wei(PRICE_WEI)


@pytest.fixture
def as_court(court):
    """The court as a sender of transactions."""
    return money.unlocked(court.address, balance_wei=10**24)


def test_decide__when_caller_is_not_court__reverts(
    open_disputed, refuses, lock, judges, consortium, meter_owner, outsider
):
    it = open_disputed()
    as_consortium = money.unlocked(consortium.address, balance_wei=10**24)
    for account in (judges[0].account, meter_owner.account, outsider, as_consortium):
        for for_payer in (True, False):
            with refuses("PrepaidLock_NotCourt", account):
                lock.decide(it.id, for_payer, {"from": account})


def test_decide__given_other_state__reverts(other_states, refuses, lock, as_court):
    for it, state in other_states(money.DISPUTED):
        for for_payer in (True, False):
            with refuses("PrepaidLock_WrongState", it.id, state):
                lock.decide(it.id, for_payer, {"from": as_court})


@pytest.mark.parametrize("late", [0, 1])
@pytest.mark.parametrize("for_payer", [True, False])
def test_decide__when_time_is_over__reverts(
    open_disputed, due_of, refuses, lock, as_court, at, late, for_payer
):
    it = open_disputed()
    due = due_of(it)
    at(due + late)
    with refuses("PrepaidLock_TooLate", it.id, due, due + late):
        lock.decide(it.id, for_payer, {"from": as_court})


@pytest.mark.parametrize(("for_payer", "state"), [(True, money.SLASHED), (False, money.SETTLED)])
def test_decide__when_time_is_left__decides(
    open_disputed, due_of, lock, as_court, state_of, at, for_payer, state
):
    it = open_disputed()
    at(due_of(it) - 1)
    lock.decide(it.id, for_payer, {"from": as_court})
    assert state_of(it) == state


def test_decide__when_for_payer__pays_the_payer(
    open_disputed, lock, as_court, meter_owner, processor, credit, only_event, state_of, owes,
    may_withdraw, bond_is,
):  # fmt: skip
    money.set_credit(credit, processor, 50)
    it = open_disputed()
    tx = lock.decide(it.id, True, {"from": as_court})
    assert state_of(it) == money.SLASHED
    back = PRICE_WEI + DISPUTE_WEI + BOND_WEI - FEE_WEI
    may_withdraw(meter_owner=back, consortium=FEE_WEI)
    owes(PRICE_WEI + DISPUTE_WEI)
    bond_is(held=0, lost=BOND_WEI)
    assert credit.creditOf(processor.address) == 50 - credit.LOSS()
    event = only_event(tx, "Slashed")
    assert (bytes(event["lockId"]), event["priceWei"]) == (it.id, PRICE_WEI)
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert (event["feeWei"], event["gainWei"]) == (FEE_WEI, BOND_WEI - FEE_WEI)
    assert [event.name for event in tx.events] == ["Slashed", "CreditChanged"]


def test_decide__given_member_disputed__gives_its_bond_back(
    open_delivered, dispute_as_member, lock, as_court, owes, may_withdraw, bond_is
):
    it = open_delivered()
    price_wei = it.order.price_wei
    dispute_as_member(it)
    lock.decide(it.id, True, {"from": as_court})
    fee, bond = money.fee_of(price_wei), money.bond_of(price_wei)
    own = disputes.dispute_wei(price_wei)
    may_withdraw(buyer=price_wei + bond - fee, buyer_two=own, consortium=fee)
    owes(price_wei + own)
    bond_is(held=0, lost=bond)


def test_decide__when_for_payee__pays_the_payee(
    open_disputed, lock, as_court, meter_owner, processor, credit, only_event, state_of, owes,
    may_withdraw, bond_is,
):  # fmt: skip
    it = open_disputed()
    tx = lock.decide(it.id, False, {"from": as_court})
    assert state_of(it) == money.SETTLED
    may_withdraw(processor=PRICE_WEI - FEE_WEI + DISPUTE_WEI, consortium=FEE_WEI)
    owes(PRICE_WEI + DISPUTE_WEI)
    bond_is(held=0)
    assert credit.creditOf(processor.address) == money.gain_of(credit, PRICE_WEI) > 0
    event = only_event(tx, "Settled")
    assert (bytes(event["lockId"]), event["priceWei"]) == (it.id, PRICE_WEI)
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert (event["feeWei"], event["gainWei"]) == (FEE_WEI, DISPUTE_WEI)
    assert [event.name for event in tx.events] == ["Settled", "CreditChanged"]


@pytest.mark.parametrize("for_payer", [True, False])
def test_decide__given_owners_part__pays_owners_with_the_payee_alone(
    open_sharing, deliver, dispute, set_sharing_window, lock, data_sets, data_set, as_court, owes,
    may_withdraw, only_event, for_payer,
):  # fmt: skip
    set_sharing_window(disputes.SHARING_WINDOW_S, 5_000)
    it = open_sharing()
    deliver(it)
    dispute(it)
    price_wei = it.order.price_wei
    fee, bond = money.fee_of(price_wei), money.bond_of(price_wei)
    own, part = disputes.dispute_wei(price_wei), price_wei // 2
    rest = part % publishing.ROWS
    tx = lock.decide(it.id, for_payer, {"from": as_court})
    owes(price_wei + own)
    pot = data_sets.earningsOf(data_set.data_set_id)[1]
    if for_payer:
        may_withdraw(buyer=price_wei + bond - fee + own, consortium=fee)
        assert pot == 0
        return
    may_withdraw(processor=price_wei - fee - part + own, consortium=fee + rest)
    assert pot == part - rest > 0
    event = only_event(tx, "Settled")
    assert (event["ownersWei"], event["gainWei"]) == (pot, own)


@pytest.mark.parametrize("for_payer", [True, False])
def test_decide__given_either_verdict__costs_the_same_fee(
    open_disputed, lock, as_court, consortium, meter_owner, processor, for_payer
):
    it = open_disputed()

    def owned_by(who):
        bond = lock.bondOf(who.address)
        return lock.withdrawableOf(who.address) + bond["freeWei"] + bond["heldWei"]

    before = owned_by(meter_owner) + owned_by(processor)
    lock.decide(it.id, for_payer, {"from": as_court})
    assert owned_by(consortium) == FEE_WEI
    after = owned_by(meter_owner) + owned_by(processor)
    assert after - before == PRICE_WEI + DISPUTE_WEI - FEE_WEI
