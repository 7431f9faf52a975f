"""PrepaidLock.payOwner (payOwner.tree)."""

import money


def test_pay_owner__when_caller_is_not_the_book__reverts(
    lock, market, processor, meter_owner, outsider, impersonate, refuses
):
    for caller in (outsider, processor.account, meter_owner.account, impersonate(market)):
        with refuses("PrepaidLock_NotDataSets", caller.address):
            lock.payOwner(meter_owner.address, 1, {"from": caller})


def test_pay_owner__when_book_calls__makes_it_withdrawable(
    lock, data_sets, meter_owner, may_withdraw, owes
):
    """The book pays out of what it has recorded; here it is made to act without a sale."""
    book = money.unlocked(data_sets.address)
    for amount in (5, 7):
        lock.payOwner(meter_owner.address, amount, {"from": book})
    may_withdraw(meter_owner=12)
    owes(0)
