"""A user's request on the real contracts: answered and audited, rejected, refunded, refused."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offchain.billing.answering import registers
from offchain.billing.registers import Meter
from offchain.chain.facts import ContractRevert, Receipt
from offchain.household.household import Household
from offchain.member.errors import AnswerInvalid, AnswerNotReady, TermsUnfit
from offchain.member.lock_terms import request_conditions
from offchain.member.roles import LockState
from offchain.storage import Cid, ContentStore
from offchain.storage.blocks import INDEX_TAG
from offchain.types import SECONDS_PER_DAY
from tests.integration.town import (
    ADVICE,
    BILL,
    PRICE_WEI,
    PRODUCT,
    SHORTEST_S,
    UNSERVED,
    ZONE,
    House,
    Town,
    earned_wei,
    found,
    poll,
    say_tariff,
    tariff_document,
)

pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning:offchain")


def ask(house: House, type_id: int = BILL, **changed: object) -> bytes:
    start, end = house.window
    wanted = {
        "devices": [house.device.address],
        "window_from": start,
        "window_to": end,
        "time_zone": ZONE,
        "product": PRODUCT,
    } | changed
    return house.household.requests.ask(type_id, **wanted).lock_id


def credit_of(town: Town, house: House) -> int:
    return house.gateway.call("CreditBook", "creditOf", house.node.keys.address)


@pytest.mark.parametrize("type_id", [BILL, ADVICE])
def test_request__given_held_window__is_answered_and_audits(fresh: Town, type_id: int) -> None:
    house = fresh.houses[0]
    credit, started = credit_of(fresh, house), time.monotonic()

    lock_id = ask(house, type_id)
    with pytest.raises(AnswerNotReady):
        house.household.answers.open(lock_id)
    assert found(house.node.worker.requests.pending) == [lock_id]
    kinds = [outcome.kind for outcome in house.node.worker.run_once()]
    opened = house.household.answers.open(lock_id)
    print(f"request to answer opened: {time.monotonic() - started:.2f} s")
    report = house.household.answers.audit(lock_id)

    assert kinds == ["accepted", "claimed"]
    assert opened.signature_valid
    assert report.ok, report.findings
    assert house.household.locks.lock(lock_id).state is LockState.SETTLED
    assert credit_of(fresh, house) > credit
    before = house.node.gateway.balance_wei(house.node.keys.address)
    assert house.node.worker.withdraw() is not None
    assert house.node.gateway.balance_wei(house.node.keys.address) - before == earned_wei(PRICE_WEI)
    assert house.node.worker.run_once() == []


@pytest.mark.real_chain
def test_audit__given_a_new_tariff_since__goes_by_that_of_then(fresh: Town) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)
    poll(house.node.worker, steps=2)
    house.household.answers.wait(lock_id, timeout_s=60)

    digest = say_tariff(fresh.admin, fresh.store, tariff_document("dearer", fixed=[]))
    later = ask(house)
    poll(house.node.worker, steps=2)
    house.household.answers.wait(later, timeout_s=60)

    old, new = (house.household.answers.audit(one) for one in (lock_id, later))
    assert old.ok and new.ok, (old.findings, new.findings)
    assert old.result["tariffs"] != new.result["tariffs"] == [digest]


@pytest.mark.real_chain
def test_bill__given_readings_off_midnight__is_of_the_days_that_were_asked_for(
    fresh: Town,
) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)
    poll(house.node.worker, steps=2)

    result = house.household.answers.wait(lock_id, timeout_s=60).result

    start, end = house.window
    meter = Meter(registers(house.readings))  # 17 s off: energy at midnight lies between readings
    assert result["is_complete"] is False  # the last reading lies within the last hour
    assert result["import_wh"] == meter.wh("import", (start, result["covers_to"]))
    assert end - 3_600 < result["covers_to"] < end


@pytest.mark.parametrize(
    ("time_zone", "off_s"), [("Asia/Kathmandu", 0), ("Nowhere/Town", 0), ("UTC", 1)]
)
def test_handle__given_no_local_days__rejects_and_pays_back(
    fresh: Town, monkeypatch: pytest.MonkeyPatch, time_zone: str, off_s: int
) -> None:
    """A household that does not look itself: the node does."""
    house = fresh.houses[0]
    monkeypatch.setattr("offchain.household.requests._require_days", lambda *_: None)
    lock_id = ask(
        house, time_zone=time_zone, window_from=house.window[0] + off_s, window_to=house.window[1]
    )
    poll(house.node.worker)
    assert house.household.locks.lock(lock_id).state is LockState.REJECTED


@pytest.mark.parametrize(
    "changed",
    [
        {"window_from": 16_000 * SECONDS_PER_DAY, "window_to": 16_001 * SECONDS_PER_DAY},
        {"window_from": 17_100 * SECONDS_PER_DAY, "window_to": 17_101 * SECONDS_PER_DAY},
        {"product": "what nobody sells"},
    ],
)
def test_handle__given_window_not_held__rejects_and_pays_back(
    fresh: Town, changed: dict[str, int]
) -> None:
    house = fresh.houses[0]
    credit, balance = credit_of(fresh, house), house.gateway.balance_wei(house.keys.address)

    lock_id = ask(house, **changed)
    (outcome,) = house.node.worker.run_once()

    assert outcome.kind == "rejected" and outcome.detail.startswith("WINDOW_UNAVAILABLE")
    assert house.household.locks.lock(lock_id).state is LockState.REJECTED
    assert house.household.money.withdraw() is not None
    assert house.gateway.balance_wei(house.keys.address) == balance
    assert credit_of(fresh, house) == credit


@pytest.mark.real_chain
def test_handle__given_neighbours_device__rejects(fresh: Town) -> None:
    house, neighbour = fresh.houses[0], fresh.houses[2]

    ask(house, devices=[neighbour.device.address])
    (outcome,) = poll(house.node.worker)

    assert outcome.kind == "rejected" and "not a device of the requester" in outcome.detail
    with pytest.raises(AnswerNotReady, match=r"REJECTED \(WINDOW_UNAVAILABLE\).*withdrawn"):
        house.household.answers.open(outcome.id)
    with pytest.raises(AnswerNotReady, match="no such lock"):
        house.household.answers.open(bytes(32))


@pytest.mark.real_chain
def test_handle__given_type_not_served__rejects(fresh: Town) -> None:
    house = fresh.houses[0]
    ask(house, UNSERVED)

    (outcome,) = poll(house.node.worker)

    assert outcome.detail.startswith("NOT_SERVED")


@pytest.mark.real_chain
def test_handle__given_wrong_id_opening__rejects(fresh: Town, tmp_path: Path) -> None:
    house = fresh.houses[0]
    liar = Household(
        gateway=house.gateway,
        index=fresh.index,
        store=fresh.store,
        keys=replace(house.keys, identity="somebody else"),
        directory=fresh.directory,
        notes=tmp_path,
    )
    ask(replace(house, household=liar))

    (outcome,) = poll(house.node.worker)

    assert outcome.detail.startswith("ID_NOT_RECOGNISED")


def take_message_away(town: Town, house: House, lock_id: bytes) -> bytes:
    """Let nobody have the message of a request; return it."""
    digest = bytes(house.household.locks.event_of("Requested", lock_id).args["order"].messageDigest)
    message = town.store.get(digest, max_bytes=32_768)
    town.store.unpin(digest)
    return message


def test_handle__given_message_that_comes_late__waits_and_accepts(fresh: Town) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)
    message = take_message_away(fresh, house, lock_id)
    for _ in range(3):
        (outcome,) = house.node.worker.run_once()
        assert outcome.kind == "skipped" and "nobody has the message" in outcome.detail
    fresh.store.put(message)
    time.sleep(2.1)  # the next search is due by now

    assert [one.kind for one in house.node.worker.run_once()] == ["accepted", "claimed"]


@pytest.mark.parametrize(("left_s", "kind"), [(95, "skipped"), (85, "rejected")])
def test_handle__given_message_missing_near_to_T__rejects_while_it_could_still_accept(
    fresh: Town, left_s: int, kind: str
) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)
    take_message_away(fresh, house, lock_id)
    fresh.anvil.stand_at(house.household.locks.lock(lock_id).expires_at - left_s)

    (outcome,) = house.node.worker.run_once()

    assert outcome.kind == kind
    if kind == "rejected":
        assert outcome.detail.startswith("MESSAGE_UNREADABLE")
        assert house.household.locks.lock(lock_id).state is LockState.REJECTED


class MalformingStore:
    """The store of a user who stores a malformed index where an object should be."""

    def __init__(self, store: ContentStore) -> None:
        self._store = store

    def put(self, data: bytes) -> Cid:
        block = (INDEX_TAG + data)[: len(data)]
        cid = Cid.of_block(block)
        self._store._write_block(cid, block)
        return cid


def test_handle__given_malformed_index_as_message__rejects(fresh: Town, tmp_path: Path) -> None:
    house = fresh.houses[0]
    spoiler = Household(
        gateway=house.gateway,
        index=fresh.index,
        store=MalformingStore(fresh.store),
        keys=house.keys,
        directory=fresh.directory,
        notes=tmp_path,
    )
    ask(replace(house, household=spoiler))

    (outcome,) = house.node.worker.run_once()

    assert outcome.kind == "rejected" and outcome.detail.startswith("MESSAGE_UNREADABLE")


def test_handle__given_too_little_time__rejects(fresh: Town) -> None:
    house = fresh.houses[0]
    lock_id = ask(house, expires_at=house.gateway.now() + SHORTEST_S + 5)
    fresh.anvil.warp(SHORTEST_S - 20)

    (outcome,) = house.node.worker.run_once()

    assert outcome.id == lock_id and outcome.detail.startswith("TOO_LITTLE_TIME")


def test_refund__given_node_that_accepts_and_is_silent__pays_back_and_costs_credit(
    fresh: Town,
) -> None:
    house = fresh.houses[0]
    requests = house.node.worker.requests
    ask(house)
    house.node.worker.run_once()
    credit = credit_of(fresh, house)
    lock_id = ask(house)
    assert requests.handle(lock_id).kind == "accepted"
    expires_at = house.household.locks.lock(lock_id).expires_at

    fresh.anvil.stand_at(expires_at - 10)
    assert requests.claim(lock_id).kind == "expired"  # too near to T: x stays secret
    with pytest.raises(ContractRevert, match="NotExpired"):
        house.household.money.refund(lock_id)
    fresh.anvil.stand_at(expires_at)
    house.household.money.refund(lock_id)

    assert house.household.locks.lock(lock_id).state is LockState.REFUNDED
    assert credit_of(fresh, house) < credit
    assert house.household.money.withdrawable_wei() == 2 * PRICE_WEI  # its own, and the node's bond


def test_handle__given_expired_request__does_nothing(fresh: Town) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)
    fresh.anvil.stand_at(house.household.locks.lock(lock_id).expires_at)

    (outcome,) = house.node.worker.run_once()

    assert outcome.kind == "expired" and outcome.receipt is None


@pytest.mark.real_chain
def test_request__given_unfit_terms__raises_before_paying(fresh: Town) -> None:
    house = fresh.houses[0]
    balance = house.gateway.balance_wei(house.keys.address)

    with pytest.raises(TermsUnfit, match="not open"):
        ask(house, 99)
    with pytest.raises(TermsUnfit, match="whole local days"):
        ask(house, window_to=house.window[1] + 1)
    with pytest.raises(TermsUnfit, match="later"):
        ask(house, expires_at=house.gateway.now() + SHORTEST_S - 1)

    assert house.gateway.balance_wei(house.keys.address) == balance


@pytest.mark.real_chain
def test_prepare__given_another_regions_node__is_refused_on_chain(fresh: Town) -> None:
    house, other = fresh.houses[0], fresh.nodes[1]
    draft = house.household.requests.prepare(
        BILL,
        devices=[house.device.address],
        window_from=house.window[0],
        time_zone=ZONE,
        product=PRODUCT,
        window_to=house.window[1],
        expires_at=house.gateway.now() + 2 * SHORTEST_S,
        price_wei=PRICE_WEI,
        terms=request_conditions(house.gateway, BILL).terms,
        processor=other.keys.address,
    )

    with pytest.raises(ContractRevert, match="WrongRegion"):
        house.gateway.transact(
            "PrepaidLock", "request", draft.order, draft.signature, value_wei=PRICE_WEI
        )


def _while_asking(house: House, monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]):
    real = house.gateway.transact

    def overtaken(*args: Any, **options: Any) -> Receipt:
        change()
        return real(*args, **options)

    monkeypatch.setitem(vars(house.gateway), "transact", overtaken)


_SAME: dict[str, Any] = {"name": "bill", "price_wei": PRICE_WEI, "shortest_s": SHORTEST_S}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"dispute_window_s": 60}, "asked again would be .* 60 s to dispute"),
        ({"longest_answer_bytes": 9_000}, "an answer of up to 9000 bytes$"),
        ({"price_wei": 2 * PRICE_WEI}, f"asked again would be {2 * PRICE_WEI} wei"),
    ],
)
def test_ask__when_the_terms_change_before_it_is_mined__pays_nothing_and_says_so(
    fresh: Town, monkeypatch: pytest.MonkeyPatch, changed: dict[str, int], told: str
) -> None:
    house = fresh.houses[0]
    balance = house.gateway.balance_wei(house.keys.address)
    _while_asking(house, monkeypatch, lambda: fresh.admin.set_type(BILL, **_SAME | changed))

    with pytest.raises(TermsUnfit, match=f"nothing was paid: signed were .*{told}"):
        ask(house)

    assert house.gateway.balance_wei(house.keys.address) == balance


def test_ask__when_the_rules_change_before_it_is_mined__pays_nothing_and_says_so(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = fresh.houses[0]
    _while_asking(house, monkeypatch, lambda: fresh.admin.set_rules(feeBps=300))

    with pytest.raises(TermsUnfit, match=r"asked again would be .* rules 2, .* fee of 300 of"):
        ask(house)


def test_handle__given_an_answer_above_the_signed_longest__rejects_and_never_by_newer_terms(
    fresh: Town,
) -> None:
    """The terms are the request's: what the type allows by now neither helps nor harms it."""
    house = fresh.houses[0]
    fresh.admin.set_type(BILL, **_SAME, longest_answer_bytes=200)
    tight = ask(house)
    fresh.admin.set_type(BILL, **_SAME, longest_answer_bytes=32_768)
    wide = ask(house)
    fresh.admin.set_type(BILL, **_SAME, longest_answer_bytes=200)

    house.node.worker.run_once()

    assert house.household.locks.lock(tight).state is LockState.REJECTED
    assert house.household.locks.lock(wide).state is LockState.SETTLED
    with pytest.raises(AnswerNotReady, match="ANSWER_TOO_LARGE"):
        house.household.answers.open(tight)


def test_answer__given_tampered_store_bytes__raises(fresh: Town) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)
    house.node.worker.run_once()
    fresh.store.unpin(house.household.locks.lock(lock_id).answer_digest)

    with pytest.raises(AnswerInvalid):
        house.household.answers.open(lock_id)
