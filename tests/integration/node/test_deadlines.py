"""Deadlines, dispute windows and finality, as nodes and buyers live with them."""

import threading
import time

import httpx
import pytest

from offchain.buyer.inbox_http import create_share_app
from offchain.member.errors import AnswerNotReady, UnfitMember, UnknownMember
from offchain.member.grants import GrantBook
from offchain.member.locks import LockBook
from offchain.member.roles import LockState, MemberRole
from offchain.node.desk import NodeParts
from offchain.node.market import MarketDesk
from offchain.node.outcome import NodeTerms, Outcome
from offchain.node.serve import serve
from offchain.node.store import GrantState, JobState
from tests.integration.buyer.test_sharing import call_for_data, publish_both, select_both
from tests.integration.node.test_requests import ask
from tests.integration.town import (
    BILL,
    DATA_SET_PRICE_WEI,
    PRICE_WEI,
    SHORTEST_S,
    Node,
    Town,
    found,
    worker_of,
)

OUTSIDER = "0x" + "77" * 20


def selected(town: Town) -> tuple[Node, bytes]:
    publish_both(town)
    broadcast_id = call_for_data(town)
    node = town.nodes[0]
    node.worker.run_once()
    (lock_id,) = select_both(town, broadcast_id)
    return node, lock_id


@pytest.mark.parametrize("comes", [True, False])
def test_deliver__given_message_that_nobody_has__waits_until_it_comes_or_is_too_late(
    fresh: Town, comes: bool
) -> None:
    node, lock_id = selected(fresh)
    digest = GrantBook(node.gateway, fresh.index).selection(lock_id).message_digest
    message = fresh.store.get(digest, max_bytes=32_768)
    fresh.store.unpin(digest)

    (waiting,) = node.worker.run_once()
    assert waiting.kind == "skipped" and "nobody has the message" in waiting.detail
    if comes:
        fresh.store.put(message)
        time.sleep(0.6)  # the next search is due by now
    else:
        fresh.anvil.stand_at(LockBook(node.gateway, fresh.index).lock(lock_id).expires_at - 85)

    assert [one.kind for one in node.worker.run_once()] == ["delivered" if comes else "declined"]


def test_request__after_idle_minutes__is_taken_and_answered(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_idle(fresh, monkeypatch, seconds=10 * SHORTEST_S)
    house = fresh.houses[0]
    lock_id = ask(house)
    assert (
        house.household.locks.lock(lock_id).expires_at >= house.gateway.contract_time() + SHORTEST_S
    )

    let_idle(fresh, monkeypatch, seconds=SHORTEST_S)
    assert [one.kind for one in house.node.worker.run_once()] == ["accepted", "claimed"]


def test_handle__given_t_passed_by_the_clock_alone__waits_and_gives_up_when_a_block_says_so(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)
    let_idle(fresh, monkeypatch, seconds=3 * SHORTEST_S)
    (outcome,) = house.node.worker.run_once()
    assert (outcome.kind, outcome.detail[:6]) == ("skipped", "waits:")
    assert house.node.held.request(lock_id).state is JobState.NEW
    fresh.anvil.mine()
    assert [one.kind for one in house.node.worker.run_once()] == ["expired"]


def let_idle(town: Town, monkeypatch: pytest.MonkeyPatch, *, seconds: int) -> None:
    """Let time pass, for the chain's sealer and for the members' machines, and no block come."""
    town.anvil.request("evm_increaseTime", seconds)
    clock = town.houses[0].gateway._clock  # one for all gateways of this process
    earlier = clock._clock
    monkeypatch.setattr(clock, "_clock", lambda: earlier() + seconds)


def test_settle__given_dispute_window__waits_for_its_end(fresh: Town) -> None:
    fresh.admin.set_type(
        BILL, name="bill", price_wei=PRICE_WEI, shortest_s=SHORTEST_S, dispute_window_s=1_000
    )
    house = fresh.houses[0]
    lock_id = ask(house)

    assert [one.kind for one in house.node.worker.run_once()] == ["accepted", "claimed"]
    assert house.household.locks.lock(lock_id).state is LockState.CLAIMED
    assert house.household.answers.open(lock_id).signature_valid
    assert house.node.worker.run_once() == []
    fresh.anvil.warp(1_000)

    assert [one.kind for one in house.node.worker.run_once()] == ["settled"]
    assert house.household.locks.lock(lock_id).state is LockState.SETTLED
    assert house.node.worker.run_once() == []


@pytest.mark.parametrize(
    ("margin_s", "depth", "window_s", "kind"),
    [
        (30, 0, 1_000, "accepted"),
        (31, 0, 1_000, "rejected"),
        (31, 0, 0, "accepted"),  # it settles at the claim: nothing can be demanded
        (0, 3, 1_000, "accepted"),
        (1, 3, 1_000, "rejected"),
        (1, 3, 0, "accepted"),
    ],
)
def test_handle__given_time_to_serve__accepts_what_a_demand_leaves_room_for(
    fresh: Town, margin_s: int, depth: int, window_s: int, kind: str
) -> None:
    """60 s are given to serve, the fewest that rules may give; a block comes every 10 s."""
    bill = {"name": "bill", "price_wei": PRICE_WEI, "shortest_s": SHORTEST_S}
    fresh.admin.set_type(BILL, **bill, dispute_window_s=window_s)
    fresh.admin.set_rules(serveSeconds=60)
    house, node = fresh.houses[0], fresh.houses[0].node
    lock_id = ask(house, expires_at=house.gateway.now() + 10 * SHORTEST_S)
    for _ in range(9):
        fresh.anvil.stand_at(fresh.anvil.now() + 10)
    worker = worker_of(fresh, node, margin_s=margin_s, confirmations=depth)

    outcome = worker.requests.handle(lock_id)
    node.held.set_request_state(lock_id, JobState.FAILED)  # the journal outlives the test

    assert outcome.kind == kind
    if kind == "rejected":
        assert outcome.detail.startswith("NOT_SERVED: rules 2 give 60 s to serve")


def test_deliver__given_dispute_window__settles_after_it(fresh: Town) -> None:
    fresh.admin.set_sharing_terms(
        application_wei=10**14, shortest_s=SHORTEST_S, dispute_window_s=500
    )
    node, lock_id = selected(fresh)

    assert node.worker.market.deliver(lock_id).kind == "delivered"
    assert fresh.buyers[0].locks.lock(lock_id).state is LockState.DELIVERED
    assert found(node.worker.settlements.due) == []
    fresh.anvil.warp(500)

    assert "settled" in [one.kind for one in node.worker.run_once()]


def test_deliver__given_time_running_out__declines_then_reveals_nothing(fresh: Town) -> None:
    node, lock_id = selected(fresh)
    expires_at = fresh.buyers[0].locks.lock(lock_id).expires_at
    snapshot = fresh.anvil.snapshot()

    fresh.anvil.stand_at(expires_at - 40)
    outcome = node.worker.market.deliver(lock_id)
    assert outcome.kind == "declined" and outcome.detail.startswith("TOO_LITTLE_TIME")

    fresh.anvil.revert(snapshot)
    fresh.anvil.stand_at(expires_at)
    assert node.worker.market.deliver(lock_id).kind == "expired"
    buyer = fresh.buyers[0]
    buyer.money.refund(lock_id)
    assert buyer.locks.lock(lock_id).state is LockState.REFUNDED
    assert buyer.money.withdraw() is not None and buyer.money.withdraw() is None


def test_deliver__given_dealt_transcript_and_margin_gone__keeps_the_shares(fresh: Town) -> None:
    node, lock_id = selected(fresh)
    node.worker.market.transcript(lock_id)
    fresh.anvil.stand_at(fresh.buyers[0].locks.lock(lock_id).expires_at - 20)

    outcome = node.worker.market.deliver(lock_id)

    assert outcome.kind == "expired" and outcome.receipt is None


def test_deliver__given_shares_sent_and_not_mined_before_t__gives_up_then(fresh: Town) -> None:
    node, lock_id = selected(fresh)
    desk, depth = node.worker.market, 2
    desk.transcript(lock_id)
    node.held.set_grant_state(lock_id, GrantState.DELIVERING)
    parts = NodeParts(
        gateway=node.gateway,
        index=fresh.index,
        store=fresh.store,
        keys=node.keys,
        readings=node.held,
        directory=fresh.directory,
        terms=NodeTerms(data_set_price_wei=1, confirmations=depth),
    )
    deep = MarketDesk(parts, node.worker.bond)
    fresh.anvil.mine(depth)
    fresh.anvil.stand_at(fresh.buyers[0].locks.lock(lock_id).expires_at)

    assert deep.deliver(lock_id).kind == "skipped"  # a delivery may lie in the newest blocks
    assert lock_id in found(deep.selections)
    fresh.anvil.mine(depth)
    outcome = deep.deliver(lock_id)

    assert outcome.kind == "expired" and "not mined before T" in outcome.detail
    assert node.held.grant(lock_id).state is GrantState.FAILED


def test_close__given_no_selection__pays_the_deposit_out(fresh: Town) -> None:
    publish_both(fresh)
    broadcast_id = call_for_data(fresh)
    buyer, node = fresh.buyers[0], fresh.nodes[0]
    node.worker.run_once()
    before = node.gateway.call("PrepaidLock", "withdrawableOf", node.keys.address)
    fresh.anvil.warp(1_200)

    buyer.broadcasts.close(broadcast_id)

    after = node.gateway.call("PrepaidLock", "withdrawableOf", node.keys.address)
    assert after > before
    assert found(node.worker.market.open_broadcasts) == []


def test_respond__given_price_above_maximum__does_not_respond(fresh: Town) -> None:
    publish_both(fresh)
    buyer, node = fresh.buyers[0], fresh.nodes[0]
    start, end = fresh.houses[0].window
    now = buyer.gateway.now()
    buyer.broadcasts.make(
        regions=[node.region],
        window_from=start,
        window_to=end,
        max_price_wei=DATA_SET_PRICE_WEI - 1,
        group_size=3,
        respond_by=now + 600,
        select_by=now + 1_200,
        purpose="a study",
    )

    outcomes = [one for one in node.worker.run_once() if "maximum" in one.detail]

    assert [one.kind for one in outcomes] == ["skipped"]


def test_worker__given_confirmations__acts_when_the_block_is_deep_enough(fresh: Town) -> None:
    house, depth = fresh.houses[0], 3
    worker = worker_of(fresh, house.node, confirmations=depth)
    lock_id = ask(house)

    assert lock_id not in found(worker.requests.pending)
    fresh.anvil.mine(depth)
    assert lock_id in found(worker.requests.pending)
    assert worker.requests.handle(lock_id).kind == "accepted"
    assert worker.requests.claim(lock_id).kind == "skipped"  # not deep enough to reveal x
    fresh.anvil.mine(depth)
    assert worker.requests.claim(lock_id).kind == "claimed"
    deep = LockBook(house.gateway, fresh.index, confirmations=depth)
    assert deep.lock(lock_id).state is LockState.ACCEPTED
    fresh.anvil.mine(depth)
    worker.requests.claim(lock_id)
    assert house.node.held.request(lock_id).state is JobState.CLAIMED


def test_claim__given_reorganised_claim__is_sent_again(fresh: Town) -> None:
    house, depth = fresh.houses[0], 2
    desk = worker_of(fresh, house.node, confirmations=depth).requests
    lock_id = ask(house)
    fresh.anvil.mine(depth)
    assert desk.handle(lock_id).kind == "accepted"
    fresh.anvil.mine(depth)
    assert desk.claim(lock_id).kind == "claimed"
    assert desk.claim(lock_id).detail == "waits: the claim is not yet deep enough"
    fresh.anvil.reorg(1)
    assert house.household.locks.lock(lock_id).state is LockState.ACCEPTED

    assert lock_id in desk.claimable()
    assert desk.claim(lock_id).kind == "claimed"
    assert house.household.locks.lock(lock_id).state is not LockState.ACCEPTED
    assert house.node.held.request(lock_id).state is JobState.CLAIMING
    fresh.anvil.mine(depth)
    desk.claim(lock_id)

    assert house.node.held.request(lock_id).state is JobState.CLAIMED
    assert lock_id not in desk.claimable()


def test_deliver__given_reorganised_delivery__is_sent_again(fresh: Town) -> None:
    node, lock_id = selected(fresh)
    depth, buyer = 2, fresh.buyers[0]
    desk = worker_of(fresh, node, confirmations=depth).market
    fresh.anvil.mine(depth)
    assert desk.deliver(lock_id).kind == "delivered"
    fresh.anvil.reorg(1)
    assert buyer.locks.lock(lock_id).state is LockState.SELECTED

    assert lock_id in found(desk.selections)
    assert desk.deliver(lock_id).kind == "delivered"
    assert node.held.grant(lock_id).state is GrantState.DELIVERING
    fresh.anvil.mine(depth)
    desk.deliver(lock_id)

    assert node.held.grant(lock_id).state is GrantState.DELIVERED
    assert lock_id not in found(desk.selections)


def test_run_once__given_many_bad_requests__claims_before_the_others_are_handled(
    fresh: Town,
) -> None:
    house, neighbour = fresh.houses[0], fresh.houses[2]
    good = ask(house, expires_at=house.gateway.now() + SHORTEST_S + 5)
    bad = [ask(house, devices=[neighbour.device.address]) for _ in range(4)]

    outcomes = house.node.worker.run_once()

    assert [one.id for one in outcomes] == [good, good, *bad]
    assert [one.kind for one in outcomes] == ["accepted", "claimed", *["rejected"] * 4]


def test_run_once__given_more_than_a_poll_takes__goes_on_with_the_others(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = fresh.houses[0]
    worker = house.node.worker
    monkeypatch.setattr("offchain.node.worker.NEW_PER_POLL", 2)
    asked = [ask(house) for _ in range(5)]
    monkeypatch.setattr(
        worker.requests, "handle", lambda lock_id: Outcome("skipped", lock_id, "waits")
    )

    turns = [[one.id for one in worker.run_once()] for _ in range(3)]
    monkeypatch.undo()
    worker.run_once()  # the journal outlives the test: leave nothing open in it

    assert turns == [asked[:2], asked[2:4], [asked[4], asked[0]]]


def test_handle__given_too_little_time_for_the_depth__rejects(fresh: Town) -> None:
    house, depth, pace_s = fresh.houses[0], 2, 60
    desk = worker_of(fresh, house.node, confirmations=depth).requests
    for _ in range(8):
        fresh.anvil.warp(pace_s)
    lock_id = ask(house, expires_at=house.gateway.now() + 290)
    for _ in range(depth):
        fresh.anvil.warp(pace_s)

    outcome = desk.handle(lock_id)  # about 170 s are left: enough for twice the margin alone

    assert outcome.kind == "rejected" and outcome.detail.startswith("TOO_LITTLE_TIME")
    assert house.node.held.request(lock_id).state is JobState.REJECTING
    assert desk.handle(lock_id).kind == "skipped"  # said, and not yet final
    fresh.anvil.mine(depth)
    desk.handle(lock_id)
    assert house.node.held.request(lock_id).state is JobState.REJECTED


def test_wait_answer__given_late_node__waits_and_gives_up_when_told(fresh: Town) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)
    with pytest.raises(AnswerNotReady):
        house.household.answers.wait(lock_id, timeout_s=0.05, poll_s=0.02)

    def serve_late() -> None:
        time.sleep(0.2)
        house.node.worker.run_once()

    thread = threading.Thread(target=serve_late)
    thread.start()
    opened = house.household.answers.wait(lock_id, timeout_s=20, poll_s=0.05)
    thread.join()

    assert opened.lock_id == lock_id


def test_wait_answer__given_request_off_the_chain__waits_for_its_return(fresh: Town) -> None:
    house = fresh.houses[0]
    before = fresh.anvil.snapshot()
    lost = ask(house)
    fresh.anvil.revert(before)  # as a reorganisation does, but that it does not come back
    started = time.monotonic()
    with pytest.raises(AnswerNotReady) as caught:
        house.household.answers.wait(lost, timeout_s=0.3, poll_s=0.1)
    assert caught.value.state is LockState.NONE
    assert time.monotonic() - started >= 0.3


def test_directory__given_strangers_and_revoked__refuses_them(fresh: Town) -> None:
    directory, buyer, house = fresh.directory, fresh.buyers[2], fresh.houses[0]

    with pytest.raises(UnknownMember):
        directory.member(OUTSIDER)
    with pytest.raises(UnfitMember, match="not a user"):
        directory.active_member(buyer.keys.address, MemberRole.USER)
    with pytest.raises(UnfitMember, match="no processing node"):
        directory.processor_of(b"nowhere".ljust(32, b"\0"))
    with pytest.raises(UnfitMember, match="no Paillier key"):
        directory.paillier_key(house.device.address)

    fresh.admin.revoke(buyer.keys.address)

    with pytest.raises(UnfitMember, match="revoked"):
        directory.active_member(buyer.keys.address, MemberRole.SHARER)


def test_paillier_key__given_key_of_another_size__refuses_it(fresh: Town) -> None:
    from offchain.member.directory import MemberDirectory

    strict = MemberDirectory(fresh.houses[0].gateway, fresh.store)  # 3072 bits, not 2048

    with pytest.raises(UnfitMember, match="3072"):
        strict.paillier_key(fresh.buyers[0].keys.address)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"lock":1}', b"x" * 20_000])
def test_share_app__given_bad_body__answers_400(fresh: Town, body: bytes) -> None:
    with serve(create_share_app(fresh.buyers[0].inbox)) as server:
        answer = httpx.post(f"{server.url}/v1/shares", content=body)

    assert answer.status_code == 400 and "error" in answer.json()


def test_hand_over__given_silent_inbox__leaves_it_out(fresh: Town) -> None:
    node, lock_id = selected(fresh)
    node.worker.market.deliver(lock_id)
    first, second = fresh.buyers[:2]

    took = first.shares.hand_over(lock_id, {second.keys.address: "http://127.0.0.1:9"})

    assert took == []
