"""PrepaidLock.serve: the demanded answer, in an event (serve.tree)."""

import hashlib

import disputes
import money
import pytest
from disputes import ANSWER


def test_serve__given_other_state__reverts(other_states, serve, refuses):
    for it, state in other_states(money.DEMANDED):
        with refuses("PrepaidLock_WrongState", it.id, state):
            serve(it)


@pytest.mark.parametrize("late", [0, 1])
def test_serve__when_time_is_over__reverts(open_demanded, due_of, serve, refuses, at, late):
    it = open_demanded()
    due = due_of(it)
    at(due + late)
    with refuses("PrepaidLock_TooLate", it.id, due, due + late):
        serve(it)


def test_serve__when_time_is_left__serves(open_demanded, due_of, serve, state_of, at):
    it = open_demanded()
    at(due_of(it) - 1)
    serve(it)
    assert state_of(it) == money.CLAIMED


def test_serve__when_length_is_another__reverts(open_demanded, serve, refuses):
    it = open_demanded()
    for wrong in (b"", ANSWER[:-1], ANSWER + b"\0"):
        with refuses("PrepaidLock_WrongAnswer", it.id, money.NOTHING):
            serve(it, wrong)


def test_serve__when_bytes_are_others__reverts(open_demanded, serve, refuses):
    it = open_demanded()
    for wrong in (bytes(len(ANSWER)), ANSWER[:-1] + bytes([ANSWER[-1] ^ 1])):
        with refuses("PrepaidLock_WrongAnswer", it.id, hashlib.sha256(wrong).digest()):
            serve(it, wrong)


def test_serve__given_revoked_payee__serves(
    open_demanded, serve, revoke, processor, may_withdraw, state_of
):
    it = open_demanded()
    revoke(processor)
    serve(it)
    assert state_of(it) == money.CLAIMED
    may_withdraw(processor=disputes.demand_wei())


def test_serve__given_largest_answer__serves(open_claimed, demand, serve, only_event, may_withdraw):
    answer = ANSWER * 4
    answer = answer[: money.MAX_SEALED_BYTES]
    assert len(answer) == money.MAX_SEALED_BYTES
    it = open_claimed(length=len(answer), digest=hashlib.sha256(answer).digest())
    demand(it, value=disputes.demand_wei(len(answer)))
    tx = serve(it, answer)
    assert bytes(only_event(tx, "Served")["answer"]) == answer
    may_withdraw(processor=disputes.demand_wei(len(answer)))
    print(f"gas serve 32 KiB: {tx.gas_used}")


def test_serve__when_everything_holds__stores_and_emits(
    open_demanded, serve, lock, meter_owner, processor, credit, only_event, at, now, owes,
    may_withdraw, bond_is,
):  # fmt: skip
    it, deposit = open_demanded(), disputes.demand_wei()
    served_at = now() + 7
    at(served_at)
    tx = serve(it)
    stored = lock.lockOf(it.id)
    assert (stored["state"], stored["isDemanded"]) == (money.CLAIMED, True)
    assert stored["dueAt"] == served_at + money.WINDOW_S
    owes(money.ADVICE_PRICE_WEI + deposit)
    may_withdraw(processor=deposit)
    bond_is(held=money.bond_of(money.ADVICE_PRICE_WEI))
    assert credit.creditOf(processor.address) == 0
    event = only_event(tx, "Served")
    assert bytes(event["lockId"]) == it.id
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert (event["depositWei"], event["dueAt"]) == (deposit, stored["dueAt"])
    assert bytes(event["answer"]) == ANSWER
    assert len(tx.events) == 1
    print(f"gas serve 9,000 bytes: {tx.gas_used}")


def test_serve__when_everything_holds__leaves_both_ends_open(
    open_demanded, serve, dispute, due_of, lock, relayer, state_of, at
):
    bad, good = open_demanded(), open_demanded()
    serve(bad)
    serve(good)
    at(due_of(bad) - 1)
    dispute(bad)
    assert state_of(bad) == money.DISPUTED
    at(due_of(good))
    lock.settle(good.id, {"from": relayer})
    assert state_of(good) == money.SETTLED
