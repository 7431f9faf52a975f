import pytest
from reading import plain

LOCK_ID = b"\x07" * 32


def test_record_failure__when_caller_is_not_lock__reverts(credit, processor, founder, reverts_with):
    for caller in (processor.account, founder):
        with reverts_with("CreditBook_NotLock", caller):
            credit.recordFailure(processor.address, LOCK_ID, {"from": caller})


@pytest.mark.parametrize(
    "previous, current",
    [(1_000_000, 999_970), (31, 1), (30, 0), (29, 0), (1, 0), (0, 0)],
)
def test_record_failure__when_caller_is_lock__takes_loss(
    credit, processor, lock_account, set_credit, only_event, previous, current
):
    set_credit(processor.address, previous)

    tx = credit.recordFailure(processor.address, LOCK_ID, {"from": lock_account})

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
