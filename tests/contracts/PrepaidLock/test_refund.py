"""PrepaidLock.refund: exactly when success is closed (refund.tree)."""

import money
import pytest


def test_refund__given_other_state__reverts(
    open_request, open_accepted, open_sharing, open_claimed, deliver, set_sharing_window,
    refuses, lock, relayer, processor, at,
):  # fmt: skip
    rejected, declined, refunded, settled = (
        open_request(), open_sharing(), open_request(), open_accepted()
    )  # fmt: skip
    lock.reject(rejected.id, money.NOT_SERVED, {"from": processor.account})
    lock.decline(declined.id, money.NOT_SERVED, {"from": processor.account})
    lock.claim(settled.id, settled.secret, {"from": relayer})
    claimed = open_claimed()
    set_sharing_window(10**6)
    delivered = open_sharing()
    deliver(delivered)
    at(delivered.expires_at + 10)
    lock.refund(refunded.id, {"from": relayer})
    for it, state in (
        (rejected, money.REJECTED),
        (declined, money.DECLINED),
        (refunded, money.REFUNDED),
        (settled, money.SETTLED),
        (claimed, money.CLAIMED),
        (delivered, money.DELIVERED),
    ):
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.refund(it.id, {"from": relayer})
    with refuses("PrepaidLock_WrongState", money.NOTHING, money.NONE):
        lock.refund(money.NOTHING, {"from": relayer})


@pytest.mark.parametrize("opener", ["open_request", "open_accepted", "open_sharing"])
def test_refund__when_t_is_not_reached__reverts(request, opener, refuses, lock, meter_owner, at):
    it = request.getfixturevalue(opener)()
    at(it.expires_at - 1)
    with refuses("PrepaidLock_NotExpired", it.id, it.expires_at, it.expires_at - 1):
        lock.refund(it.id, {"from": meter_owner.account})


@pytest.mark.parametrize("late", [0, 1])
def test_refund__given_requested__gives_back_and_spares_credit(
    open_request, lock, relayer, processor, meter_owner, credit, only_event, state_of,
    at, late,
):  # fmt: skip
    money.set_credit(credit, processor, 50)
    it = open_request()
    at(it.expires_at + late)
    tx = lock.refund(it.id, {"from": relayer})
    assert state_of(it) == money.REFUNDED
    assert lock.withdrawableOf(meter_owner.address) == money.PRICE_WEI
    assert lock.withdrawableOf(processor.address) == lock.withdrawableOf(relayer) == 0
    assert lock.balance() == lock.liabilitiesWei() == money.PRICE_WEI
    assert credit.creditOf(processor.address) == 50
    event = only_event(tx, "Refunded")
    assert (bytes(event["lockId"]), event["priceWei"]) == (it.id, money.PRICE_WEI)
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert len(tx.events) == 1


@pytest.mark.parametrize("opener", ["open_accepted", "open_sharing"])
@pytest.mark.parametrize("late", [0, 1])
def test_refund__given_taken_on__gives_back_and_lowers_credit(
    request, opener, late, lock, relayer, processor, credit, state_of, at
):
    money.set_credit(credit, processor, 50)
    it = request.getfixturevalue(opener)()
    stored = lock.lockOf(it.id)
    at(it.expires_at + late)
    tx = lock.refund(it.id, {"from": relayer})
    assert state_of(it) == money.REFUNDED
    assert lock.withdrawableOf(stored["payer"]) == stored["priceWei"]
    assert lock.withdrawableOf(processor.address) == 0
    assert credit.creditOf(processor.address) == 50 - credit.LOSS()
    assert [event.name for event in tx.events] == ["Refunded", "CreditChanged"]


def test_refund__given_revoked_members__gives_back(
    open_accepted, lock, relayer, processor, meter_owner, revoke, at
):
    it = open_accepted()
    revoke(processor)
    revoke(meter_owner)
    at(it.expires_at)
    lock.refund(it.id, {"from": relayer})
    assert lock.withdrawableOf(meter_owner.address) == money.PRICE_WEI


def test_refund__given_requested__stays_within_gas(open_request, lock, relayer, at):
    it = open_request()
    at(it.expires_at)
    used = lock.refund(it.id, {"from": relayer}).gas_used
    print(f"gas refund from Requested, first use: {used}")
    assert used <= 60_000


def test_refund__given_accepted__stays_within_gas(
    open_accepted, lock, relayer, processor, credit, at
):
    money.set_credit(credit, processor, 50)
    it = open_accepted()
    at(it.expires_at)
    used = lock.refund(it.id, {"from": relayer}).gas_used
    print(f"gas refund from Accepted, first use: {used}")
    assert used <= 90_000
