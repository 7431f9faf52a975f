"""PrepaidLock.dispute, by the payer (dispute.tree)."""

import disputes
import money
import pytest
from disputes import EVIDENCE_DIGEST, EVIDENCE_LENGTH
from reading import plain

DISPUTE_WEI = disputes.dispute_wei(money.ADVICE_PRICE_WEI)


def test_dispute__given_other_state__reverts(other_states, refuses, lock, meter_owner):
    for it, state in other_states(money.CLAIMED, money.DELIVERED):
        with refuses("PrepaidLock_WrongState", it.id, state):
            options = {"from": meter_owner.account, "value": DISPUTE_WEI}
            lock.dispute(it.id, *disputes.EVIDENCE, options)


@pytest.mark.parametrize("late", [0, 1])
def test_dispute__when_window_is_over__reverts(open_claimed, due_of, dispute, refuses, at, late):
    it = open_claimed()
    due = due_of(it)
    at(due + late)
    with refuses("PrepaidLock_TooLate", it.id, due, due + late):
        dispute(it)


def test_dispute__when_window_is_open__disputes(open_claimed, due_of, dispute, state_of, at):
    it = open_claimed()
    at(due_of(it) - 1)
    dispute(it)
    assert state_of(it) == money.DISPUTED


def test_dispute__when_caller_is_not_payer__reverts(
    open_claimed, open_delivered, dispute, refuses, processor, neighbour, outsider, buyer_two
):
    it, sold = open_claimed(), open_delivered()
    for account in (processor.account, neighbour.account, outsider):
        with refuses("PrepaidLock_NotParty", it.id, account):
            dispute(it, by=account)
    for account in (processor.account, buyer_two.account):
        with refuses("PrepaidLock_NotParty", sold.id, account):
            dispute(sold, by=account)


def test_dispute__when_evidence_is_unsound__reverts(open_claimed, dispute, refuses):
    it = open_claimed()
    for evidence in (
        (money.NOTHING, EVIDENCE_LENGTH),
        (EVIDENCE_DIGEST, 0),
        (EVIDENCE_DIGEST, money.MAX_SEALED_BYTES + 1),
    ):
        with refuses("PrepaidLock_BadEvidence", *evidence):
            dispute(it, evidence=evidence)
    dispute(it, evidence=(EVIDENCE_DIGEST, money.MAX_SEALED_BYTES))


def test_dispute__when_value_is_not_the_bond__reverts(open_claimed, dispute, refuses):
    it = open_claimed()
    for value in (0, DISPUTE_WEI - 1, DISPUTE_WEI + 1):
        with refuses("PrepaidLock_WrongValue", value, DISPUTE_WEI):
            dispute(it, value=value)


def test_dispute__given_revoked_payer__disputes(
    open_claimed, dispute, revoke, meter_owner, state_of
):
    it = open_claimed()
    revoke(meter_owner)
    dispute(it)
    assert state_of(it) == money.DISPUTED


def test_dispute__when_everything_holds__stores_and_emits(
    open_claimed, dispute, lock, meter_owner, processor, credit, only_event, at, now, owes,
    may_withdraw, bond_is,
):  # fmt: skip
    it = open_claimed()
    before = meter_owner.account.balance()
    disputed_at = now() + 7
    at(disputed_at)
    tx = dispute(it)
    stored = lock.lockOf(it.id)
    assert stored["state"] == money.DISPUTED
    assert stored["dueAt"] == disputed_at + money.RULES.decide_seconds
    assert plain(lock.disputeOf(it.id)) == (meter_owner.address, DISPUTE_WEI)
    assert meter_owner.account.balance() == before - DISPUTE_WEI
    owes(money.ADVICE_PRICE_WEI + DISPUTE_WEI)
    may_withdraw()
    bond_is(held=money.bond_of(money.ADVICE_PRICE_WEI))
    assert credit.creditOf(processor.address) == 0
    event = only_event(tx, "Disputed")
    assert bytes(event["lockId"]) == it.id
    assert (event["payee"], event["by"]) == (processor.address, meter_owner.address)
    assert (event["bondWei"], event["dueAt"]) == (DISPUTE_WEI, stored["dueAt"])
    assert bytes(event["evidenceDigest"]) == EVIDENCE_DIGEST
    assert event["evidenceLength"] == EVIDENCE_LENGTH
    assert [event.name for event in tx.events] == ["Disputed", "CaseOpened"]
    print(f"gas dispute: {tx.gas_used}")


def test_dispute__when_everything_holds__opens_a_case(
    open_claimed, dispute, court, only_event, at, now
):
    it = open_claimed()
    disputed_at = now() + 7
    at(disputed_at)
    opened = only_event(dispute(it), "CaseOpened")
    decide_by = disputed_at + money.RULES.decide_seconds
    assert plain(court.caseOf(it.id)) == (disputed_at, decide_by, 2, 0, 0, False)
    assert bytes(opened["lockId"]) == it.id
    assert (opened["needed"], opened["decideBy"]) == (2, decide_by)


def test_dispute__given_delivered__disputes(
    open_delivered, dispute, lock, buyer, processor, owes, may_withdraw, bond_is, at, now
):
    it = open_delivered()
    price_wei, bond = it.order.price_wei, disputes.dispute_wei(it.order.price_wei)
    disputed_at = now() + 7
    at(disputed_at)
    dispute(it)
    stored = lock.lockOf(it.id)
    expected = (money.DISPUTED, disputed_at + money.RULES.decide_seconds)
    assert (stored["state"], stored["dueAt"]) == expected
    assert plain(lock.disputeOf(it.id)) == (buyer.address, bond)
    owes(price_wei + bond)
    may_withdraw()
    bond_is(held=money.bond_of(price_wei))


@pytest.mark.parametrize("end", ["for the payer", "for the payee", "undecided"])
def test_dispute__given_three_open__reverts(
    open_claimed, dispute, refuses, lock, meter_owner, verdict, due_of, relayer, at, end
):
    its = [open_claimed() for _ in range(4)]
    for it in its[:3]:
        dispute(it)
    assert lock.openDisputesOf(meter_owner.address) == 3
    with refuses("PrepaidLock_TooManyDisputes", meter_owner.address, 3):
        dispute(its[3])
    if end == "undecided":
        at(due_of(its[0]))
        lock.refund(its[0].id, {"from": relayer})
        its[3] = open_claimed()
    else:
        verdict(its[0], end == "for the payer")
    assert lock.openDisputesOf(meter_owner.address) == 2
    dispute(its[3])
