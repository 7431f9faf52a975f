"""PrepaidLock.claim: the hash-lock (claim.tree)."""

import secrets

import money
import pytest


def test_claim__given_other_state__reverts(other_states, refuses, lock, relayer):
    for it, state in other_states(money.ACCEPTED):
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.claim(it.id, it.secret.ljust(32, b"\0"), {"from": relayer})


@pytest.mark.parametrize("late", [0, 1])
def test_claim__when_t_is_reached__reverts(open_accepted, refuses, lock, relayer, at, late):
    it = open_accepted()
    at(it.expires_at + late)
    with refuses("PrepaidLock_Expired", it.id, it.expires_at, it.expires_at + late):
        lock.claim(it.id, it.secret, {"from": relayer})


def test_claim__when_t_is_not_reached__opens_the_lock(open_accepted, lock, relayer, at, state_of):
    it = open_accepted()
    at(it.expires_at - 1)
    lock.claim(it.id, it.secret, {"from": relayer})
    assert state_of(it) == money.SETTLED


def test_claim__when_secret_is_false__reverts(open_accepted, refuses, lock, processor):
    it = open_accepted()
    flipped = bytes([it.secret[0] ^ 1]) + it.secret[1:]
    for false in (flipped, money.NOTHING, money.commitment_of(processor, it.secret)):
        with refuses("PrepaidLock_BadSecret", it.id):
            lock.claim(it.id, false, {"from": processor.account})


def test_claim__when_c_names_another_payee__reverts(
    open_request, accept, refuses, lock, processor, processor_two
):
    it, secret = open_request(), secrets.token_bytes(32)
    accept(it, secret_hash=money.commitment_of(processor_two, secret))
    with refuses("PrepaidLock_BadSecret", it.id):
        lock.claim(it.id, secret, {"from": processor.account})


def test_claim__given_no_window__settles_at_once(
    open_accepted, lock, relayer, processor, meter_owner, credit, only_event, state_of, at,
    owes, may_withdraw, bond_is,
):  # fmt: skip
    it, fee = open_accepted(), money.fee_of(money.PRICE_WEI)
    claimed_at = it.expires_at - 5
    at(claimed_at)
    tx = lock.claim(it.id, it.secret, {"from": relayer})
    assert state_of(it) == money.SETTLED
    may_withdraw(processor=money.PRICE_WEI - fee, consortium=fee)
    owes(money.PRICE_WEI)
    bond_is(held=0)
    assert credit.creditOf(processor.address) == money.gain_of(credit, money.PRICE_WEI) > 0
    claimed, settled = only_event(tx, "Claimed"), only_event(tx, "Settled")
    assert (bytes(claimed["secret"]), claimed["dueAt"]) == (it.secret, claimed_at)
    assert (bytes(settled["lockId"]), settled["priceWei"]) == (it.id, money.PRICE_WEI)
    assert (settled["feeWei"], settled["gainWei"]) == (fee, 0)
    assert (settled["payer"], settled["payee"]) == (meter_owner.address, processor.address)
    assert [event.name for event in tx.events] == ["Claimed", "Settled", "CreditChanged"]


def test_claim__given_no_window__stays_within_gas(open_accepted, lock, processor):
    used = []
    for _ in range(2):
        it = open_accepted()
        used.append(lock.claim(it.id, it.secret, {"from": processor.account}).gas_used)
    print(f"gas claim with settlement, first use: {used[0]}, later: {used[1]}")
    assert used[1] <= 80_000


def test_claim__given_window__waits(
    open_accepted, lock, relayer, processor, credit, only_event, at, govern, catalogue, owes,
    may_withdraw, bond_is,
):  # fmt: skip
    it = open_accepted(type_id=money.ADVICE)
    # A change of the terms binds only what begins after it.
    changed = (True, money.SHORTEST_S, 60, 1, 1, b"advice".ljust(32, b"\0"))
    govern(catalogue, "setType", money.ADVICE, changed)
    claimed_at = it.expires_at - 1
    at(claimed_at)
    tx = lock.claim(it.id, it.secret, {"from": relayer})
    stored = lock.lockOf(it.id)
    assert stored["state"] == money.CLAIMED
    assert stored["dueAt"] == claimed_at + money.WINDOW_S
    assert stored["priceWei"] == money.ADVICE_PRICE_WEI
    event = only_event(tx, "Claimed")
    assert bytes(event["secret"]) == it.secret
    assert event["dueAt"] == stored["dueAt"]
    assert len(tx.events) == 1
    may_withdraw()
    owes(money.ADVICE_PRICE_WEI)
    bond_is(held=money.bond_of(money.ADVICE_PRICE_WEI))
    assert credit.creditOf(processor.address) == 0
    print(f"gas claim with window: {tx.gas_used}")


def test_claim__given_revoked_payee__opens_the_lock(
    open_accepted, lock, processor, revoke, relayer, may_withdraw
):
    it = open_accepted()
    revoke(processor)
    lock.claim(it.id, it.secret, {"from": relayer})
    fee = money.fee_of(money.PRICE_WEI)
    may_withdraw(processor=money.PRICE_WEI - fee, consortium=fee)
