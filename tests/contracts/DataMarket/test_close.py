"""DataMarket.close: the application deposit's other endings (close.tree)."""

import money
import pytest
from money import APPLICATION_WEI


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
    assert (lock.applicationOf(ad.id), lock.liabilitiesWei()) == (0, APPLICATION_WEI)
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
    assert lock.balance() == lock.liabilitiesWei() == APPLICATION_WEI
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


def test_close__given_full_form__pays_the_active(full_form, close, lock, buyer, only_event):
    tx = close(full_form.ad)
    part = APPLICATION_WEI // 16
    active = {member.address for member in full_form.active.values()}
    for address in full_form.accounts:
        assert lock.withdrawableOf(address) == (part if address in active else 0)
    assert lock.withdrawableOf(buyer.address) == APPLICATION_WEI - 16 * part
    assert only_event(tx, "BroadcastClosed")["standingResponders"] == 16
    print(f"gas close (form of 32, 16 active): {tx.gas_used}")
