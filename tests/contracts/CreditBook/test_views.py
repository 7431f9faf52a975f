def test_constants__when_read__weigh_loss_heavier_than_gain(credit):
    constants = (credit.GAIN(), credit.LOSS(), credit.MAXIMUM(), credit.FLOOR())
    assert constants == (10, 30, 1_000_000, 0)


def test_credit_of__given_newcomer__is_floor(credit, outsider):
    assert credit.creditOf(outsider) == credit.FLOOR()


def test_prepaid_lock__when_read__is_the_lock(credit, lock):
    assert credit.prepaidLock() == lock.address
