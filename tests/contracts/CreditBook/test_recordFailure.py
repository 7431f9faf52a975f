import pytest
from reading import plain

from bench.credit_model import EPOCH_SECONDS

LOCK_ID = b"\x07" * 32


def test_record_failure__when_caller_is_not_lock__reverts(credit, processor, founder, reverts_with):
    for caller in (processor.account, founder):
        with reverts_with("CreditBook_NotLock", caller):
            credit.recordFailure(processor.address, LOCK_ID, {"from": caller})


@pytest.mark.parametrize(
    "previous, current", [(7_999, 7_969), (31, 1), (30, 0), (29, 0), (1, 0), (0, 0)]
)
def test_record_failure__when_caller_is_lock__takes_loss(
    credit, processor, set_standing, fail, only_event, previous, current
):
    set_standing(processor.address, previous)

    tx = fail()

    assert credit.creditOf(processor.address) == current
    assert plain(only_event(tx, "CreditChanged")) == plain(
        {
            "account": processor.address,
            "lockId": LOCK_ID,
            "previous": previous,
            "current": current,
        }
    )
    assert credit.balance() == 0


@pytest.mark.parametrize("late, previous", [(-1, 40), (0, 35), (1, 35)])
def test_record_failure__given_earlier_credit__decays_it_first(
    credit, processor, set_standing, fail, only_event, at, epoch, late, previous
):
    set_standing(processor.address, 40)
    at(epoch + EPOCH_SECONDS + late)
    event = only_event(fail(), "CreditChanged")
    assert (event["previous"], event["current"]) == (previous, previous - 30)
    assert credit.creditOf(processor.address) == previous - 30


def test_record_failure__given_used_caps__frees_none(
    credit, processor, meter_owner, neighbour, set_standing, succeed, fail
):
    set_standing(processor.address, 970, gained=970)
    for _ in range(3):
        succeed(10)
    fail()
    for payer in (meter_owner, neighbour):  # the pair's cap is full, and the account's
        succeed(10, payer=payer)
    assert credit.creditOf(processor.address) == 970
    assert credit.gainedOf(processor.address) == 1_000
    assert credit.gainedFrom(processor.address, meter_owner.address) == 30
    assert credit.gainedFrom(processor.address, neighbour.address) == 0
