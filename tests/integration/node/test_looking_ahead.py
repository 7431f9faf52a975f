"""What a node and a user read or fetch before they need it."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from offchain.audit.opened_answer import OpenedAnswer
from offchain.chain.facts import ChainEvent
from offchain.chain.questions import Question
from offchain.crypto import kem
from offchain.member.errors import NotOnChain
from offchain.member.locks import LockBook
from offchain.member.roles import LockState
from offchain.node.worker import NodeWorker
from offchain.storage.errors import StoreUnavailable
from tests.integration.node.test_requests import ask
from tests.integration.town import House, Town, found, worker_of


@pytest.fixture
def house(fresh: Town) -> Iterator[House]:
    """A house whose node has read and done all, before the test and after."""
    worker = fresh.houses[0].node.worker
    worker.run_once()
    yield fresh.houses[0]
    worker.run_once()


def asked_for_logs(monkeypatch: pytest.MonkeyPatch, house: House) -> list[int]:
    """Note how many kinds of logs each question is about."""
    endpoint, found = house.node.gateway.endpoint, list[int]()
    ask_one, batch = endpoint.ask, endpoint.batch

    def one(question: Question[Any]) -> Any:
        found.extend([1] if question.method == "eth_getLogs" else [])
        return ask_one(question)

    def many(calls: Sequence[Question[Any]], **how: bool) -> list[Any]:
        found.extend([n] if (n := sum(call[0] == "eth_getLogs" for call in calls)) else [])
        return batch(calls, **how)

    monkeypatch.setattr(endpoint, "ask", one)
    monkeypatch.setattr(endpoint, "batch", many)
    return found


def mine(town: Town, blocks: int) -> None:
    """Mine, and wait until whoever is told of blocks was told: else a poll rightly asks nothing."""
    town.anvil.mine(blocks)
    give_up_at = time.monotonic() + 30
    while town.index.follower.is_abreast:
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def until_earned(town: Town, worker: NodeWorker, lock_id: bytes) -> None:
    """Poll a worker that waits for two blocks until its claim lies below them."""
    kinds = list[str]()
    for _ in range(4):
        town.anvil.mine(2)
        kinds += [one.kind for one in worker.run_once()]
    assert "claimed" in kinds and lock_id not in worker.requests.claimable()


def test_run_once__given_new_blocks__reads_the_events_of_all_kinds_at_once(
    fresh: Town, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = asked_for_logs(monkeypatch, house)
    mine(fresh, 1)
    house.node.worker.run_once()
    assert found == [1]
    mine(fresh, 3)
    house.node.worker.run_once()
    assert found == [1] * 3  # the next block's with the head, then those of the others


def test_wait_answer__given_a_claim_taken_off_while_it_is_opened__waits_for_its_return(
    fresh: Town, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_id = ask(house)
    house.node.worker.run_once()
    find, left = LockBook.find_event, [2]

    def without_claim(self: LockBook, event: str, lock_id: bytes) -> ChainEvent | None:
        if event == "Claimed" and left[0]:
            left[0] -= 1
            return None
        return find(self, event, lock_id)

    monkeypatch.setattr(LockBook, "find_event", without_claim)
    assert house.household.answers.wait(lock_id, timeout_s=60, poll_s=0.01).signature_valid
    left[0] = 1
    with pytest.raises(NotOnChain, match=lock_id.hex()):
        house.household.answers.wait(lock_id, timeout_s=0)


def test_pending__given_a_request_taken_off_since_it_was_read__forgets_it(
    fresh: Town, house: House
) -> None:
    desk = house.node.worker.requests
    lock_id = ask(house)
    fresh.index.follower.catch_up()
    assert found(desk.pending) == [lock_id]
    fresh.anvil.reorg(1)
    fresh.index.follower.catch_up()
    assert house.household.locks.lock(lock_id).state is LockState.NONE
    assert found(desk.pending) == []


def test_run_once__given_a_request_not_deep_enough__makes_key_and_fetches_message_and_says_nothing(
    fresh: Town, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = worker_of(fresh, house.node, confirmations=2)
    begun, fetched = list[bytes](), list[str]()
    begin, get = kem.begin_encapsulation, fresh.store.get
    monkeypatch.setattr(
        kem,
        "begin_encapsulation",
        lambda key, *, context: begun.append(context) or begin(key, context=context),
    )

    def noting(cid: Any, *, max_bytes: int) -> bytes:
        fetched.append(threading.current_thread().name)
        return get(cid, max_bytes=max_bytes)

    monkeypatch.setattr(fresh.store, "get", noting)
    lock_id = ask(house)
    begun.clear()

    for _ in range(2):  # a second look makes nothing anew
        assert worker.run_once() == []
    assert len(begun) == 1 and worker.requests._held.request(lock_id) is None
    give_up_at = time.monotonic() + 30
    while not fetched:
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    assert threading.current_thread().name not in fetched

    until_earned(fresh, worker, lock_id)
    assert len(begun) == 1  # what was made ahead is what was used


def test_claim__tables_ahead_of_the_node_that_is_asked__goes_by_the_nodes_own_head(
    fresh: Town, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = worker_of(fresh, house.node, confirmations=2)
    lock_id = ask(house)
    fresh.anvil.mine(2)
    assert worker.run_once()[0].kind == "accepted"
    desk = worker.requests
    # As after a failover to a node that is behind: by the tables the acceptance lies deep enough.
    monkeypatch.setattr(desk._index, "final", lambda depth=None: desk._index.newest())
    desk._index.follower.catch_up()

    assert desk.claim(lock_id).kind == "skipped"
    assert house.node.gateway.call("PrepaidLock", "lockOf", lock_id).state == LockState.ACCEPTED

    monkeypatch.undo()
    until_earned(fresh, worker, lock_id)


def test_wait_answer__while_the_claim_is_on_its_way__fetches_the_sealed_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_id = ask(house)
    worker, store = house.node.worker, house.household.store
    has_fetched, fetched = threading.Event(), list[tuple[str, bytes]]()
    get = store.get

    def noting(cid: Any, *, max_bytes: int) -> bytes:
        data = get(cid, max_bytes=max_bytes)
        fetched.append((threading.current_thread().name, bytes(cid)))
        if threading.current_thread().name == "fetch-answer":
            has_fetched.set()
        return data

    with monkeypatch.context() as patch:
        patch.setattr(worker.requests, "claimable", list)
        worker.run_once()
    lock = house.household.locks.lock(lock_id)
    assert lock.state is LockState.ACCEPTED
    monkeypatch.setattr(store, "get", noting)
    opened = list[OpenedAnswer]()
    waiting = threading.Thread(
        target=lambda: opened.append(house.household.answers.wait(lock_id, timeout_s=60))
    )
    waiting.start()
    assert has_fetched.wait(30)
    assert fetched == [("fetch-answer", lock.answer_digest)]
    worker.run_once()
    waiting.join(60)
    assert opened[0].signature_valid


def test_wait_answer__given_a_store_that_is_down_for_a_moment__waits_for_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_id = ask(house)
    house.node.worker.run_once()
    store, faults = house.household.store, [StoreUnavailable("down"), StoreUnavailable("down")]
    get = store.get

    def failing(cid: Any, *, max_bytes: int) -> bytes:
        if faults:
            raise faults.pop()
        return get(cid, max_bytes=max_bytes)

    monkeypatch.setattr(store, "get", failing)
    assert house.household.answers.wait(lock_id, timeout_s=60, poll_s=0.01).signature_valid
    assert faults == []
    faults.append(StoreUnavailable("down for good"))
    with pytest.raises(StoreUnavailable, match="for good"):
        house.household.answers.wait(lock_id, timeout_s=0)
