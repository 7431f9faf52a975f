import hypothesis
import money
import pytest
from hypothesis import strategies as st
from reading import plain

from bench.credit_model import EPOCH_SECONDS

LOCK_ID = b"\x07" * 32
POINT = money.POINT_WEI
HIGHEST = 2**256 - 1


def test_record_success__when_caller_is_not_lock__reverts(
    credit, processor, founder, meter_owner, reverts_with
):
    for caller in (processor.account, founder):
        with reverts_with("CreditBook_NotLock", caller):
            parties = (processor.address, meter_owner.address)
            credit.recordSuccess(*parties, POINT, LOCK_ID, {"from": caller})


@hypothesis.settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(fee_wei=st.one_of(st.integers(0, 12 * POINT), st.integers(0, HIGHEST)))
@hypothesis.example(fee_wei=0)
@hypothesis.example(fee_wei=POINT - 1)
@hypothesis.example(fee_wei=POINT)
@hypothesis.example(fee_wei=2 * POINT - 1)
@hypothesis.example(fee_wei=10 * POINT - 1)
@hypothesis.example(fee_wei=10 * POINT)
@hypothesis.example(fee_wei=11 * POINT)
@hypothesis.example(fee_wei=HIGHEST)
def test_record_success__given_any_fee__adds_what_it_bought(
    credit, processor, outsider, set_standing, succeed, new_account, only_event, fee_wei
):
    set_standing(processor.address, 500)
    payer, gain = new_account(), min(fee_wei // POINT, 10)

    tx = succeed(fee_wei=fee_wei, payer=payer)

    assert credit.creditOf(processor.address) == 500 + gain
    assert credit.gainedOf(processor.address) == gain
    assert credit.gainedFrom(processor.address, payer) == gain
    assert credit.gainedFrom(processor.address, outsider) == 0
    assert plain(only_event(tx, "CreditChanged")) == plain(
        {"account": processor.address, "lockId": LOCK_ID, "previous": 500, "current": 500 + gain}
    )
    assert credit.balance() == 0


def test_record_success__given_points_from_one_payer__stops_at_the_pairs_cap(
    credit, lock_account, processor, processor_two, meter_owner, neighbour, succeed, epoch
):
    reached = []
    for points in (10, 10, 9, 10, 10, 1):
        succeed(points)
        reached.append(credit.gainedFrom(processor.address, meter_owner.address))
    assert reached == [10, 20, 29, 30, 30, 30]
    assert credit.creditOf(processor.address) == 30

    succeed(10, payer=neighbour)
    assert credit.gainedFrom(processor.address, neighbour.address) == 10
    assert credit.creditOf(processor.address) == credit.gainedOf(processor.address) == 40

    parties = (processor_two.address, meter_owner.address)
    credit.recordSuccess(*parties, 10 * POINT, LOCK_ID, {"from": lock_account})
    assert credit.creditOf(processor_two.address) == 10


@pytest.mark.parametrize("gained, gain", [(989, 10), (990, 10), (991, 9), (999, 1), (1_000, 0)])
def test_record_success__given_points_in_all__stops_at_the_accounts_cap(
    credit, processor, meter_owner, set_standing, succeed, gained, gain
):
    set_standing(processor.address, 2_000, gained=gained)

    succeed(10)

    assert credit.creditOf(processor.address) == 2_000 + gain
    assert credit.gainedOf(processor.address) == gained + gain
    assert credit.gainedFrom(processor.address, meter_owner.address) == gain


def test_record_success__given_earlier_credit__decays_it_first(
    processor, set_standing, succeed, only_event, at, epoch
):
    set_standing(processor.address, 801)
    at(epoch + 2 * EPOCH_SECONDS)
    event = only_event(succeed(3), "CreditChanged")
    decayed = 801 * 49 // 64
    assert (event["previous"], event["current"]) == (decayed, decayed + 3)


@pytest.mark.parametrize("late, gain", [(-1, 0), (0, 10), (1, 10)])
def test_record_success__when_epoch_turns__has_fresh_caps(
    credit, processor, meter_owner, succeed, at, epoch, late, gain
):
    for _ in range(3):
        succeed(10)

    at(epoch + EPOCH_SECONDS + late)
    succeed(10)

    decayed = 30 if late < 0 else 26
    assert credit.creditOf(processor.address) == decayed + gain
    expected = 30 if late < 0 else gain
    assert credit.gainedFrom(processor.address, meter_owner.address) == expected
    assert credit.gainedOf(processor.address) == expected


def test_record_success__given_full_gains_for_ever__stays_below_the_maximum(
    credit, processor, set_standing, succeed, mine_at, epoch
):
    # 7,993 is where floor(7c/8) + 1,000 stands still, coming from below (docs/credit.md).
    set_standing(processor.address, 7_993, gained=1_000)
    for begins_at in (epoch + EPOCH_SECONDS, epoch + 2 * EPOCH_SECONDS):
        mine_at(begins_at)
        assert credit.creditOf(processor.address) == 6_993
        set_standing(processor.address, 6_993 + 985, gained=985, at=begins_at)
        for expected in (7_988, 7_993, 7_993):
            succeed(10)
            assert credit.creditOf(processor.address) == expected < credit.MAXIMUM() == 8_000
