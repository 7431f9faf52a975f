"""PrepaidLock.takeBond (takeBond.tree)."""

import money
from reading import plain

PUT_UP_WEI = 10**18  # by each processing node (conftest)


def test_take_bond__when_amount_is_zero__reverts(lock, refuses, processor):
    with refuses("PrepaidLock_BondTooSmall", processor.address, PUT_UP_WEI, 0):
        lock.takeBond(0, {"from": processor.account})


def test_take_bond__when_amount_is_not_free__reverts(lock, refuses, processor, open_accepted):
    open_accepted()
    free = PUT_UP_WEI - money.bond_of(money.PRICE_WEI)
    for amount in (free + 1, PUT_UP_WEI, 2**96 - 1):
        with refuses("PrepaidLock_BondTooSmall", processor.address, free, amount):
            lock.takeBond(amount, {"from": processor.account})
    lock.takeBond(free, {"from": processor.account})


def test_take_bond__given_no_bond__reverts(lock, refuses, outsider, meter_owner):
    for account in (outsider, meter_owner.account):
        with refuses("PrepaidLock_BondTooSmall", account, 0, 1):
            lock.takeBond(1, {"from": account})


def test_take_bond__given_revoked_or_stopped__takes(
    lock, processor, govern, registry, revoke, relayer, owes, may_withdraw
):
    govern(registry, "stopBeginnings")
    lock.takeBond(5, {"from": processor.account})
    revoke(processor)
    lock.takeBond(PUT_UP_WEI - 5, {"from": processor.account})
    may_withdraw(processor=PUT_UP_WEI)
    before = processor.account.balance()
    lock.withdrawFor(processor.address, {"from": relayer})
    assert processor.account.balance() == before + PUT_UP_WEI
    owes(-PUT_UP_WEI)


def test_take_bond__when_everything_holds__stores_and_emits(
    lock, processor, open_accepted, only_event, at, now, owes, may_withdraw
):
    open_accepted()
    held, taken_at = money.bond_of(money.PRICE_WEI), now() + 7
    at(taken_at)
    tx = lock.takeBond(11, {"from": processor.account})
    assert plain(lock.bondOf(processor.address)) == (PUT_UP_WEI - held - 11, held, taken_at)
    may_withdraw(processor=11)
    owes(money.PRICE_WEI)
    event = only_event(tx, "BondTaken")
    assert (event["account"], event["amountWei"]) == (processor.address, 11)
    assert len(tx.events) == 1
    print(f"gas takeBond: {tx.gas_used}")
