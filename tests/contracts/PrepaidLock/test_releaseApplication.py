"""PrepaidLock.releaseApplication, reached as the market (releaseApplication.tree)."""

import money
import pytest

BROADCAST = money.digest_of("broadcast")
HELD = 10


@pytest.fixture
def release(lock, market_account, buyer):
    """``release(to, amounts)`` of a deposit of 10 wei."""
    options = {"from": market_account}
    lock.holdApplication(BROADCAST, buyer.address, {**options, "value": HELD})
    return lambda to, amounts: lock.releaseApplication(BROADCAST, to, amounts, options)


def test_release_application__when_caller_is_not_market__reverts(lock, refuses, outsider, buyer):
    for account in (outsider, buyer.account):
        with refuses("PrepaidLock_NotMarket", account):
            lock.releaseApplication(BROADCAST, [], [], {"from": account})


def test_release_application__when_parts_do_not_sum_up__reverts(release, refuses, buyer, processor):
    to = [buyer.address, processor.address]
    for amounts in ([5, 4], [5, 6], [0, 0], [10, 2**96 - 1]):
        with refuses("PrepaidLock_WrongRelease", BROADCAST, HELD, sum(amounts)):
            release(to, amounts)
    with refuses("PrepaidLock_WrongRelease", BROADCAST, HELD, 0):
        release([], [])


def test_release_application__given_released__reverts(release, refuses, buyer):
    release([buyer.address], [HELD])
    with refuses("PrepaidLock_WrongRelease", BROADCAST, 0, HELD):
        release([buyer.address], [HELD])


def test_release_application__when_parts_sum_up__releases(release, lock, buyer, processor, owes):
    tx = release([processor.address, buyer.address, processor.address], [3, 5, 2])
    assert lock.withdrawableOf(processor.address) == 5
    assert lock.withdrawableOf(buyer.address) == 5
    assert lock.applicationOf(BROADCAST) == 0
    owes(HELD)
    events = [(e["to"], e["amountWei"]) for e in tx.events["ApplicationReleased"]]
    assert events == [(processor.address, 3), (buyer.address, 5), (processor.address, 2)]
