"""DataMarket.broadcast (broadcast.tree)."""

from dataclasses import astuple

import broadcasts
import money
import pytest
from brownie import DataMarket, RequestCatalogue
from members import region_id
from money import APPLICATION_WEI, DAY
from reading import plain

from tests.contracts.DataMarket.conftest import BONDS_WEI

SIXTEEN = tuple(sorted(region_id(f"region {i:02}") for i in range(16)))
NORTH = region_id("north")


def test_broadcast__when_caller_is_no_active_sharer__reverts(
    send_broadcast, some_conditions, refuses, outsider, processor, meter_owner, buyer, revoke
):
    for sender in (outsider, processor, meter_owner):
        with refuses("DataMarket_NotSharer", sender.address):
            send_broadcast(some_conditions, by=sender)
    revoke(buyer)
    with refuses("DataMarket_NotSharer", buyer.address):
        send_broadcast(some_conditions)


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("window", {"window_from": 5, "window_to": 5}),
        ("window", {"window_from": 6, "window_to": 5}),
        ("group", {"threshold": 1}),
        ("group", {"threshold": 4}),
        ("group", {"group_size": 1, "threshold": 1}),
        ("group", {"group_size": 101}),
        ("maxPriceWei", {"max_price_wei": 0}),
        ("selectBy", {"select_by": 0}),
        ("openings", {"openings_length": 0}),
        ("openings", {"openings_length": money.MAX_SEALED_BYTES + 1}),
        ("openings", {"openings_digest": money.NOTHING}),
        ("purpose", {"purpose": b""}),
        ("purpose", {"purpose": 257 * b"a"}),
        ("purpose", {"purpose": 257 * b"\xff"}),
        ("regions", {"regions": ()}),
        ("regions", {"regions": (money.NOTHING, NORTH)}),
        ("regions", {"regions": (NORTH, NORTH)}),
        ("regions", {"regions": tuple(reversed(SIXTEEN))}),
        ("regions", {"regions": tuple(sorted((*SIXTEEN, NORTH)))}),
    ],
)
def test_broadcast__when_field_is_out_of_range__reverts(
    send_broadcast, some_conditions, refuses, field, changed
):
    with refuses("DataMarket_BadConditions", field):
        send_broadcast(some_conditions._replace(**changed))


def test_broadcast__when_deadline_is_a_second_off__reverts(
    send_broadcast, some_conditions, refuses, at, now
):
    begin = now() + 10
    for field, response_s, selection_s in (
        ("respondBy", 59, 100),
        ("selectBy", 60, 60),
        ("selectBy", 60, 90 * DAY + 1),
    ):
        changed = {"respond_by": begin + response_s, "select_by": begin + selection_s}
        at(begin)
        with refuses("DataMarket_BadConditions", field):
            send_broadcast(some_conditions._replace(**changed))
        begin += 1


@pytest.mark.parametrize(
    "changed",
    [
        {"window_from": 5, "window_to": 6},
        {"group_size": 2, "threshold": 2},
        {"group_size": 100, "threshold": 100},
        {"max_price_wei": 1},
        {"openings_length": money.MAX_SEALED_BYTES},
        {"openings_length": 1},
        {"purpose": b"a"},
        {"purpose": 256 * b"\xff"},
        {"kind": 255},
        {"regions": SIXTEEN},
        {"regions": (NORTH,)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_broadcast__when_fields_are_at_the_edge__takes_the_deposit(
    send_broadcast, some_conditions, lock, at, now, changed
):
    begin = now() + 10
    deadlines = {"respond_by": begin + 60, "select_by": begin + 90 * DAY}
    at(begin)
    send_broadcast(some_conditions._replace(**{**deadlines, **changed}))
    assert lock.liabilitiesWei() == BONDS_WEI + APPLICATION_WEI


def test_broadcast__given_no_terms__reverts(
    some_conditions, reverts_with, deployer, registry, data_sets, credit, lock, buyer, consortium
):
    empty = RequestCatalogue.deploy(consortium, astuple(money.RULES), {"from": deployer})
    market = DataMarket.deploy(registry, empty, data_sets, credit, lock, {"from": deployer})
    for value in (0, APPLICATION_WEI):
        with reverts_with("DataMarket_BadConditions", "terms"):
            market.broadcast(some_conditions, {"from": buyer.account, "value": value})


@pytest.mark.parametrize("value", [0, APPLICATION_WEI - 1, APPLICATION_WEI + 1])
def test_broadcast__when_value_is_not_the_deposit__reverts(
    send_broadcast, some_conditions, refuses, value
):
    with refuses("DataMarket_WrongValue", value, APPLICATION_WEI):
        send_broadcast(some_conditions, value=value)


def test_broadcast__given_same_conditions__reverts(
    send_broadcast, broadcast, market, refuses, at, outsider, buyer, buyer_two
):
    ad = broadcast()
    with refuses("DataMarket_Repeated", ad.id):
        send_broadcast(ad.conditions)
    send_broadcast(ad.conditions, by=buyer_two)
    for changed in ({"nonce": money.NOTHING}, {"purpose": b"Another"}, {"openings_length": 7}):
        other = ad.conditions._replace(**changed)
        send_broadcast(other)
        assert market.broadcastOf(broadcasts.id_of(market, buyer, other))[1] == 1
    select_by = ad.conditions.select_by
    late = ad.conditions._replace(respond_by=select_by + 100, select_by=select_by + 200)
    send_broadcast(late)
    at(select_by)
    market.close(ad.id, {"from": outsider})
    with refuses("DataMarket_Repeated", broadcasts.id_of(market, buyer, late)):
        send_broadcast(late)
    at(late.select_by)
    market.close(broadcasts.id_of(market, buyer, late), {"from": outsider})


def test_broadcast__when_everything_holds__stores_and_emits(
    send_broadcast, some_conditions, market, lock, buyer, only_event
):
    before = buyer.account.balance()
    tx = send_broadcast(some_conditions)
    broadcast_id = broadcasts.id_of(market, buyer, some_conditions)
    assert bytes(tx.return_value) == broadcast_id
    requester, state, stored = market.broadcastOf(broadcast_id)
    assert (requester, state) == (buyer.address, 1)
    event = only_event(tx, "Broadcast")
    assert plain(event["conditions"]) == plain(tuple(some_conditions))
    assert plain(stored) == plain((*some_conditions[:8], some_conditions.regions))
    assert bytes(event["broadcastId"]) == broadcast_id
    assert (event["requester"], event["applicationWei"]) == (buyer.address, APPLICATION_WEI)
    assert buyer.account.balance() == before - APPLICATION_WEI
    assert lock.applicationOf(broadcast_id) == APPLICATION_WEI
    assert lock.balance() == lock.liabilitiesWei() == BONDS_WEI + APPLICATION_WEI
    assert market.balance() == 0


def test_broadcast__when_everything_holds__stays_within_gas(send_broadcast, some_conditions):
    used = [
        send_broadcast(some_conditions._replace(nonce=bytes([i] * 32))).gas_used for i in (1, 2)
    ]
    print(f"gas broadcast (2 regions): {used}")
    assert max(used) <= 188_000
