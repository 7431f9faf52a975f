"""Locks in every state, ready to be broken; terms set, a data set published, refusals watched."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import money
import pytest
from money import BILL, PRICE_WEI, SHORTEST_S, Group, PublishedSet, RequestOrder, SharingOrder

from offchain.crypto import sharing

SHARING_PRICE_WEI = 7 * 10**15
THRESHOLD, GROUP_SIZE = 2, 3


@dataclass(frozen=True)
class OpenLock:
    """A lock and what was used to open it."""

    id: bytes
    order: RequestOrder | SharingOrder
    secret: bytes = b""  # x of an accepted request

    @property
    def expires_at(self) -> int:
        return self.order.expires_at


@pytest.fixture(scope="module", autouse=True)
def terms(module_isolation: None, cast: dict, govern: Any, catalogue: Any, lock: Any) -> None:
    """Two request types and the terms of sharing; the bill and sharing settle at once."""
    money.set_terms(govern, catalogue)
    money.put_up(lock, cast["processor"], cast["processor_two"])


@pytest.fixture
def market_account(market: Any) -> Any:
    """The market as a sender of transactions, to reach what only it may call."""
    return money.unlocked(market.address, balance_wei=10**24)


@pytest.fixture
def state_of(lock: Any) -> Callable[[OpenLock], int]:
    return lambda it: lock.lockOf(it.id)["state"]


@pytest.fixture
def refuses(lock: Any, reverts_with: Any) -> Callable[..., Any]:
    """``with refuses(error, *arguments):`` like reverts_with, and no money moved."""

    @contextmanager
    def watch(name: str, *arguments: Any) -> Iterator[None]:
        before = (lock.balance(), lock.liabilitiesWei())
        with reverts_with(name, *arguments):
            yield
        assert (lock.balance(), lock.liabilitiesWei()) == before

    return watch


# ---- a user's request ----


@pytest.fixture
def an_order(processor: Any, now: Any) -> RequestOrder:
    """A bill's order by meter_owner to processor, with time to spare."""
    return money.request_order(processor, expires_at=now() + 2 * SHORTEST_S)


@pytest.fixture
def pay(lock: Any, meter_owner: Any) -> Callable[..., Any]:
    """``pay(order, payer=…, value=…, signature=…)``: the transaction of a request."""

    def send(order: RequestOrder, *, payer: Any = None, value: int | None = None, **given: Any):
        payer = payer or meter_owner
        signature = given.get("signature") or money.sign_request(lock, payer, order)
        price = PRICE_WEI if order.type_id == BILL else money.ADVICE_PRICE_WEI
        options = {"from": payer.account, "value": price if value is None else value}
        return lock.request(order, signature, options)

    return send


@pytest.fixture
def open_request(lock: Any, pay: Any, processor: Any, meter_owner: Any, now: Any):
    """``open_request(type_id=…)``: a lock in Requested."""

    def make(*, type_id: int = BILL) -> OpenLock:
        order = money.request_order(processor, expires_at=now() + 2 * SHORTEST_S, type_id=type_id)
        pay(order)
        return OpenLock(money.id_of(lock, meter_owner, order.nonce), order)

    return make


@pytest.fixture
def accept(lock: Any, processor: Any) -> Callable[..., Any]:
    """``accept(lock, secret_hash=…, digest=…, length=…, by=…)``: the transaction of accepting."""

    def send(it: OpenLock, **given: Any) -> Any:
        fallback = money.commitment_of(processor, secrets.token_bytes(32))
        return lock.accept(
            it.id,
            given.get("secret_hash", fallback),
            given.get("digest", money.digest_of("answer")),
            given.get("length", 9_000),
            {"from": given.get("by", processor).account},
        )

    return send


@pytest.fixture
def open_accepted(open_request: Any, accept: Any, processor: Any):
    """``open_accepted(type_id=…)``: a lock in Accepted, with its secret."""

    def make(*, type_id: int = BILL) -> OpenLock:
        it, secret = open_request(type_id=type_id), secrets.token_bytes(32)
        accept(it, secret_hash=money.commitment_of(processor, secret))
        return OpenLock(it.id, it.order, secret)

    return make


# ---- data sharing ----


@pytest.fixture(scope="module")
def data_set(module_isolation: None, ledger: Any, processor: Any) -> PublishedSet:
    return money.publish(ledger, processor)


@pytest.fixture(scope="session")
def group(buyer: Any, buyer_two: Any, buyer_three: Any) -> Group:
    return money.group_of(buyer, buyer_two, buyer_three)


@pytest.fixture(scope="module")
def transcript(data_set: PublishedSet, group: Group) -> sharing.Transcript:
    return sharing.deal(data_set.key, threshold=THRESHOLD, delivery_keys=group.keys)


@pytest.fixture
def a_sharing_order(
    buyer: Any, processor: Any, data_set: PublishedSet, group: Group, now: Any
) -> SharingOrder:
    """An order of buyer for processor's data set, (2, 3), with time to spare."""
    return SharingOrder(
        payer=buyer.address,
        payee=processor.address,
        broadcast_id=money.digest_of("broadcast"),
        data_set_id=data_set.data_set_id,
        group_hash=group.hash,
        threshold=THRESHOLD,
        group_size=GROUP_SIZE,
        price_wei=SHARING_PRICE_WEI,
        message_length=1_500,
        signed_at=1_700_000_000,
        expires_at=now() + 2 * money.SHARING_SHORTEST_S,
        message_digest=money.digest_of("sealed conditions"),
        nonce=secrets.token_bytes(32),
    )


@pytest.fixture
def pay_sharing(lock: Any, buyer: Any, market_account: Any) -> Callable[..., Any]:
    """``pay_sharing(order, value=…, signature=…, sender=…)``: the market's transaction."""

    def send(order: SharingOrder, **given: Any) -> Any:
        signature = given.get("signature") or money.sign_sharing(lock, buyer, order)
        value = given.get("value", order.price_wei)
        return lock.openSharing(
            order, signature, {"from": given.get("sender", market_account), "value": value}
        )

    return send


@pytest.fixture
def open_sharing(lock: Any, pay_sharing: Any, a_sharing_order: SharingOrder, buyer: Any):
    """``open_sharing(field=value…)``: a lock in Selected."""

    def make(**changed: Any) -> OpenLock:
        order = a_sharing_order._replace(nonce=secrets.token_bytes(32), **changed)
        pay_sharing(order)
        return OpenLock(money.id_of(lock, buyer, order.nonce), order)

    return make


@pytest.fixture
def deliver(lock: Any, group: Group, transcript: sharing.Transcript, relayer: Any):
    """``deliver(lock, group=…, commitments=…, shares=…)``: the transaction, sent by a stranger."""
    dealt = money.transcript_words(transcript)

    def send(it: OpenLock, **given: Any) -> Any:
        members = given.get("group", group)
        return lock.deliver(
            it.id,
            members.accounts,
            members.key_words,
            given.get("commitments", dealt[0]),
            given.get("shares", dealt[1]),
            {"from": relayer},
        )

    return send


@pytest.fixture
def set_sharing_window(govern: Any, catalogue: Any) -> Callable[[int], Any]:
    """``set_sharing_window(seconds)``: what begins afterwards has this dispute window."""

    def set_terms(seconds: int) -> Any:
        terms = (money.SHARING_SHORTEST_S, seconds, money.APPLICATION_WEI)
        return govern(catalogue, "setSharingTerms", terms)

    return set_terms


@pytest.fixture
def open_claimed(lock: Any, open_accepted: Any, relayer: Any):
    """``open_claimed()``: a lock with a window, in Claimed."""

    def make() -> OpenLock:
        it = open_accepted(type_id=money.ADVICE)
        lock.claim(it.id, it.secret, {"from": relayer})
        return it

    return make
