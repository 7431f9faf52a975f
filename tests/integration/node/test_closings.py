"""A responder closes what nobody selected, when it is due: no buyer chooses the moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.errors import NodeRefused
from offchain.chain.gateway import ChainGateway
from offchain.chain.sender import Sender
from offchain.member.roles import BroadcastState
from offchain.node import closings
from tests.integration.buyer.test_sharing import call_for_data, publish_both, select_both
from tests.integration.node import test_crashes, test_reorganisations
from tests.integration.node.test_bonds import poor
from tests.integration.node.test_reorganisations import FINAL, count, work
from tests.integration.town import (
    APPLICATION_WEI,
    DATA_SET_PRICE_WEI,
    SHORTEST_S,
    Node,
    Town,
    found,
)

RESPOND_S = 600
impatient = test_reorganisations.impatient
deep, north, node_keys = (
    test_reorganisations.deep,
    test_reorganisations.north,
    test_crashes.node_keys,
)


def answered(town: Town) -> tuple[bytes, int]:
    """A broadcast that both nodes answered, and its selectBy."""
    publish_both(town)
    broadcast_id = call_for_data(town, respond_s=RESPOND_S)
    for node in town.nodes:
        assert "responded" in [one.kind for one in node.worker.run_once()]
    return broadcast_id, select_by(town, broadcast_id)


def select_by(town: Town, broadcast_id: bytes) -> int:
    return town.nodes[0].gateway.call("DataMarket", "broadcastOf", broadcast_id).wanted.selectBy


def state_of(town: Town, broadcast_id: bytes) -> BroadcastState:
    found = town.nodes[0].gateway.call("DataMarket", "broadcastOf", broadcast_id)
    return BroadcastState(found.state)


def owed_wei(gateway: ChainGateway, account: str) -> int:
    return int(gateway.call("PrepaidLock", "withdrawableOf", account))


def closes(gateway: ChainGateway, broadcast_id: bytes) -> int:
    return count(gateway, "DataMarket", "BroadcastClosed", broadcastId=broadcast_id)


def test_run_once__given_nobody_selected__closes_at_select_by_and_not_before(fresh: Town) -> None:
    broadcast_id, at = answered(fresh)
    first, second = fresh.nodes
    before = [owed_wei(node.gateway, node.keys.address) for node in fresh.nodes]

    fresh.anvil.stand_at(at - 2)
    assert first.worker.run_once() == []
    fresh.anvil.stand_at(at)
    (closed,) = first.worker.run_once()

    assert (closed.kind, closed.id) == ("closed", broadcast_id)
    assert f"{APPLICATION_WEI // 2} wei" in closed.detail
    assert state_of(fresh, broadcast_id) is BroadcastState.CLOSED
    after = [owed_wei(node.gateway, node.keys.address) for node in fresh.nodes]
    assert after == [wei + APPLICATION_WEI // 2 for wei in before]
    assert first.worker.run_once() == second.worker.run_once() == []
    for node in fresh.nodes:
        assert broadcast_id not in node.held.unended_responses()


def test_run_once__given_bond_held_until_a_lock_ends__frees_it_before_the_close(
    fresh: Town,
) -> None:
    """Else the close would come while the offer is not covered, and give the node nothing."""
    fresh.admin.set_sharing_terms(
        application_wei=APPLICATION_WEI, shortest_s=SHORTEST_S, dispute_window_s=RESPOND_S
    )
    publish_both(fresh)
    node = fresh.nodes[0]
    bond = node.worker.bond
    bond.take(bond.state().free_wei - DATA_SET_PRICE_WEI)
    fresh.anvil.warp(1)  # what is freed in the second of an offer counts against it
    worker = poor(fresh, node)
    sold = call_for_data(fresh)
    worker.run_once()
    broadcast_id = call_for_data(fresh, respond_s=RESPOND_S)
    worker.run_once()
    select_both(fresh, sold)
    assert "delivered" in [one.kind for one in worker.run_once()]
    assert bond.state().free_wei == 0
    fresh.anvil.stand_at(select_by(fresh, broadcast_id))

    settled, closed = worker.run_once()

    assert (settled.kind, closed.kind, closed.id) == ("settled", "closed", broadcast_id)
    assert closed.detail.startswith(f"{APPLICATION_WEI} wei")


def test_run_once__given_a_selection__leaves_the_broadcast(fresh: Town) -> None:
    broadcast_id, at = answered(fresh)
    select_both(fresh, broadcast_id)
    node = fresh.nodes[0]
    node.worker.run_once()
    fresh.anvil.stand_at(at)

    assert node.worker.run_once() == []
    assert broadcast_id not in node.held.unended_responses()
    assert state_of(fresh, broadcast_id) is BroadcastState.SELECTED


def test_run_once__given_its_response_withdrawn__leaves_the_close_to_others(fresh: Town) -> None:
    broadcast_id, at = answered(fresh)
    first, second = fresh.nodes
    first.gateway.transact("DataMarket", "withdrawResponse", broadcast_id)
    fresh.anvil.stand_at(at)

    assert first.worker.run_once() == []
    assert broadcast_id not in first.held.unended_responses()
    (closed,) = second.worker.run_once()
    assert f"{APPLICATION_WEI} wei" in closed.detail


def test_close__given_two_nodes_at_once__counts_once_and_is_no_failure(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have called it dry before either sends: one of the two is mined and reverts."""
    broadcast_id, at = answered(fresh)
    fresh.anvil.stand_at(at)
    together, send = threading.Barrier(2, timeout=30), Sender.send

    def send_together(self: Sender, *args: Any, **kwargs: Any) -> Any:
        together.wait()
        return send(self, *args, **kwargs)

    monkeypatch.setattr(Sender, "send", send_together)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda node: node.worker.run_once(), fresh.nodes))

    assert sorted(one.kind for outcomes in both for one in outcomes) == ["closed", "skipped"]
    assert closes(fresh.nodes[0].gateway, broadcast_id) == 1
    assert [node.worker.run_once() for node in fresh.nodes] == [[], []]


def test_run_once__given_one_close_that_fails__closes_the_others(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, _ = answered(fresh)
    good, at = answered_again(fresh)
    node = fresh.nodes[0]
    fresh.anvil.stand_at(at)
    transact = node.gateway.transact

    def refuse_one(contract: str, function: str, *args: Any, **kwargs: Any) -> Any:
        if function == "close" and args[0] == bad:
            raise NodeRefused("eth_call", -32000, "insufficient funds for gas")
        return transact(contract, function, *args, **kwargs)

    with monkeypatch.context() as failing:
        failing.setitem(vars(node.gateway), "transact", refuse_one)
        kinds = {one.id: one.kind for one in node.worker.run_once()}

    assert kinds == {bad: "failed", good: "closed"}
    assert [one.id for one in node.worker.run_once()] == [bad]


def answered_again(town: Town) -> tuple[bytes, int]:
    broadcast_id = call_for_data(town, respond_s=RESPOND_S)
    for node in town.nodes:
        node.worker.run_once()
    return broadcast_id, select_by(town, broadcast_id)


def test_closable__given_more_than_a_poll_looks_at__comes_to_each_in_turn(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = fresh.nodes[0]
    for one in node.held.unended_responses():  # of other tests, whose chain was taken back
        node.held.end_broadcast(one)
    ids = [answered(fresh)[0]]
    for _ in range(2):
        broadcast_id, at = answered_again(fresh)
        ids.append(broadcast_id)
    fresh.anvil.stand_at(at)
    monkeypatch.setattr(closings, "MOST_LOOKED_AT", 2)

    seen = [
        found(node.worker.market.closable) for _ in range(2)
    ]  # the clock stands still between them

    assert all(len(each) <= 2 for each in seen)
    assert set(ids) == {one for each in seen for one in each}


@pytest.mark.parametrize("step", ["respond:sent", "close:sent"])
@pytest.mark.parametrize("with_outbox", [False, True])
def test_worker__given_crash_around_response_or_close__closes_once(
    fresh: Town, node_keys: Path, tmp_path: Path, step: str, with_outbox: bool
) -> None:
    node = fresh.nodes[0]
    outbox = str(tmp_path / "outbox.sqlite") if with_outbox else None
    publish_both(fresh)
    broadcast_id = call_for_data(fresh)
    at_response, at_close = (step, None) if step.startswith("respond") else (None, step)

    test_crashes.run(fresh, node, node_keys, crash_at=at_response, outbox=outbox)
    test_crashes.run(fresh, node, node_keys, outbox=outbox)
    fresh.anvil.stand_at(select_by(fresh, broadcast_id))
    test_crashes.run(fresh, node, node_keys, crash_at=at_close, outbox=outbox)
    test_crashes.run(fresh, node, node_keys, outbox=outbox)

    assert count(node.gateway, "DataMarket", "Responded", broadcastId=broadcast_id) == 1
    assert closes(node.gateway, broadcast_id) == 1
    assert broadcast_id not in node.held.unended_responses()


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_market__close_taken_off__is_sent_again_and_let_go_when_final(
    fresh: Town, north: Node, depth: int
) -> None:
    fresh.anvil.mine(FINAL)
    north.publisher.publish(*fresh.houses[0].window)
    broadcast_id = call_for_data(fresh)
    fresh.anvil.mine(FINAL)
    assert "responded" in [one.kind for one in north.worker.run_once()]
    fresh.anvil.stand_at(select_by(fresh, broadcast_id))
    fresh.anvil.mine(FINAL)

    outcomes = work(
        fresh,
        north.worker,
        depth=depth,
        until=lambda: broadcast_id not in north.held.unended_responses(),
    )

    assert [one.kind for one in outcomes if one.id == broadcast_id].count("failed") == 0
    assert closes(north.gateway, broadcast_id) == 1
    final = north.gateway.call(
        "DataMarket", "broadcastOf", broadcast_id, block=north.gateway.final()
    )
    assert BroadcastState(final.state) is BroadcastState.CLOSED
