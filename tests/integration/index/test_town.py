"""The tables of a town on a real chain, beside the contracts' views, through reorganisations."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.index.asked import locks as asked_locks
from offchain.index.asked import members as asked_members
from offchain.index.asked.rows import rows, said
from offchain.index.chain_index import ChainIndex
from offchain.index.tables import projected
from offchain.member.roles import MemberRole
from tests.integration.buyer.test_sharing import call_for_data, select_both
from tests.integration.index.views import require_views
from tests.integration.node.test_requests import ask
from tests.integration.town import Town

_BACK = 4  # the final block lies so deep


def _lively(town: Town) -> None:
    """Requests answered, rejected and left alone, a data set sold, drawn and retired, consents, a
    bond.
    """
    north = town.houses[0]
    _sell(town)
    for _ in range(2):
        ask(north)
        north.node.worker.run_once()
    ask(town.houses[1])
    north.household.consents.withdraw(north.device.address)
    ask(town.houses[2])
    town.houses[2].node.worker.run_once()
    north.node.worker.bond.take(1_000)
    north.node.worker.withdraw()
    for _ in range(2):
        town.admin.append_tariff("north", "household", (b"\7" * 32, 5, 0))
        slots = (b"\7" * 32, 0, 900, 900)
        town.admin.publish_series("north", "spot", slots)
    town.admin.set_type(3, name="forecast", price_wei=7, shortest_s=120)
    town.anvil.mine(_BACK)


def _sell(town: Town) -> None:
    node, house = town.nodes[0], town.houses[0]
    node.publisher.publish(*house.window)
    for _ in range(2):
        broadcast_id = call_for_data(town)
        node.worker.run_once()
        select_both(town, broadcast_id)
        node.worker.run_once()
        house.household.sales.draw()
    town.houses[2].household.sales.draw()


def dump(index: ChainIndex, block: int) -> dict[str, list[str]]:
    return {
        table.name: sorted(
            repr({k: v for k, v in row.items() if k != "to_block"})
            for row in rows(index, said(table, block))
        )
        for table in projected()
    }


def test_tables__of_a_town__say_what_the_contracts_say(fresh: Town) -> None:
    _lively(fresh)
    index = fresh.index
    newest = index.follower.catch_up()
    assert newest == fresh.houses[0].gateway.block_number()
    assert require_views(index, fresh.houses[0].gateway, newest) > 40
    require_views(index, fresh.houses[0].gateway, newest - _BACK)


@pytest.mark.parametrize("depth", [1, 2, 5, 11, 20])
def test_tables__after_a_reorganisation__are_those_of_a_fresh_catch_up_and_of_the_contracts(
    fresh: Town, depth: int, tmp_path: Path
) -> None:
    house, index = fresh.houses[0], fresh.index
    fresh.anvil.mine(depth)  # it must not reach behind the fixture's snapshot
    index.follower.catch_up()
    _lively(fresh)
    index.follower.catch_up()
    fresh.anvil.reorg(depth)
    ask(house)
    fresh.anvil.mine()
    newest = index.follower.catch_up()
    with ChainIndex(tmp_path / "fresh.sqlite", house.gateway) as anew:
        assert anew.follower.catch_up() == newest
        for block in (newest, newest - _BACK):
            require_views(index, house.gateway, block)
            assert dump(index, block) == dump(anew, block)


def test_asked__of_a_town__finds_who_and_what_there_is(fresh: Town) -> None:
    house, index = fresh.houses[0], fresh.index
    lock_id = ask(house)
    newest = index.follower.catch_up()
    assert asked_locks.of_payer(index, house.keys.address, newest)[-1]["lock_id"] == lock_id
    waiting = asked_locks.waiting(index, house.node.keys.address, newest)
    assert lock_id in [one["lock_id"] for one in waiting]
    devices = asked_members.devices_of(index, house.keys.address, newest)
    assert devices == [house.device.address]
    sharers = asked_members.active(index, MemberRole.SHARER, newest)
    assert [one["account"] for one in sharers] == [one.keys.address for one in fresh.buyers]
    house.node.worker.run_once()
    newest = index.follower.catch_up()
    assert lock_id not in [
        one["lock_id"]
        for one in asked_locks.waiting(index, house.node.keys.address, newest)
        if one["state"] == 1
    ]
    names = [one.name for one in asked_locks.steps(index, lock_id, newest)]
    assert names[:3] == ["Requested", "Accepted", "Claimed"]
