"""What a node owes behind T is done although its chain node is behind or refuses, its store was
lost, or blocks are taken off.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.chain.gateway import ChainGateway
from offchain.member.roles import LockState
from offchain.node.defence import DefenceDesk
from offchain.node.desk import NodeParts
from offchain.node.duty_tables import Duty
from offchain.node.outcome import NodeTerms
from offchain.node.tables import requests
from offchain.records.evidence import DataSetEvidence
from offchain.storage import open_copied_store
from tests.integration.node.test_unhealthy_chain import emit
from tests.integration.town import House, found

from .conftest import WINDOW_S, Court, answer_honestly
from .test_data_sets import deliver, secret_of
from .test_disputes import dispute, withhold

DEPTH = 3


def fall_behind(
    monkeypatch: pytest.MonkeyPatch, gateway: ChainGateway, block: int, times: int
) -> None:
    """Let the next reads of a lock show it as of an older block, as a node that is behind does."""
    honest, left = gateway.call, [times]

    def call(contract: str, function: str, *args: Any, **where: Any) -> Any:
        if function == "lockOf" and left[0]:
            left[0] -= 1
            where["block"] = block
        return honest(contract, function, *args, **where)

    monkeypatch.setattr(gateway, "call", call)


def desk_of(court: Court, house: House, *, confirmations: int) -> DefenceDesk:
    node = house.node
    parts = NodeParts(
        gateway=node.gateway,
        index=court.town.index,
        store=court.town.store,
        keys=node.keys,
        readings=node.held,
        directory=court.town.directory,
        terms=NodeTerms(data_set_price_wei=1, confirmations=confirmations),
    )
    return DefenceDesk(parts)


def demanded(court: Court, house: House) -> tuple[bytes, DefenceDesk]:
    """Return an answered lock that was just demanded, and a desk that believes what lies deep."""
    lock_id = answer_honestly(house)
    court.town.anvil.mine(DEPTH)
    desk = desk_of(court, house, confirmations=DEPTH)
    house.household.disputes.demand(lock_id)
    return lock_id, desk


def kinds(house: House) -> list[str]:
    return [one.kind for one in house.node.worker.run_once()]


# ---- a chain node that is behind


@pytest.mark.parametrize("times", [1, 2])
def test_serve__given_a_read_from_an_older_block__still_serves(
    court: Court, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    house = court.town.houses[0]
    lock_id = answer_honestly(house)
    older = house.gateway.block_number()
    house.household.disputes.demand(lock_id)
    fall_behind(monkeypatch, house.node.gateway, older, times)

    first, second = kinds(house), kinds(house)

    assert first + second == (["served"] if times == 1 else ["skipped", "served"])
    assert house.household.locks.lock(lock_id).state is LockState.CLAIMED
    assert house.node.held.duties(Duty.SERVE) == []


def test_reply__given_a_read_from_an_older_block__still_replies(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = court.town.houses[0]
    lock_id = answer_honestly(house)
    older = house.gateway.block_number()
    dispute(court, house, lock_id)
    fall_behind(monkeypatch, house.node.gateway, older, 1)

    assert [kinds(house), kinds(house)] == [["skipped"], ["replied"]]
    assert house.node.held.duties(Duty.REPLY) == []


def test_reply__given_delivery_read_from_an_older_block__still_replies(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = court.town.buyers[0]
    node, lock_id = deliver(court.town)
    older = node.gateway.block_number()
    prepared = buyer.disputes.prepare(lock_id, group_secret=secret_of(node, lock_id, buyer))
    buyer.disputes.dispute(replace(prepared, document=DataSetEvidence(secret=None)))
    fall_behind(monkeypatch, node.gateway, older, 1)

    done = [one.kind for _ in range(2) for one in node.worker.run_once()]

    assert done == ["skipped", "replied"]


# ---- blocks that are taken off


def test_serve__given_demand_in_the_newest_block__does_not_wait_for_depth(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id, desk = demanded(court, house)

    assert found(desk.demands) == [lock_id]
    assert desk.serve(lock_id).kind == "served"
    assert desk.serve(lock_id).kind == "skipped" and found(desk.demands) == [lock_id]
    town.anvil.mine(DEPTH)
    assert desk.serve(lock_id).kind == "skipped" and found(desk.demands) == []


def test_serve__given_served_and_taken_off__serves_again(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id, desk = demanded(court, house)
    found(desk.demands)
    assert desk.serve(lock_id).kind == "served"
    town.anvil.reorg(1)
    assert house.household.locks.lock(lock_id).state is LockState.DEMANDED

    assert found(desk.demands) == [lock_id]
    assert desk.serve(lock_id).kind == "served"
    assert house.household.locks.lock(lock_id).state is LockState.CLAIMED


def test_serve__given_demand_taken_off_and_mined_anew__serves_it(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id, desk = demanded(court, house)
    assert found(desk.demands) == [lock_id]
    town.anvil.reorg(1)

    assert found(desk.demands) == [lock_id] and desk.serve(lock_id).kind == "skipped"
    house.household.disputes.demand(lock_id)
    assert desk.serve(lock_id).kind == "served"


def test_serve__given_demand_taken_off_for_good__ends_with_the_lock(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id, desk = demanded(court, house)
    found(desk.demands)
    town.anvil.reorg(1)
    town.anvil.warp(WINDOW_S)
    house.node.worker.run_once()
    assert house.household.locks.lock(lock_id).state is LockState.SETTLED

    assert desk.serve(lock_id).kind == "skipped" and lock_id in found(desk.demands)
    town.anvil.mine(DEPTH)
    desk.serve(lock_id)
    assert found(desk.demands) == []


# ---- what was lost


def test_serve__given_store_without_the_answer__takes_it_from_the_content_store(
    court: Court,
) -> None:
    house = court.town.houses[0]
    lock_id = answer_honestly(house)
    answer = house.node.held.request(lock_id).answer
    house.household.disputes.demand(lock_id)
    house.node.held._run(requests.delete().where(requests.c.lock_id == lock_id))

    assert kinds(house) == ["served"]
    served = house.household.locks.event_of("Served", lock_id)
    assert bytes(served.args["answer"]) == answer


def test_reply__given_no_judge_with_a_key__puts_the_bytes_back_all_the_same(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    dispute(court, house, lock_id)
    answer = withhold(court, house, lock_id)
    registered = [town.directory.member(one.keys.address) for one in court.judges[:2]]
    files = [town.store.get(one.paillier_digest, max_bytes=1 << 20) for one in registered]
    for one in registered:
        town.store.unpin(one.paillier_digest)
    house.node.worker.defence._directory._keys.clear()  # what it has seen it knows

    outcomes = house.node.worker.run_once()

    for file in files:
        town.store.put(file)
    assert [one.kind for one in outcomes] == ["failed"]
    assert "judges can read evidence" in outcomes[0].detail
    digest = house.household.locks.lock(lock_id).answer_digest
    assert town.store.get(digest, max_bytes=len(answer)) == answer
    assert kinds(house) == ["replied"]


@pytest.mark.parametrize("which", ["manifest", "companion", "ciphertexts"])
def test_reply__given_data_set_gone_from_where_judges_look__puts_every_file_back(
    court: Court, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, which: str
) -> None:
    """The node has copies on its own machine; the judges' store has lost a file."""
    town, buyer = court.town, court.town.buyers[0]
    urls = [town.store_url, f"dir:{tmp_path / 'second'}"]
    with open_copied_store(urls, tmp_path / "own") as copied:
        monkeypatch.setattr(town.nodes[0].publisher, "_store", copied)
        monkeypatch.setattr(town.nodes[0].worker.defence, "_store", copied)
        node, lock_id = deliver(town)
        digest = lose(court, node, lock_id, which)

        assert [one.kind for one in node.worker.run_once()] == ["replied"]

    assert town.store.has(digest)
    assert court.step() == ["voted", "voted"]
    assert buyer.locks.lock(lock_id).state is LockState.SETTLED


def test_reply__given_file_that_nobody_has__goes_out_with_the_manifest(court: Court) -> None:
    node, lock_id = deliver(court.town)
    lost = [lose(court, node, lock_id, "companion")]
    manifest = node.held.data_set(court.town.buyers[0].locks.lock(lock_id).subject).manifest
    lost.append(court.town.store.put(manifest).digest)
    court.town.store.unpin(lost[1])

    assert [one.kind for one in node.worker.run_once()] == ["replied"]
    assert [court.town.store.has(one) for one in lost] == [False, True]


def lose(court: Court, node: Any, lock_id: bytes, which: str) -> bytes:
    """Dispute a delivery, and take one of its files out of the judges' store; return its digest."""
    buyer = court.town.buyers[0]
    secret = secret_of(node, lock_id, buyer)
    opened = buyer.data_sets.open(lock_id, group_secret=secret)
    digest = {
        "manifest": opened.published.manifest_digest,
        "companion": opened.manifest.companion.digest,
        "ciphertexts": opened.manifest.ciphertexts.digest,
    }[which]
    prepared = buyer.disputes.prepare(lock_id, group_secret=secret)
    buyer.disputes.dispute(replace(prepared, document=DataSetEvidence(secret=None)))
    court.town.store.unpin(digest)
    return digest


# ---- reads that fail


def test_run_once__given_a_demand_that_does_not_decode__serves_those_known_and_takes_nothing_new(
    court: Court,
) -> None:
    house, node = court.town.houses[0], court.town.houses[0].node
    lock_id = answer_honestly(house)
    house.household.disputes.demand(lock_id)
    assert found(node.worker.defence.demands) == [lock_id]
    payee = bytes(12) + bytes.fromhex(node.keys.address[2:])
    emit(court.town, "PrepaidLock", "Demanded", bytes(32), bytes(32), payee)

    outcomes = node.worker.run_once()

    assert [one.kind for one in outcomes] == ["served", "paused"]
    assert "is no PrepaidLock.Demanded" in outcomes[1].detail
    assert kinds(house) == []


@pytest.mark.parametrize(
    "error",
    [
        NodeRefused("eth_getLogs", -32005, "query returned more than 10000 results"),
        NodeUnavailable("no answer in time"),
    ],
)
def test_run_once__given_events_that_cannot_be_had__serves_what_it_knows_and_says_so_once(
    court: Court, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    house = court.town.houses[0]
    house.node.worker.run_once()  # a pause of another test's chain ends
    lock_id = answer_honestly(house)
    house.household.disputes.demand(lock_id)
    assert found(house.node.worker.defence.demands) == [lock_id]

    def refuse() -> None:
        raise error

    with monkeypatch.context() as refusing:
        refusing.setattr(court.town.index.follower, "step", refuse)
        first, second = house.node.worker.run_once(), house.node.worker.run_once()

    assert sorted(one.kind for one in first) == ["failed", "served"] and second == []
    (failed,) = [one for one in first if one.kind == "failed"]
    assert "could not all be read" in failed.detail and str(error) in failed.detail
    assert kinds(house) == []
