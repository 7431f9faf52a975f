"""PrepaidLock.addBond (addBond.tree)."""

import money
from reading import plain

PUT_UP_WEI = 10**18  # by each processing node (conftest)


def test_add_bond__given_no_active_processor__reverts(
    lock, refuses, outsider, meter_owner, buyer, device, processor, revoke
):
    revoke(processor)
    for account in (outsider, meter_owner, buyer, device, processor):
        with refuses("PrepaidLock_NotProcessor", account.address):
            lock.addBond(account.address, {"from": outsider, "value": 5})


def test_add_bond__when_value_is_zero__reverts(lock, refuses, processor):
    with refuses("PrepaidLock_WrongValue", 0, 1):
        lock.addBond(processor.address, {"from": processor.account})


def test_add_bond__when_value_is_too_large__reverts(lock, refuses, processor, outsider):
    rich = money.unlocked(outsider.address, balance_wei=2**100)
    with refuses("SafeCastOverflowedUintDowncast", 96, 2**96):
        lock.addBond(processor.address, {"from": rich, "value": 2**96})


def test_add_bond__when_everything_holds__stores_and_emits(
    lock, processor, outsider, open_accepted, only_event, owes, may_withdraw
):
    open_accepted()
    held = money.bond_of(money.PRICE_WEI)
    before = outsider.balance()
    tx = lock.addBond(processor.address, {"from": outsider, "value": 5})
    assert outsider.balance() == before - 5
    assert plain(lock.bondOf(processor.address)) == (PUT_UP_WEI - held + 5, held, 0)
    owes(money.PRICE_WEI + 5)
    may_withdraw()
    event = only_event(tx, "BondAdded")
    assert (event["account"], event["by"]) == (processor.address, outsider.address)
    assert event["amountWei"] == 5
    assert len(tx.events) == 1
    print(f"gas addBond: {tx.gas_used}")


def test_add_bond__given_several__adds_up(lock, processor, processor_two, outsider, owes):
    for value in (1, 20, 300):
        lock.addBond(processor.address, {"from": outsider, "value": value})
    assert plain(lock.bondOf(processor.address)) == (PUT_UP_WEI + 321, 0, 0)
    assert plain(lock.bondOf(processor_two.address)) == (PUT_UP_WEI, 0, 0)
    owes(321)
