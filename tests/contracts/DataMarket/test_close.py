"""DataMarket.close: the application deposit's other endings (close.tree)."""

from dataclasses import astuple, replace

import money
import pytest
from money import APPLICATION_WEI, DAY

from offchain.crypto import sharing
from tests.contracts.DataMarket.conftest import BOND_WEI, BONDS_WEI, OFFER_WEI


@pytest.fixture
def answered(broadcast, respond, processor, processor_two):
    """A broadcast with both nodes' responses."""
    ad = broadcast()
    respond(ad, processor)
    respond(ad, processor_two)
    return ad


@pytest.fixture
def close(market, outsider, at):
    """``close(ad, late)``: a stranger's transaction, ``late`` seconds after selectBy."""

    def send(ad, late=0):
        at(ad.conditions.select_by + late)
        return market.close(ad.id, {"from": outsider})

    return send


@pytest.fixture
def due(lock):
    """``due(members)``: what each may withdraw."""
    return lambda *members: [lock.withdrawableOf(member.address) for member in members]


def test_close__given_other_state__reverts(
    answered, choose, select, close, market, refuses, processor, outsider, broadcast
):
    closed = broadcast()
    select(answered, [choose(answered, processor)], value=10**15)
    close(closed)
    for broadcast_id, state in ((answered.id, 2), (closed.id, 3), (money.NOTHING, 0)):
        with refuses("DataMarket_WrongState", broadcast_id, state):
            market.close(broadcast_id, {"from": outsider})


def test_close__when_select_by_is_not_reached__reverts(answered, close, refuses):
    by = answered.conditions.select_by
    with refuses("DataMarket_TooEarly", answered.id, by, by - 1):
        close(answered, -1)


@pytest.mark.parametrize("late", [0, 1])
def test_close__given_no_response__returns_the_deposit(
    broadcast, close, market, lock, due, buyer, only_event, late
):
    ad = broadcast()
    tx = close(ad, late)
    assert market.broadcastOf(ad.id)[1] == 3
    assert due(buyer) == [APPLICATION_WEI]
    assert (lock.applicationOf(ad.id), lock.liabilitiesWei()) == (0, BONDS_WEI + APPLICATION_WEI)
    event = only_event(tx, "BroadcastClosed")
    assert (bytes(event["broadcastId"]), event["standingResponders"]) == (ad.id, 0)


def test_close__given_responders__shares_the_deposit(
    answered, close, lock, due, buyer, processor, processor_two, only_event
):
    tx = close(answered)
    half = APPLICATION_WEI // 2
    assert due(processor, processor_two, buyer) == [half, half, APPLICATION_WEI - 2 * half]
    assert APPLICATION_WEI % 2 == 1  # so that there is a remainder
    assert lock.applicationOf(answered.id) == 0
    assert lock.balance() == lock.liabilitiesWei() == BONDS_WEI + APPLICATION_WEI
    assert only_event(tx, "BroadcastClosed")["standingResponders"] == 2


@pytest.mark.parametrize("way", ["withdrew", "revoked"])
def test_close__given_one_left__pays_the_other_alone(
    answered, close, market, due, buyer, processor, processor_two, revoke, only_event, way
):
    if way == "withdrew":
        market.withdrawResponse(answered.id, {"from": processor.account})
    else:
        revoke(processor)
    tx = close(answered)
    assert due(processor, processor_two, buyer) == [0, APPLICATION_WEI, 0]
    assert only_event(tx, "BroadcastClosed")["standingResponders"] == 1


def test_close__given_all_left__returns_the_deposit(
    answered, close, market, due, buyer, processor, processor_two, revoke
):
    market.withdrawResponse(answered.id, {"from": processor.account})
    revoke(processor_two)
    close(answered)
    assert due(processor, processor_two, buyer) == [0, 0, APPLICATION_WEI]


def test_close__given_revoked_requester__returns_the_deposit(
    answered, close, due, buyer, processor, processor_two, revoke
):
    revoke(buyer)
    close(answered)
    assert due(processor, processor_two, buyer) == [0, 0, APPLICATION_WEI]


HALF = APPLICATION_WEI // 2
NEEDED_WEI = money.bond_of(OFFER_WEI)


def take(lock, member, amount_wei):
    lock.takeBond(amount_wei, {"from": member.account})


@pytest.mark.parametrize("surplus", [-1, 0, 1])
def test_close__given_bond_at_the_edge__counts_what_is_covered(
    broadcast, respond, close, lock, due, buyer, processor, processor_two, only_event, surplus, at,
    now,
):  # fmt: skip
    take(lock, processor, BOND_WEI - NEEDED_WEI - surplus)
    taken_wei = lock.withdrawableOf(processor.address)
    at(now() + 5)
    ad = broadcast()
    respond(ad, processor, price=OFFER_WEI)
    respond(ad, processor_two, price=OFFER_WEI)
    tx = close(ad)
    shares = due(processor, processor_two, buyer)
    shares[0] -= taken_wei
    expected = [0, APPLICATION_WEI, 0] if surplus < 0 else [HALF, HALF, APPLICATION_WEI % 2]
    assert shares == expected
    assert only_event(tx, "BroadcastClosed")["standingResponders"] == (1 if surplus < 0 else 2)


@pytest.mark.parametrize("late, counts", [(-1, True), (0, True), (1, False)])
def test_close__given_bond_added_late__counts_what_stood_at_the_response(
    broadcast, respond, close, lock, due, processor, processor_two, at, now, late, counts
):
    take(lock, processor, BOND_WEI)
    at(now() + 5)
    ad = broadcast()
    respond(ad, processor_two)
    moment = now() + 10
    steps = [
        (moment, lambda: respond(ad, processor)),
        (moment + late, lambda: money.put_up(lock, processor, amount_wei=BOND_WEI)),
    ]
    for when, step in sorted(steps, key=lambda step: step[0]):
        at(when)
        step()
    close(ad)
    assert due(processor, processor_two) == [
        BOND_WEI + (HALF if counts else 0),
        HALF if counts else APPLICATION_WEI,
    ]


@pytest.fixture
def chosen_elsewhere(broadcast, respond, choose, select, processor, lock, buyer):
    """``chosen_elsewhere(price)``: processor's lock of another broadcast, selected now; its id."""

    def make(price):
        other = broadcast()
        respond(other, processor, price=price)
        choice = choose(other, processor)
        select(other, [choice], value=price)
        return money.id_of(lock, buyer, choice[5])

    return make


@pytest.mark.parametrize("short", [1, 0])
def test_close__given_bond_held_elsewhere__pays_the_other_alone(
    broadcast, respond, chosen_elsewhere, close, lock, due, processor, processor_two, at, now, short
):
    left_wei = 2 * NEEDED_WEI - short  # enough for either, not for both
    take(lock, processor, BOND_WEI - left_wei)
    at(now() + 5)
    ad = broadcast()
    respond(ad, processor, price=OFFER_WEI)
    respond(ad, processor_two, price=OFFER_WEI)
    chosen_elsewhere(OFFER_WEI)
    assert lock.bondOf(processor.address)["freeWei"] == NEEDED_WEI - short
    close(ad)
    taken_wei = BOND_WEI - left_wei
    expected = [taken_wei, APPLICATION_WEI] if short else [taken_wei + HALF, HALF]
    assert due(processor, processor_two) == expected


def test_close__given_lock_declined_elsewhere__pays_both(
    answered, chosen_elsewhere, close, lock, due, processor, processor_two
):
    """A buyer cannot take a node's other deposits by making it decline."""
    lock_id = chosen_elsewhere(OFFER_WEI)
    lock.decline(lock_id, money.NOT_SERVED, {"from": processor.account})
    assert lock.bondOf(processor.address)["freeWei"] == BOND_WEI
    close(answered)
    assert due(processor, processor_two) == [HALF, HALF]


@pytest.mark.parametrize("short", [1, 0])
def test_close__given_bond_declined_free__counts_what_was_not_tied(
    broadcast, respond, chosen_elsewhere, close, lock, due, processor, processor_two, at, now, short
):
    """A bond tied elsewhere and freed by declining does not back what was offered before."""
    left_wei = 2 * NEEDED_WEI - short
    take(lock, processor, BOND_WEI - left_wei)
    at(now() + 5)
    ad = broadcast()
    respond(ad, processor, price=OFFER_WEI)
    respond(ad, processor_two, price=OFFER_WEI)
    at(now() + 5)  # in the second of the response it would still count
    lock_id = chosen_elsewhere(OFFER_WEI)
    lock.decline(lock_id, money.NOT_SERVED, {"from": processor.account})
    assert lock.bondOf(processor.address)["freeWei"] == left_wei
    close(ad)
    taken_wei = BOND_WEI - left_wei
    expected = [taken_wei, APPLICATION_WEI] if short else [taken_wei + HALF, HALF]
    assert due(processor, processor_two) == expected


def test_close__given_lock_settled_elsewhere__pays_both(
    answered, chosen_elsewhere, close, lock, due, processor, processor_two, group, data_set, relayer
):
    lock_id = chosen_elsewhere(OFFER_WEI)
    dealt = sharing.deal(data_set.key, threshold=2, delivery_keys=group.keys)
    words = money.transcript_words(dealt)
    leave = money.sign_delivery(lock, processor, lock_id, group, words)
    lock.deliver(lock_id, group.accounts, group.key_words, *words, leave, {"from": relayer})
    earned_wei = lock.withdrawableOf(processor.address)
    assert earned_wei == OFFER_WEI - money.fee_of(OFFER_WEI)
    close(answered)
    assert due(processor, processor_two) == [earned_wei + HALF, HALF]


@pytest.mark.parametrize(
    "when, counts",
    [
        ("a second before", True),
        ("the same second", True),
        ("a second after", False),
        ("added again", False),
        ("at the end", False),
    ],
)
def test_close__given_bond_taken__counts_who_left_it_alone(
    broadcast, respond, close, lock, due, processor, processor_two, at, now, when, counts
):
    ad = broadcast()
    respond(ad, processor_two, price=OFFER_WEI)
    moment = now() + 10
    if when in ("a second before", "the same second"):
        at(moment - (when == "a second before"))
        take(lock, processor, 1)
    at(moment)
    respond(ad, processor, price=OFFER_WEI)
    if when in ("a second after", "added again"):
        at(moment + 1)
        take(lock, processor, 1)
    if when == "added again":
        lock.addBond(processor.address, {"from": processor.account, "value": 1})
    if when == "at the end":
        at(ad.conditions.select_by - 1)
        take(lock, processor, 1)
    close(ad)
    shares = due(processor, processor_two)
    assert shares == ([1 + HALF, HALF] if counts else [1, APPLICATION_WEI])


@pytest.mark.parametrize("why", ["its time", "retired"])
@pytest.mark.parametrize("late, counts", [(-1, False), (0, True), (1, True)])
def test_close__given_sale_ended__counts_what_was_on_sale_until_select_by(
    broadcast, respond, market, data_sets, due, processor, processor_two, outsider, at, why, late,
    counts,
):  # fmt: skip
    ad = broadcast()
    moment = ad.conditions.select_by + late
    sale_until = moment if why == "its time" else None
    it = money.publish(data_sets, processor, sale_until=sale_until)
    respond(ad, processor, data_set_id=it.data_set_id)
    respond(ad, processor_two)
    if why == "retired":
        at(moment)
        data_sets.retire(it.data_set_id, {"from": processor.account})
    at(ad.conditions.select_by + 5)
    tx = market.close(ad.id, {"from": outsider})
    expected = [HALF, HALF] if counts else [0, APPLICATION_WEI]
    assert due(processor, processor_two) == expected
    assert tx.events["BroadcastClosed"]["standingResponders"] == (2 if counts else 1)


def test_close__given_later_rules__counts_by_the_offers(
    broadcast, respond, close, lock, due, processor, processor_two, govern, catalogue, at, now
):
    # The node's bond covers 80 percent of its offer, which was asked for when it responded.
    take(lock, processor, BOND_WEI - NEEDED_WEI)
    taken_wei = BOND_WEI - NEEDED_WEI
    at(now() + 5)
    ad = broadcast()
    respond(ad, processor, price=OFFER_WEI)
    respond(ad, processor_two, price=OFFER_WEI)
    govern(catalogue, "setRules", astuple(replace(money.RULES, bond_bps=8_001)))
    close(ad)
    assert due(processor, processor_two) == [taken_wei + HALF, HALF]


STOP_S = 2 * DAY + 7 * DAY  # the delay, and a week


@pytest.mark.parametrize(
    "begins, shared",
    [
        ("ends with respondBy", True),
        ("ends a second before half of the time", True),
        ("ends with half of the time", False),
        ("in between", False),
        ("half of the time before selectBy", False),
        ("a second later", True),
        ("a second before selectBy", True),
        ("with selectBy", True),
        ("after selectBy", True),
    ],
)
def test_close__given_the_stop__returns_the_deposit_if_it_took_half_of_the_time(
    broadcast, respond, market, lock, registry, due, buyer, processor, processor_two, outsider,
    impersonate, consortium, at, now, begins, shared,
):  # fmt: skip
    begin = now()
    ad = broadcast(respond_by=begin + 10 * DAY, select_by=begin + 20 * DAY)
    for member in (processor, processor_two):
        respond(ad, member, price=OFFER_WEI)
    respond_by, select_by = ad.conditions.respond_by, ad.conditions.select_by
    half = (select_by - respond_by) // 2
    at(
        {
            "ends with respondBy": respond_by - STOP_S,
            "ends a second before half of the time": respond_by + half - STOP_S - 1,
            "ends with half of the time": respond_by + half - STOP_S,
            "in between": respond_by + DAY,
            "half of the time before selectBy": select_by - half,
            "a second later": select_by - half + 1,
            "a second before selectBy": select_by - 1,
            "with selectBy": select_by,
            "after selectBy": select_by + DAY,
        }[begins]
    )
    registry.stopBeginnings({"from": impersonate(consortium)})
    at(max(select_by, now()) + 1)
    market.close(ad.id, {"from": outsider})
    rest = [HALF, HALF, APPLICATION_WEI - 2 * HALF] if shared else [0, 0, APPLICATION_WEI]
    assert due(processor, processor_two, buyer) == rest


def test_close__given_an_earlier_stop__remembers_it(
    broadcast, respond, market, registry, due, buyer, processor, outsider, impersonate, consortium,
    at, now,
):  # fmt: skip
    """Closed late, after another stop: the one that kept the buyer from selecting counts."""
    ruler, begin = {"from": impersonate(consortium)}, now()
    ad = broadcast(respond_by=begin + DAY, select_by=begin + 12 * DAY)
    respond(ad, processor, price=OFFER_WEI)
    at(begin + 2 * DAY)
    registry.stopBeginnings(ruler)
    at(registry.stoppedUntil() + 30 * DAY)
    registry.rearmStop(ruler)
    registry.stopBeginnings(ruler)
    market.close(ad.id, {"from": outsider})
    assert due(processor, buyer) == [0, APPLICATION_WEI]


def test_close__given_full_form__pays_the_active(full_form, close, lock, buyer, only_event):
    tx = close(full_form.ad)
    part = APPLICATION_WEI // 8
    active = {member.address for member in full_form.active.values()}
    for address in full_form.accounts:
        assert lock.withdrawableOf(address) == (part if address in active else 0)
    assert lock.withdrawableOf(buyer.address) == APPLICATION_WEI - 8 * part
    assert only_event(tx, "BroadcastClosed")["standingResponders"] == 8
    print(f"gas close (form of 16, 8 active): {tx.gas_used}")
    assert tx.gas_used < 1_000_000
