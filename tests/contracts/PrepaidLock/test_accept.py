"""PrepaidLock.accept (accept.tree)."""

import secrets

import disputes
import money
import pytest

from tests.contracts.PrepaidLock.conftest import OpenLock

PUT_UP_WEI = 10**18  # by each processing node (conftest)


def test_accept__when_caller_is_not_payee__reverts(
    open_request, accept, refuses, processor_two, meter_owner
):
    it = open_request()
    for member in (processor_two, meter_owner):
        with refuses("PrepaidLock_NotPayee", it.id, member.address):
            accept(it, by=member)


def test_accept__given_revoked_payee__reverts(open_request, accept, refuses, processor, revoke):
    it = open_request()
    revoke(processor)
    with refuses("PrepaidLock_NotProcessor", processor.address):
        accept(it)


def test_accept__given_other_state__reverts(other_states, accept, refuses):
    for it, state in other_states(money.NONE, money.REQUESTED):  # who is None's payee?
        with refuses("PrepaidLock_WrongState", it.id, state):
            accept(it)


@pytest.mark.parametrize("late", [0, 1])
def test_accept__when_t_is_reached__reverts(open_request, accept, refuses, at, late):
    it = open_request()
    at(it.expires_at + late)
    with refuses("PrepaidLock_Expired", it.id, it.expires_at, it.expires_at + late):
        accept(it)


def test_accept__when_t_is_not_reached__accepts(open_request, accept, at, state_of):
    it = open_request()
    at(it.expires_at - 1)
    accept(it)
    assert state_of(it) == money.ACCEPTED


def test_accept__when_secret_hash_is_zero__reverts(open_request, accept, refuses):
    it = open_request()
    with refuses("PrepaidLock_SecretHashUsed", money.NOTHING):
        accept(it, secret_hash=money.NOTHING)


def test_accept__given_used_secret_hash__reverts(
    open_accepted, open_request, accept, refuses, lock, processor, relayer
):
    used, other = open_accepted(), open_request()
    secret_hash = money.commitment_of(processor, used.secret)
    with refuses("PrepaidLock_SecretHashUsed", secret_hash):
        accept(other, secret_hash=secret_hash)
    lock.claim(used.id, used.secret, {"from": relayer})
    with refuses("PrepaidLock_SecretHashUsed", secret_hash):
        accept(other, secret_hash=secret_hash)


def test_accept__given_hash_copied_by_another_node__accepts(
    open_request, accept, refuses, pay, lock, neighbour, processor, processor_two, state_of, now
):
    it, secret = open_request(), secrets.token_bytes(32)
    secret_hash = money.commitment_of(processor, secret)
    theirs = money.request_order(processor_two, expires_at=now() + 2 * money.SHORTEST_S)
    pay(theirs, payer=neighbour)
    copied = it.__class__(money.id_of(lock, neighbour, theirs.nonce), theirs)
    accept(copied, secret_hash=secret_hash, by=processor_two)
    accept(it, secret_hash=secret_hash)
    lock.claim(it.id, secret, {"from": processor.account})
    assert state_of(it) == money.SETTLED
    with refuses("PrepaidLock_BadSecret", copied.id):
        lock.claim(copied.id, secret, {"from": processor_two.account})


def test_accept__when_answer_is_unsound__reverts(open_request, accept, refuses):
    it, digest = open_request(), money.digest_of("answer")
    for digest_, length in (
        (money.NOTHING, 1),
        (digest, 0),
        (digest, money.MAX_SEALED_BYTES + 1),
    ):
        with refuses("PrepaidLock_BadAnswer", digest_, length):
            accept(it, digest=digest_, length=length)
    accept(it, length=money.MAX_SEALED_BYTES)


def test_accept__when_answer_is_longer_than_its_type_allowed__reverts(
    pay, an_order, accept, refuses, govern, catalogue, lock, meter_owner
):
    """The type's longest answer at the request binds, whatever is set before the acceptance."""
    name = b"bill".ljust(32, b"\0")
    short = (True, money.SHORTEST_S, 0, 500, money.PRICE_WEI, name)
    govern(catalogue, "setType", money.BILL, short)
    order = an_order._replace(terms=money.request_terms()._replace(longest_answer_bytes=500))
    pay(order)
    govern(catalogue, "setType", money.BILL, (*short[:3], 9_000, *short[4:]))
    it = OpenLock(money.id_of(lock, meter_owner, order.nonce), order)
    digest = money.digest_of("answer")
    with refuses("PrepaidLock_BadAnswer", digest, 501):
        accept(it, digest=digest, length=501)
    accept(it, digest=digest, length=500)


def test_accept__when_everything_holds__stores_and_emits(
    open_request, accept, lock, processor, meter_owner, credit, only_event, owes, may_withdraw
):
    it, secret_hash = open_request(), money.digest_of("C")
    tx = accept(it, secret_hash=secret_hash, length=77)
    stored = lock.lockOf(it.id)
    assert stored["state"] == money.ACCEPTED
    assert bytes(stored["binding"]) == secret_hash
    assert bytes(stored["answerDigest"]) == disputes.ANSWER_DIGEST
    assert stored["answerLength"] == 77
    event = only_event(tx, "Accepted")
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert (bytes(event["lockId"]), bytes(event["secretHash"])) == (it.id, secret_hash)
    assert bytes(event["answerDigest"]) == disputes.ANSWER_DIGEST
    assert event["answerLength"] == 77
    assert len(tx.events) == 1
    owes(money.PRICE_WEI)
    may_withdraw()
    assert credit.creditOf(processor.address) == 0


def test_accept__when_everything_holds__holds_the_bond(open_request, accept, lock, bond_is):
    it = open_request()
    bond_is(held=0)
    accept(it)
    bond_is(held=money.bond_of(money.PRICE_WEI))
    assert lock.lockOf(it.id)["bondWei"] == money.bond_of(money.PRICE_WEI)


@pytest.mark.parametrize("spare_wei", [-1, 0])
def test_accept__given_too_small_bond__reverts(
    open_request, accept, refuses, lock, processor, bond_is, spare_wei
):
    it, needed = open_request(), money.bond_of(money.PRICE_WEI)
    taken = PUT_UP_WEI - needed - spare_wei
    lock.takeBond(taken, {"from": processor.account})
    if spare_wei < 0:
        with refuses("PrepaidLock_BondTooSmall", processor.address, needed - 1, needed):
            accept(it)
        return
    accept(it)
    bond_is(held=needed, lost=taken)


def test_accept__given_bond_held_for_another_lock__reverts(
    open_accepted, open_request, accept, refuses, lock, processor
):
    needed = money.bond_of(money.PRICE_WEI)
    lock.takeBond(PUT_UP_WEI - 2 * needed + 1, {"from": processor.account})
    open_accepted()
    it = open_request()
    with refuses("PrepaidLock_BondTooSmall", processor.address, needed - 1, needed):
        accept(it)


def test_accept__given_emergency_stop__reverts(open_request, accept, refuses, govern, registry):
    it = open_request()
    govern(registry, "stopBeginnings")
    with refuses("MemberRegistry_Stopped", registry.stoppedUntil()):
        accept(it)


def test_accept__when_everything_holds__stays_within_gas(open_request, open_accepted, accept):
    open_accepted()
    used = accept(open_request()).gas_used
    print(f"gas accept: {used}")
    assert used <= 130_000
