"""DataMarket's views, its wiring, and ether that comes uninvited."""

import broadcasts
import money
from brownie import DataMarket
from members import NOBODY


def test_broadcast_id_of__given_requester_and_conditions__is_the_hash_of_the_interface(
    market, buyer, buyer_two, some_conditions
):
    for requester in (buyer, buyer_two):
        for changed in ({}, {"purpose": 100 * b"\xff\x00"}, {"regions": ()}):
            conditions = some_conditions._replace(**changed)
            found = bytes(market.broadcastIdOf(requester.address, conditions))
            assert found == broadcasts.id_of(market, requester, conditions)


def test_broadcast_of__given_unknown_broadcast__is_empty(market):
    requester, state, wanted = market.broadcastOf(money.NOTHING)
    assert (requester, state) == (NOBODY, 0)
    assert not any(wanted)
    assert len(market.formOf(money.NOTHING)) == 0


def test_constructor__given_the_system__keeps_its_parts(
    market, registry, catalogue, data_sets, credit, lock
):
    assert market.registry() == registry
    assert market.catalogue() == catalogue
    assert market.dataSets() == data_sets
    assert market.credit() == credit
    assert market.prepaidLock() == lock


def test_constructor__given_a_missing_part__reverts(
    reverts_with, deployer, registry, catalogue, data_sets, credit, lock, outsider
):
    parts = [registry, catalogue, data_sets, credit, lock]
    for i in range(3):
        wrong = [*parts[:i], outsider, *parts[i + 1 :]]
        with reverts_with("Wiring_NoContract", outsider):
            DataMarket.deploy(*wrong, {"from": deployer})
    for i in (3, 4):
        wrong = [*parts[:i], NOBODY, *parts[i + 1 :]]
        with reverts_with("Wiring_ZeroAddress"):
            DataMarket.deploy(*wrong, {"from": deployer})


def test_receive__when_ether_is_sent_plainly__reverts(market, outsider, reverts_with):
    with reverts_with(None):
        outsider.transfer(market, 1)
    assert market.balance() == 0
