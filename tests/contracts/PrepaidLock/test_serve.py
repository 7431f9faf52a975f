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
    may_withdraw(meter_owner=disputes.demand_wei())


def test_serve__given_largest_answer__serves(open_claimed, demand, serve, only_event, may_withdraw):
    answer = ANSWER * 4
    answer = answer[: money.MAX_SEALED_BYTES]
    assert len(answer) == money.MAX_SEALED_BYTES
    it = open_claimed(length=len(answer), digest=hashlib.sha256(answer).digest())
    demand(it, value=disputes.demand_wei(len(answer)))
    tx = serve(it, answer)
    assert bytes(only_event(tx, "Served")["answer"]) == answer
    may_withdraw(meter_owner=disputes.demand_wei(len(answer)))
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
    may_withdraw(meter_owner=deposit)  # gas costs nothing here
    bond_is(held=money.bond_of(money.ADVICE_PRICE_WEI))
    assert credit.creditOf(processor.address) == 0
    event = only_event(tx, "Served")
    assert bytes(event["lockId"]) == it.id
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert (event["paidWei"], event["dueAt"]) == (0, stored["dueAt"])
    assert bytes(event["answer"]) == ANSWER
    assert len(tx.events) == 1
    print(f"gas serve 9,000 bytes: {tx.gas_used}")


@pytest.mark.parametrize(
    "base_fee", [1, money.RULES.serve_gas_wei - 1, money.RULES.serve_gas_wei, 10**6]
)
def test_serve__given_a_base_fee__pays_it_for_the_formulas_gas(
    open_demanded, lock, relayer, may_withdraw, only_event, owes, base_fee
):
    """By the block's base fee, whatever the sender offers, and never more than was deposited."""
    it, deposit = open_demanded(), disputes.demand_wei()
    tx = at_base_fee(base_fee, lambda price: lock.serve(
        it.id, ANSWER, {"from": relayer, "gas_price": price}
    ))  # fmt: skip
    paid = min(base_fee * disputes.serve_gas(), deposit)
    rest = {"meter_owner": deposit - paid} if paid < deposit else {}
    may_withdraw(processor=paid, **rest)
    owes(money.ADVICE_PRICE_WEI + deposit)
    assert only_event(tx, "Served")["paidWei"] == paid
    assert paid < tx.gas_used * base_fee  # serving on demand earns nothing


def at_base_fee(base_fee, send):
    """Send at ten times a base fee that the next block has."""
    rpc = money.web3.provider.make_request
    assert "error" not in rpc("anvil_setNextBlockBaseFeePerGas", [hex(base_fee)])
    try:
        return send(10 * base_fee)
    finally:
        rpc("anvil_setNextBlockBaseFeePerGas", ["0x0"])


@pytest.mark.parametrize("length", [1, 9_000, money.MAX_SEALED_BYTES])
def test_serve__given_an_answer_of_zeros__pays_less_than_it_takes(
    open_claimed, demand, serve, length
):
    """The payee picks the bytes: the cheapest ones take more gas than is paid for, too."""
    answer = bytes(length)
    it = open_claimed(length=length, digest=hashlib.sha256(answer).digest())
    demand(it, value=disputes.demand_wei(length))
    used = serve(it, answer).gas_used
    print(f"gas serve {length} zeros: {used}, paid {disputes.serve_gas(length)}")
    assert disputes.serve_gas(length) < used


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
