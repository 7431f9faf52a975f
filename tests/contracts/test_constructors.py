"""What is given for ever is checked at construction: wiring, rules, members, delays."""

from dataclasses import astuple

import money
import pytest
from brownie import project, web3
from members import NOBODY
from reading import plain

RULES = astuple(money.RULES)
TAKES_A_PART = {
    "MemberRegistry": (),
    "RequestCatalogue": (RULES,),
    "ConsentBook": (),
    "TariffBook": (),
    "DataLedger": (),
    "NotificationBoard": (),
}
DAY = 86_400
SOON = 100
SOMEWHERE = "0x" + "99" * 20  # the registry that comes later


@pytest.fixture
def construct(deployer):
    """``construct(name, *arguments)``: a new contract."""
    parts = project.get_loaded_projects()[0]
    return lambda name, *arguments: parts[name].deploy(*arguments, {"from": deployer})


@pytest.mark.parametrize("name", TAKES_A_PART)
def test_constructor__when_part_has_no_code__reverts(name, construct, outsider, reverts_with):
    for part in (outsider.address, NOBODY):
        with reverts_with("Wiring_NoContract", part):
            construct(name, part, *TAKES_A_PART[name])


def test_constructor__when_credit_book_gets_zero_lock__reverts(construct, reverts_with):
    with reverts_with("Wiring_ZeroAddress"):
        construct("CreditBook", NOBODY, 1)


def test_constructor__when_credit_book_gets_a_point_of_zero_wei__reverts(
    construct, outsider, reverts_with
):
    with reverts_with("CreditBook_BadPoint"):
        construct("CreditBook", outsider, 0)
    for point_wei in (1, 2**256 - 1):
        assert construct("CreditBook", outsider, point_wei).pointWei() == point_wei


def test_constructor__when_data_set_book_misses_a_part__reverts(
    construct, registry, consents, lock, outsider, reverts_with
):
    for parts in ((outsider, consents, lock), (registry, outsider, lock)):
        with reverts_with("Wiring_NoContract", outsider):
            construct("DataSetBook", *parts)
    with reverts_with("Wiring_ZeroAddress"):
        construct("DataSetBook", registry, consents, NOBODY)
    book = construct("DataSetBook", registry, consents, outsider)  # the lock comes later
    assert (book.registry(), book.consents(), book.prepaidLock()) == (registry, consents, outsider)


def test_constructor__when_dispute_court_misses_a_part__reverts(
    construct, consortium, lock, outsider, reverts_with
):
    with reverts_with("Wiring_NoContract", outsider):
        construct("DisputeCourt", outsider, lock)
    with reverts_with("Wiring_ZeroAddress"):
        construct("DisputeCourt", consortium, NOBODY)


def test_constructor__when_first_rules_are_out_of_range__reverts(
    construct, consortium, reverts_with
):
    with reverts_with("RequestCatalogue_BadParameter", "serveSeconds"):
        construct("RequestCatalogue", consortium, (59, *RULES[1:]))


def test_constructor__when_first_rules_are_in_range__are_version_1(
    construct, consortium, only_event
):
    catalogue = construct("RequestCatalogue", consortium, RULES)
    assert plain(catalogue.rulesAt(1)) == RULES
    assert plain(only_event(catalogue.tx, "RulesSet")) == {"version": 1, "rules": RULES}


@pytest.mark.parametrize(
    "count, threshold",
    [(0, 0), (0, 1), (1, 0), (1, 2), (2, 1), (3, 1), (3, 4), (4, 2), (5, 2), (32, 16), (33, 17)],
)
def test_constructor__when_threshold_is_no_majority__reverts(
    construct, reverts_with, count, threshold
):
    with reverts_with("Consortium_BadMembers", count, threshold):
        construct("Consortium", addresses(count), threshold, 0, 0, SOMEWHERE)


@pytest.mark.parametrize("count, threshold", [(1, 1), (2, 2), (3, 2), (4, 3), (5, 5), (32, 17)])
def test_constructor__when_threshold_is_a_majority__founds_the_consortium(
    construct, now, count, threshold
):
    founders = addresses(count)
    consortium = construct("Consortium", founders, threshold, 2 * DAY, now() + SOON, SOMEWHERE)
    assert list(consortium.members()) == founders
    assert consortium.threshold() == threshold
    assert (consortium.delaySeconds(), consortium.proposalCount()) == (2 * DAY, 0)
    born_at = web3.eth.get_block(consortium.tx.block_number)["timestamp"]
    assert {consortium.memberSince(account) for account in founders} == {born_at}
    added = [plain(event) for event in consortium.tx.events["MemberAdded"]]
    assert added == [{"account": account, "threshold": threshold} for account in founders]
    assert consortium.tx.events["ThresholdChanged"]["threshold"] == threshold


def test_constructor__when_consortium_member_is_zero_or_named_twice__reverts(
    construct, reverts_with
):
    one, two = addresses(2)
    with reverts_with("Consortium_BadMember", NOBODY):
        construct("Consortium", [one, NOBODY], 2, 0, 0, SOMEWHERE)
    with reverts_with("Consortium_BadMember", one):
        construct("Consortium", [one, two, one], 2, 0, 0, SOMEWHERE)


def test_constructor__when_consortium_would_be_its_own_member__reverts(
    construct, deployer, reverts_with
):
    own = deployer.get_deployment_address()
    with reverts_with("Consortium_BadMember", own):
        construct("Consortium", [own], 1, 0, 0, SOMEWHERE)


def test_constructor__when_consortium_gets_no_registry__reverts(construct, reverts_with):
    with reverts_with("Wiring_ZeroAddress"):
        construct("Consortium", addresses(1), 1, 0, 0, NOBODY)


def test_constructor__when_delay_is_longer_than_fourteen_days__reverts(
    construct, outsider, reverts_with
):
    with reverts_with("Consortium_BadDelay", 14 * DAY + 1):
        construct("Consortium", [outsider], 1, 14 * DAY + 1, 0, SOMEWHERE)
    assert construct("Consortium", [outsider], 1, 14 * DAY, 0, SOMEWHERE).delaySeconds() == 14 * DAY


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_constructor__when_founding_is_longer_than_thirty_days__reverts(
    construct, outsider, reverts_with, at, now, late
):
    begin = now() + 10
    ends_at = begin + 30 * DAY + late
    at(begin)
    if late > 0:
        with reverts_with("Consortium_BadFounding", ends_at):
            construct("Consortium", [outsider], 1, 0, ends_at, SOMEWHERE)
        return
    assert construct("Consortium", [outsider], 1, 0, ends_at, SOMEWHERE).foundingEndsAt() == ends_at


def addresses(count):
    """Return as many accounts that nobody holds."""
    return [web3.to_checksum_address(f"0x{1_000_000 + i:040x}") for i in range(count)]
