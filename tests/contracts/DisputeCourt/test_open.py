"""DisputeCourt.open, reached as PrepaidLock (open.tree)."""

import money
import pytest
from reading import plain

CASE = money.digest_of("a lock")


@pytest.fixture
def as_lock(lock):
    """PrepaidLock as a sender of transactions."""
    return money.unlocked(lock.address, balance_wei=10**24)


def test_open__when_caller_is_not_the_lock__reverts(
    court, reverts_with, now, judges, consortium, meter_owner, outsider
):
    as_consortium = money.unlocked(consortium.address, balance_wei=10**24)
    for account in (judges[0].account, as_consortium, meter_owner.account, outsider):
        with reverts_with("DisputeCourt_NotLock", account):
            court.open(CASE, now() + 900, {"from": account})


def test_open__when_lock_opens__stores_and_emits(court, as_lock, only_event, at, now):
    opened_at = now() + 7
    at(opened_at)
    tx = court.open(CASE, opened_at + 900, {"from": as_lock})
    assert plain(court.caseOf(CASE)) == (opened_at, opened_at + 900, 2, 0, 0, False)
    event = only_event(tx, "CaseOpened")
    assert bytes(event["lockId"]) == CASE
    assert (event["needed"], event["decideBy"]) == (2, opened_at + 900)
    assert len(tx.events) == 1


def test_open__given_later_threshold__keeps_its_own(
    court, as_lock, govern, consortium, judges, open_disputed, state_of
):
    it = open_disputed()
    govern(consortium, "setThreshold", 3)
    assert court.caseOf(it.id)["needed"] == 2
    for judge in judges[:2]:
        court.vote(it.id, True, {"from": judge.account})
    assert state_of(it) == money.SLASHED
    later = open_disputed()
    assert court.caseOf(later.id)["needed"] == 3
    for judge in judges[:2]:
        court.vote(later.id, True, {"from": judge.account})
    assert state_of(later) == money.DISPUTED
    court.vote(later.id, True, {"from": judges[2].account})
    assert state_of(later) == money.SLASHED
