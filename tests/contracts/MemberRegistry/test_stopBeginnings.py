"""MemberRegistry.stopBeginnings: nothing begins, everything ends (stopBeginnings.tree)."""

from __future__ import annotations

import hashlib
import secrets
from types import SimpleNamespace
from typing import Any

import batches
import broadcasts
import money
import pytest
from members import Role, region_id
from money import ADVICE, ADVICE_PRICE_WEI, APPLICATION_WEI, DAY, PRICE_WEI, SharingOrder

from offchain.crypto import sharing

NORTH = region_id("north")
STOP_S = 2 * DAY + 7 * DAY  # the delay, and a week
FAR_S = 20 * DAY  # what must still be possible when the stop is over
OFFER_WEI = 10**15
ANSWER = b"a sealed answer"
DIGEST = b"\6" * 32


class Scene:
    """Locks and broadcasts that stand when the stop is used, and what begins afterwards."""

    def __init__(self, parts: SimpleNamespace) -> None:
        self.it = parts
        self.begin = parts.now()

    def request(self, *, type_id: int = ADVICE, expires_in_s: int = FAR_S) -> bytes:
        it = self.it
        order = money.request_order(
            it.processor, expires_at=self.begin + expires_in_s, type_id=type_id
        )
        price = PRICE_WEI if type_id == money.BILL else ADVICE_PRICE_WEI
        signature = money.sign_request(it.lock, it.meter_owner, order)
        it.lock.request(order, signature, {"from": it.meter_owner.account, "value": price})
        return money.id_of(it.lock, it.meter_owner, order.nonce)

    def accept(self, lock_id: bytes, secret: bytes | None = None) -> bytes:
        it, secret = self.it, secret or secrets.token_bytes(32)
        commitment = money.commitment_of(it.processor, secret)
        digest = hashlib.sha256(ANSWER).digest()
        sender = {"from": it.processor.account}
        it.lock.accept(lock_id, commitment, digest, len(ANSWER), sender)
        return secret

    def accepted(self, **options: Any) -> tuple[bytes, bytes]:
        lock_id = self.request(**options)
        return lock_id, self.accept(lock_id)

    def claimed(self) -> bytes:
        lock_id, secret = self.accepted()
        self.it.lock.claim(lock_id, secret, {"from": self.it.relayer})
        return lock_id

    def broadcast(self, *, respond_in_s: int = FAR_S, select_in_s: int = FAR_S + DAY) -> bytes:
        it, nonce = self.it, secrets.token_bytes(32)
        conditions = broadcasts.Conditions(
            *(money.WINDOW[0], money.WINDOW[1], 1, 3, 2, OFFER_WEI),
            *(self.begin + respond_in_s, self.begin + select_in_s, 2_000, b"\1" * 32),
            *(nonce, [NORTH]),
        )
        it.market.broadcast(conditions, {"from": it.buyer.account, "value": APPLICATION_WEI})
        return broadcasts.id_of(it.market, it.buyer, conditions)

    def answered(self, **options: Any) -> bytes:
        ad = self.broadcast(**options)
        self.respond(ad)
        return ad

    def respond(self, ad: bytes) -> None:
        sender = {"from": self.it.processor.account}
        self.it.market.respond(ad, self.it.data_set.data_set_id, OFFER_WEI, 1, 1, sender)

    def select(self, ad: bytes) -> bytes:
        it = self.it
        order = SharingOrder(
            *(it.buyer.address, it.processor.address, ad, it.data_set.data_set_id, it.group.hash),
            *(2, 3, OFFER_WEI, 1_500, 1_700_000_000, self.begin + FAR_S),
            *(b"\2" * 32, secrets.token_bytes(32), money.sharing_terms(OFFER_WEI)),
        )
        choice = (
            *(order.payee, order.expires_at, order.message_length, order.signed_at),
            *(order.message_digest, order.nonce, order.terms),
            money.sign_sharing(it.lock, it.buyer, order),
        )
        options = {"from": it.buyer.account, "value": OFFER_WEI}
        it.market.select(ad, it.group.accounts, [choice], options)
        return money.id_of(it.lock, it.buyer, order.nonce)

    def state(self, lock_id: bytes) -> int:
        return self.it.lock.lockOf(lock_id)["state"]


@pytest.fixture(scope="module")
def parts(
    module_isolation, cast, system, admit, govern, founders, relayer, outsider, now
) -> SimpleNamespace:
    """The system with terms, a bond, a data set, judges and a device that signs."""
    lock, catalogue = system["PrepaidLock"], system["RequestCatalogue"]
    money.set_terms(govern, catalogue)
    money.put_up(lock, cast["processor"])
    for founder in founders:
        admit(Role.CONSORTIUM, account=founder)
    return SimpleNamespace(
        lock=lock,
        market=system["DataMarket"],
        ledger=system["DataLedger"],
        data_sets=system["DataSetBook"],
        court=system["DisputeCourt"],
        consents=system["ConsentBook"],
        book=system["TariffBook"],
        board=system["NotificationBoard"],
        data_set=money.publish(system["DataSetBook"], cast["processor"]),
        group=money.group_of(*(cast[name] for name in ("buyer", "buyer_two", "buyer_three"))),
        signer=admit(Role.DEVICE, NORTH, owner=cast["meter_owner"]),
        judges=founders,
        relayer=relayer,
        outsider=outsider,
        now=now,
        **cast,
    )


@pytest.fixture
def scene(parts) -> Scene:
    return Scene(parts)


@pytest.fixture
def stop(registry, govern):
    """``stop()``: the consortium uses the emergency stop; until when it holds."""

    def use() -> int:
        govern(registry, "stopBeginnings")
        return registry.stoppedUntil()

    return use


def test_stop_beginnings__when_caller_is_not_consortium__reverts(
    registry, founder, processor, reverts_with
):
    for caller in (founder, processor.account):
        with reverts_with("Governed_NotConsortium", caller):
            registry.stopBeginnings({"from": caller})
    assert not registry.isStopSpent()


def test_stop_beginnings__given_spent__reverts(registry, impersonate, consortium, at, reverts_with):
    ruler = {"from": impersonate(consortium)}
    registry.stopBeginnings(ruler)
    until = registry.stoppedUntil()
    for moment in (until - 1, until, until + 30 * DAY, until + 400 * DAY):
        at(moment)
        with reverts_with("MemberRegistry_StopSpent"):
            registry.stopBeginnings(ruler)
    assert registry.stoppedUntil() == until


def test_stop_beginnings__given_armed__holds_for_the_delay_and_a_week(
    registry, impersonate, consortium, processor, meter_owner, at, now, mine_at, only_event,
    reverts_with,
):  # fmt: skip
    assert (registry.isStopSpent(), registry.stoppedUntil()) == (False, 0)
    begin = now() + 10
    at(begin)

    tx = registry.stopBeginnings({"from": impersonate(consortium)})

    until = begin + STOP_S
    assert registry.stopSeconds() == STOP_S
    assert (registry.isStopSpent(), registry.stoppedUntil()) == (True, until)
    assert only_event(tx, "BeginningsStopped")["until"] == until
    assert registry.balance() == 0
    mine_at(until - 1)
    for ask in (
        lambda: registry.mayBegin(processor.address, Role.PROCESSOR),
        lambda: registry.mayBegin(meter_owner.address, Role.PROCESSOR),
        lambda: registry.mayAnchor(processor.address),
        lambda: registry.beginnerOf(processor.address),
    ):
        with reverts_with("MemberRegistry_Stopped", until):
            ask()
    assert registry.isActive(processor.address, Role.PROCESSOR)
    mine_at(until)
    assert registry.mayBegin(processor.address, Role.PROCESSOR)
    assert registry.beginnerOf(processor.address)[0] == Role.PROCESSOR


# ---- what begins ----

BEGINNINGS = {
    "request": lambda s: lambda: s.request(),
    "accept": lambda s: (lambda lock_id: lambda: s.accept(lock_id))(s.request()),
    "broadcast": lambda s: lambda: s.broadcast(),
    "respond": lambda s: (lambda ad: lambda: s.respond(ad))(s.broadcast()),
    "select": lambda s: (lambda ad: lambda: s.select(ad))(s.answered()),
    "publish": lambda s: lambda: money.publish(s.it.data_sets, s.it.processor),
    "anchor": lambda s: (
        lambda: s.it.ledger.anchor(1, 24, b"\3" * 32, {"from": s.it.device.account})
    ),
    "anchorSigned": lambda s: (
        lambda: s.it.ledger.anchorSigned(
            batches.signed(
                s.it.ledger, s.it.signer, 1, 24, b"\3" * 32, expires_at=s.begin + 30 * DAY
            ),
            {"from": s.it.relayer},
        )
    ),
    "appendTariff": lambda s: (
        lambda: s.it.book.appendTariff(
            NORTH, "product", (DIGEST, s.begin + 30 * DAY, 0), {"from": s.it.processor.account}
        )
    ),
    "publishSeries": lambda s: (
        lambda: s.it.book.publishSeries(
            NORTH,
            "series",
            (DIGEST, s.begin + 30 * DAY, s.begin + 31 * DAY, 900),
            {"from": s.it.processor.account},
        )
    ),
}


@pytest.mark.parametrize("late", [-1, 0, 1])
@pytest.mark.parametrize("name", BEGINNINGS)
def test_stop_beginnings__when_something_begins__reverts_until_it_ends(
    scene, stop, at, reverts_with, name, late
):
    begin = BEGINNINGS[name](scene)
    until = stop()
    lock = scene.it.lock
    before = (lock.balance(), lock.liabilitiesWei())
    at(until + late)
    if late < 0:
        with reverts_with("MemberRegistry_Stopped", until):
            begin()
        assert (lock.balance(), lock.liabilitiesWei()) == before
        return
    begin()


# ---- what ends ----


def reject(s, at):
    lock_id = yield s.request()
    s.it.lock.reject(lock_id, money.NOT_SERVED, {"from": s.it.processor.account})
    assert s.state(lock_id) == money.REJECTED


def claim_and_settle(s, at):
    lock_id, secret = yield s.accepted()
    s.it.lock.claim(lock_id, secret, {"from": s.it.relayer})
    at(s.it.lock.lockOf(lock_id)["dueAt"])
    s.it.lock.settle(lock_id, {"from": s.it.relayer})
    assert s.state(lock_id) == money.SETTLED
    s.it.lock.withdrawFor(s.it.processor.address, {"from": s.it.relayer})


def refund_from_requested(s, at):
    lock_id = yield s.request(expires_in_s=DAY)
    at(s.begin + DAY)
    s.it.lock.refund(lock_id, {"from": s.it.relayer})
    assert s.state(lock_id) == money.REFUNDED
    s.it.lock.withdrawFor(s.it.meter_owner.address, {"from": s.it.relayer})


def refund_from_accepted(s, at):
    lock_id, _ = yield s.accepted(expires_in_s=DAY)
    at(s.begin + DAY)
    assert s.it.lock.endMany([lock_id], {"from": s.it.relayer}).return_value == 1
    assert s.state(lock_id) == money.REFUNDED


def demand_and_serve(s, at):
    lock_id, secret = yield s.accepted()
    lock = s.it.lock
    lock.claim(lock_id, secret, {"from": s.it.relayer})
    options = {"from": s.it.meter_owner.account, "value": lock.demandWeiOf(lock_id)}
    lock.demand(lock_id, options)
    lock.serve(lock_id, ANSWER, {"from": s.it.relayer})
    assert s.state(lock_id) == money.CLAIMED


def demand_and_slash(s, at):
    lock_id, secret = yield s.accepted()
    lock = s.it.lock
    lock.claim(lock_id, secret, {"from": s.it.relayer})
    options = {"from": s.it.meter_owner.account, "value": lock.demandWeiOf(lock_id)}
    lock.demand(lock_id, options)
    at(lock.lockOf(lock_id)["dueAt"])
    lock.slash(lock_id, {"from": s.it.relayer})
    assert s.state(lock_id) == money.SLASHED


def dispute_and_decide(s, at):
    lock_id, secret = yield s.accepted()
    lock = s.it.lock
    lock.claim(lock_id, secret, {"from": s.it.relayer})
    options = {"from": s.it.meter_owner.account, "value": lock.disputeWeiOf(lock_id)}
    lock.dispute(lock_id, b"\4" * 32, 100, options)
    s.it.court.addEvidence(lock_id, b"\5" * 32, 100, {"from": s.it.processor.account})
    for judge in s.it.judges[:2]:
        s.it.court.vote(lock_id, True, {"from": judge})
    assert s.state(lock_id) == money.SLASHED


def dispute_undecided(s, at):
    lock_id, secret = yield s.accepted()
    lock = s.it.lock
    lock.claim(lock_id, secret, {"from": s.it.relayer})
    options = {"from": s.it.meter_owner.account, "value": lock.disputeWeiOf(lock_id)}
    lock.dispute(lock_id, b"\4" * 32, 100, options)
    at(lock.lockOf(lock_id)["dueAt"])
    lock.refund(lock_id, {"from": s.it.relayer})
    assert s.state(lock_id) == money.REFUNDED


def decline(s, at):
    lock_id = yield s.select(s.answered())
    s.it.lock.decline(lock_id, money.NOT_SERVED, {"from": s.it.processor.account})
    assert s.state(lock_id) == money.DECLINED


def deliver(s, at):
    lock_id = yield s.select(s.answered())
    group = s.it.group
    dealt = sharing.deal(s.it.data_set.key, threshold=2, delivery_keys=group.keys)
    words = money.transcript_words(dealt)
    leave = money.sign_delivery(s.it.lock, s.it.processor, lock_id, group, words)
    options = {"from": s.it.relayer}
    s.it.lock.deliver(lock_id, group.accounts, group.key_words, *words, leave, options)
    assert s.state(lock_id) == money.SETTLED


def withdraw_response(s, at):
    ad = yield s.answered()
    s.it.market.withdrawResponse(ad, {"from": s.it.processor.account})
    assert len(s.it.market.formOf(ad)) == 0


def close(s, at):
    ad = yield s.answered(respond_in_s=1_000, select_in_s=DAY)
    at(s.begin + DAY)
    s.it.market.close(ad, {"from": s.it.relayer})
    assert s.it.market.broadcastOf(ad)[1] == 3
    # The stop kept the buyer from selecting: it did not walk away.
    assert s.it.lock.withdrawableOf(s.it.buyer.address) == APPLICATION_WEI


def take_and_add_bond(s, at):
    yield None
    lock, node = s.it.lock, s.it.processor
    free_wei = lock.bondOf(node.address)["freeWei"]
    lock.takeBond(free_wei, {"from": node.account})
    lock.withdrawFor(node.address, {"from": s.it.relayer})
    lock.addBond(node.address, {"from": s.it.relayer, "value": 5})
    assert lock.bondOf(node.address)["freeWei"] == 5


ENDINGS = (
    reject, claim_and_settle, refund_from_requested, refund_from_accepted, demand_and_serve,
    demand_and_slash, dispute_and_decide, dispute_undecided, decline, deliver, withdraw_response,
    close, take_and_add_bond,
)  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: ending.__name__)
def test_stop_beginnings__when_something_ends__lets_it_end(
    scene, stop, registry, at, now, reverts_with, ending
):
    story = ending(scene, at)
    begun = next(story)  # what began before the stop
    until = stop()
    with pytest.raises(StopIteration):
        story.send(begun)
    assert now() < until  # it all happened while the stop held
    with reverts_with("MemberRegistry_Stopped", until):
        registry.mayAnchor(scene.it.device.address)


def test_stop_beginnings__when_membership_moves__lets_it(
    parts, stop, registry, admit, revoke, processor, device, meter_owner, now
):
    parts.board.setPolicy(
        device.address, (200, 3000, 0, 600, 86_400, False, False), {"from": meter_owner.account}
    )
    until = stop()
    newcomer = admit(Role.USER, NORTH)
    assert registry.isActive(newcomer.address, Role.USER)
    revoke(processor)
    assert not registry.isActive(processor.address, Role.PROCESSOR)
    parts.board.report(500, 200, False, b"\1" * 32, {"from": device.account})
    purpose, expiry = b"\7" * 32, until + DAY
    parts.consents.give(device.address, purpose, expiry, {"from": meter_owner.account})
    parts.consents.withdraw(device.address, purpose, {"from": meter_owner.account})
    assert parts.consents.expiryOf(device.address, purpose) == 0
    assert now() < until
