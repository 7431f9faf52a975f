"""DisputeCourt's views and its wiring."""

import money
from brownie import DisputeCourt
from members import NOBODY
from reading import plain


def test_case_of__given_no_case__is_empty(court, outsider):
    assert plain(court.caseOf(money.NOTHING)) == (0, 0, 0, 0, 0, False)
    assert court.hasVoted(money.NOTHING, outsider) is False


def test_constructor__given_the_system__keeps_its_parts(court, consortium, lock):
    assert court.consortium() == consortium
    assert court.prepaidLock() == lock
    assert court.MAX_SEALED_BYTES() == money.MAX_SEALED_BYTES


def test_constructor__given_a_missing_part__reverts(
    reverts_with, deployer, consortium, lock, outsider
):
    with reverts_with("Wiring_NoContract", outsider):
        DisputeCourt.deploy(outsider, lock, {"from": deployer})
    with reverts_with("Wiring_ZeroAddress"):
        DisputeCourt.deploy(consortium, NOBODY, {"from": deployer})


def test_receive__when_ether_is_sent_plainly__reverts(court, outsider, reverts_with):
    with reverts_with(None):
        outsider.transfer(court, 1)
    assert court.balance() == 0
