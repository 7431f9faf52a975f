"""PrepaidLock's views, its wiring, and ether that comes uninvited."""

import disputes
import money
import pytest
from brownie import ForcedEther, PrepaidLock
from members import NOBODY
from reading import plain

PUT_UP_WEI = 10**18  # by each processing node (conftest)


def test_lock_id_of__given_payer_and_nonce__is_the_hash_of_the_interface(lock, meter_owner):
    nonce = money.digest_of("nonce")
    assert bytes(lock.lockIdOf(meter_owner.address, nonce)) == money.id_of(lock, meter_owner, nonce)


def test_lock_of__given_unknown_lock__is_empty(lock):
    stored = lock.lockOf(money.NOTHING)
    assert (stored["payer"], stored["payee"], stored["state"]) == (NOBODY, NOBODY, money.NONE)
    assert plain(lock.disputeOf(money.NOTHING)) == (NOBODY, 0)


def test_bond_of__when_put_up_held_freed_and_taken__tells_each(
    lock, processor, outsider, open_accepted, open_sharing, relayer, at, now
):
    assert plain(lock.bondOf(outsider)) == (0, 0, 0)
    assert plain(lock.bondOf(processor.address)) == (PUT_UP_WEI, 0, 0)
    it, held = open_accepted(), money.bond_of(money.PRICE_WEI)
    assert plain(lock.bondOf(processor.address)) == (PUT_UP_WEI - held, held, 0)
    lock.claim(it.id, it.secret, {"from": relayer})
    assert plain(lock.bondOf(processor.address)) == (PUT_UP_WEI, 0, 0)
    taken_at = now() + 5
    at(taken_at)
    lock.takeBond(7, {"from": processor.account})
    assert plain(lock.bondOf(processor.address)) == (PUT_UP_WEI - 7, 0, taken_at)


def test_is_covered__given_an_amount__needs_as_much_free_bond(lock, processor, open_accepted, now):
    since = now()
    for amount, covers in ((0, True), (PUT_UP_WEI, True), (PUT_UP_WEI + 1, False)):
        assert lock.isCovered(processor.address, amount, since) is covers
    assert lock.isCovered(processor.address, 2**256 - 1, since) is False
    open_accepted()
    left = PUT_UP_WEI - money.bond_of(money.PRICE_WEI)
    assert lock.isCovered(processor.address, left, since) is True
    assert lock.isCovered(processor.address, left + 1, since) is False


def test_is_covered__given_bond_added_later__counts_what_was_there(
    lock, processor, processor_two, outsider, at, now
):
    added_at = now() + 5
    for i, amount in enumerate((100, 20, 3)):  # at three times
        at(added_at + 10 * i)
        lock.addBond(processor.address, {"from": outsider, "value": amount})
    for since, counts in (
        (added_at - 1, 0),
        (added_at, 100),
        (added_at + 9, 100),
        (added_at + 10, 120),
        (added_at + 20, 123),
        (added_at + 21, 123),
    ):
        assert lock.isCovered(processor.address, PUT_UP_WEI + counts, since) is True
        assert lock.isCovered(processor.address, PUT_UP_WEI + counts + 1, since) is False
    # Nobody makes it false by adding.
    assert lock.isCovered(processor_two.address, PUT_UP_WEI, added_at - 1) is True
    # More is held than was there: what was added later backs nothing of it.
    lock.takeBond(PUT_UP_WEI, {"from": processor.account})
    at(added_at + 1_000)
    lock.addBond(processor.address, {"from": outsider, "value": 10**18})
    assert lock.isCovered(processor.address, 123, added_at + 999) is True
    assert lock.isCovered(processor.address, 124, added_at + 999) is False


def test_is_covered__given_less_left_than_was_added__covers_nothing(
    lock, processor, outsider, open_accepted, at, now
):
    lock.takeBond(PUT_UP_WEI, {"from": processor.account})
    at(now() + 100)
    lock.addBond(processor.address, {"from": outsider, "value": PUT_UP_WEI})
    since = now() - 1  # after the taking, before the addition
    open_accepted()
    assert lock.isCovered(processor.address, 0, since) is False
    assert lock.isCovered(processor.address, 0, since + 1) is True


def test_is_covered__given_bond_freed_by_choice__counts_from_a_second_later(
    lock, processor, at, now
):
    taken_at = now() + 5
    at(taken_at)
    lock.takeBond(1, {"from": processor.account})
    for since, covers in ((taken_at - 1, False), (taken_at, True), (taken_at + 1, True)):
        assert lock.isCovered(processor.address, 1, since) is covers


def test_dispute_of__given_disputes__tells_who_put_up_what(
    lock, open_disputed, open_delivered, dispute_as_member, meter_owner, buyer_two, verdict
):
    it = open_disputed()
    expected = (meter_owner.address, disputes.dispute_wei(money.ADVICE_PRICE_WEI))
    assert plain(lock.disputeOf(it.id)) == expected
    verdict(it, True)
    assert plain(lock.disputeOf(it.id)) == expected  # also when it has ended
    sold = open_delivered()
    assert plain(lock.disputeOf(sold.id)) == (NOBODY, 0)
    dispute_as_member(sold)
    expected = (buyer_two.address, disputes.dispute_wei(sold.order.price_wei))
    assert plain(lock.disputeOf(sold.id)) == expected


@pytest.mark.parametrize("length", [1, 1_024, 9_000, 32 * 1024])
def test_demand_wei_of__given_a_length__is_the_gas_of_serving_it(lock, open_accepted, length):
    it = open_accepted(length=length)
    assert lock.serveGasOf(length) == 40_000 + 12 * length == disputes.serve_gas(length)
    assert lock.demandWeiOf(it.id) == disputes.demand_wei(length)
    assert lock.demandWeiOf(it.id) == (40_000 + 12 * length) * money.RULES.serve_gas_wei


def test_dispute_wei_of__given_a_price__is_its_part_or_the_least_sum(
    lock, open_request, govern, catalogue
):
    it = open_request()
    assert lock.disputeWeiOf(it.id) == money.PRICE_WEI * money.RULES.dispute_bond_bps // money.BPS
    least = money.RULES.dispute_min_wei
    for price in (1, 4 * least, 4 * least + 3, 4 * least + 4):  # a quarter of it is the bond
        longest = money.LONGEST_ANSWER
        terms = (True, money.SHORTEST_S, 0, longest, price, b"bill".ljust(32, b"\0"))
        govern(catalogue, "setType", money.BILL, terms)
        cheap = open_request(price_wei=price)
        assert lock.disputeWeiOf(cheap.id) == max(price // 4, least)


def test_demand_and_dispute_wei_of__given_new_rules__stay_those_of_the_lock(
    lock, open_accepted, govern, catalogue
):
    it = open_accepted()
    govern(catalogue, "setRules", disputes.rules_words(disputes.OTHER_RULES))
    assert lock.demandWeiOf(it.id) == disputes.demand_wei()
    assert lock.disputeWeiOf(it.id) == disputes.dispute_wei(money.PRICE_WEI)
    later = open_accepted()
    other = disputes.OTHER_RULES
    assert lock.demandWeiOf(later.id) == disputes.demand_wei(gas_wei=other.serve_gas_wei)
    assert lock.disputeWeiOf(later.id) == money.PRICE_WEI * other.dispute_bond_bps // money.BPS
    stored = lock.lockOf(later.id)
    assert (stored["rulesVersion"], stored["feeBps"]) == (2, other.fee_bps)
    assert stored["bondWei"] == money.PRICE_WEI * other.bond_bps // money.BPS
    assert lock.lockOf(it.id)["rulesVersion"] == 1


def test_constructor__given_the_system__keeps_its_parts(
    lock, consortium, registry, catalogue, data_sets, credit, market, court
):
    assert lock.registry() == registry
    assert lock.catalogue() == catalogue
    assert lock.dataSets() == data_sets
    assert lock.credit() == credit
    assert lock.market() == market
    assert lock.court() == court
    assert lock.treasury() == registry.consortium() == consortium


def test_constructor__given_a_missing_part__reverts(
    reverts_with, deployer, registry, catalogue, data_sets, credit, market, court, outsider
):
    parts = [registry, catalogue, data_sets, credit, market, court]
    for i in range(3):
        wrong = [*parts[:i], outsider, *parts[i + 1 :]]
        with reverts_with("Wiring_NoContract", outsider):
            PrepaidLock.deploy(*wrong, {"from": deployer})
    for i in (3, 4, 5):
        wrong = [*parts[:i], NOBODY, *parts[i + 1 :]]
        with reverts_with("Wiring_ZeroAddress"):
            PrepaidLock.deploy(*wrong, {"from": deployer})


def test_receive__when_ether_is_sent_plainly__reverts(lock, outsider, reverts_with, owes):
    with reverts_with(None):
        outsider.transfer(lock, 1)
    owes(0)


def test_balance__when_ether_is_forced_in__is_above_liabilities_and_breaks_nothing(
    lock, open_request, processor, meter_owner, outsider, owes
):
    it = open_request()
    ForcedEther.deploy(lock, {"from": outsider, "value": 77})
    assert lock.balance() == lock.liabilitiesWei() + 77
    lock.reject(it.id, money.NOT_RECOGNISED, {"from": processor.account})
    lock.withdrawFor(meter_owner.address, {"from": outsider})
    assert (lock.balance(), lock.liabilitiesWei()) == (2 * PUT_UP_WEI + 77, 2 * PUT_UP_WEI)
