import money
import pytest

from bench import credit_model
from bench.credit_model import EPOCH_SECONDS


def test_constants__when_read__are_the_models_and_weigh_loss_heavier_than_gain(credit):
    names = ("MAX_GAIN", "PAIR_CAP", "ACCOUNT_CAP", "LOSS", "MAXIMUM", "EPOCH_SECONDS")
    constants = [getattr(credit, name)() for name in names]
    assert constants == [getattr(credit_model, name) for name in names]
    assert constants == [10, 30, 1_000, 30, 8_000, 30 * 86_400]


def test_point_wei__when_read__is_what_was_founded(credit, founding):
    assert credit.pointWei() == founding.point_wei == money.POINT_WEI


def test_credit_of__given_newcomer__is_zero(credit, outsider, processor):
    assert credit.creditOf(outsider) == credit.gainedOf(outsider) == 0
    assert credit.gainedFrom(processor.address, outsider) == 0


@pytest.mark.parametrize("points", [8_000, 7_993, 1_000, 9, 8, 1, 0])
def test_credit_of__given_epochs_without_an_end__is_seven_eighths_of_each(
    credit, processor, set_standing, mine_at, epoch, points
):
    set_standing(processor.address, points)
    for epochs in (0, 1, 2, 3, 10, 40, 66, 67, 68, 69, 85, 1_000, 10_000):
        mine_at(epoch + epochs * EPOCH_SECONDS)
        expected = points * 7**epochs // 8**epochs
        assert credit.creditOf(processor.address) == expected, epochs


def test_credit_of__given_the_maximum__leaves_the_last_point_after_67_epochs(
    credit, processor, set_standing, mine_at, epoch
):
    set_standing(processor.address, credit.MAXIMUM())
    for epochs, left in ((67, 1), (68, 0), (69, 0)):
        mine_at(epoch + epochs * EPOCH_SECONDS)
        assert credit.creditOf(processor.address) == left


@pytest.mark.parametrize("late, left, gained", [(-1, 800, 40), (0, 700, 0), (1, 700, 0)])
def test_credit_of__when_epoch_turns__decays_and_counts_afresh(
    credit, processor, set_standing, mine_at, epoch, late, left, gained
):
    set_standing(processor.address, 800, gained=40)
    mine_at(epoch + EPOCH_SECONDS + late)
    assert credit.creditOf(processor.address) == left
    assert credit.gainedOf(processor.address) == gained


@pytest.mark.parametrize("late, gained", [(-1, 10), (0, 0), (1, 0)])
def test_gained_from__when_epoch_turns__counts_afresh(
    credit, processor, meter_owner, succeed, mine_at, epoch, late, gained
):
    succeed(10)
    mine_at(epoch + EPOCH_SECONDS + late)
    assert credit.gainedFrom(processor.address, meter_owner.address) == gained


def test_prepaid_lock__when_read__is_the_lock(credit, lock):
    assert credit.prepaidLock() == lock.address
