"""PrepaidLock.holdApplication, reached as the market (holdApplication.tree)."""

import money

BROADCAST = money.digest_of("broadcast")


def test_hold_application__when_caller_is_not_market__reverts(lock, refuses, outsider, buyer):
    for account in (outsider, buyer.account):
        with refuses("PrepaidLock_NotMarket", account):
            lock.holdApplication(BROADCAST, buyer.address, {"from": account, "value": 5})


def test_hold_application__when_caller_is_market__holds(
    lock, market_account, buyer, only_event, owes
):
    tx = lock.holdApplication(BROADCAST, buyer.address, {"from": market_account, "value": 5})
    assert lock.applicationOf(BROADCAST) == 5
    owes(5)
    assert lock.withdrawableOf(buyer.address) == 0
    event = only_event(tx, "ApplicationHeld")
    assert bytes(event["broadcastId"]) == BROADCAST
    assert (event["payer"], event["amountWei"]) == (buyer.address, 5)


def test_hold_application__given_deposit__adds(lock, market_account, buyer, owes):
    for value in (5, 7):
        lock.holdApplication(BROADCAST, buyer.address, {"from": market_account, "value": value})
    assert lock.applicationOf(BROADCAST) == 12
    owes(12)
