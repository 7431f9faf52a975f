"""Locks in every state, ready to be broken; terms set, a data set published, refusals watched."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import disputes
import money
import pytest
from members import Role
from money import BILL, PRICE_WEI, SHORTEST_S, Group, PublishedSet, RequestOrder, SharingOrder

from offchain.crypto import sharing

SHARING_PRICE_WEI = 7 * 10**15
THRESHOLD, GROUP_SIZE = 2, 3
PUT_UP_WEI = 10**18  # by each processing node


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
    money.put_up(lock, cast["processor"], cast["processor_two"], amount_wei=PUT_UP_WEI)


@pytest.fixture
def market_account(market: Any) -> Any:
    """The market as a sender of transactions, to reach what only it may call."""
    return money.unlocked(market.address, balance_wei=10**24)


@pytest.fixture
def state_of(lock: Any) -> Callable[[OpenLock], int]:
    return lambda it: lock.lockOf(it.id)["state"]


@pytest.fixture
def owes(lock: Any) -> Callable[[int], None]:
    """``owes(wei)``: beside what the nodes put up, the contract holds and owes exactly this."""

    def check(amount_wei: int) -> None:
        expected = 2 * PUT_UP_WEI + amount_wei
        assert (lock.balance(), lock.liabilitiesWei()) == (expected, expected)

    return check


@pytest.fixture
def may_withdraw(
    lock: Any, consortium: Any, processor: Any, processor_two: Any, meter_owner: Any,
    buyer: Any, buyer_two: Any, relayer: Any,
) -> Callable[..., None]:  # fmt: skip
    """``may_withdraw(processor=…, meter_owner=…, consortium=…)``: exactly this, the others 0."""
    everybody = {
        "consortium": consortium,
        "processor": processor,
        "processor_two": processor_two,
        "meter_owner": meter_owner,
        "buyer": buyer,
        "buyer_two": buyer_two,
        "relayer": relayer,
    }

    def check(**expected: int) -> None:
        found = {name: lock.withdrawableOf(who.address) for name, who in everybody.items()}
        assert found == {**dict.fromkeys(everybody, 0), **expected}

    return check


@pytest.fixture
def bond_is(lock: Any, processor: Any) -> Callable[..., None]:
    """``bond_is(held=wei, lost=wei)``: of what processor put up, so much is held or gone."""

    def check(*, held: int = 0, lost: int = 0) -> None:
        bond = lock.bondOf(processor.address)
        assert bond["heldWei"] == held
        assert bond["freeWei"] == PUT_UP_WEI - held - lost

    return check


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


def order_price(type_id: int) -> int:
    """Return the price of a type, as :func:`money.set_terms` leaves it."""
    return PRICE_WEI if type_id == BILL else money.ADVICE_PRICE_WEI


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
        price = order_price(order.type_id)
        options = {"from": payer.account, "value": price if value is None else value}
        return lock.request(order, signature, options)

    return send


@pytest.fixture
def open_request(lock: Any, catalogue: Any, pay: Any, processor: Any, meter_owner: Any, now: Any):
    """``open_request(type_id=…, price_wei=…)``: a lock in Requested, under the present rules."""

    def make(*, type_id: int = BILL, price_wei: int | None = None) -> OpenLock:
        order = money.request_order(processor, expires_at=now() + 2 * SHORTEST_S, type_id=type_id)
        price = order_price(type_id) if price_wei is None else price_wei
        version = catalogue.versions()[0]
        rules = catalogue.rulesAt(version)
        bond = price * rules["bondBps"] // money.BPS
        terms = order.terms._replace(rules_version=version, fee_bps=rules["feeBps"], bond_wei=bond)
        order = order._replace(terms=terms)
        pay(order, value=price_wei)
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
            given.get("digest", disputes.ANSWER_DIGEST),
            given.get("length", len(disputes.ANSWER)),
            {"from": given.get("by", processor).account},
        )

    return send


@pytest.fixture
def open_accepted(open_request: Any, accept: Any, processor: Any):
    """``open_accepted(type_id=…, length=…, digest=…)``: in Accepted, with its secret."""

    def make(*, type_id: int = BILL, **answer: Any) -> OpenLock:
        it, secret = open_request(type_id=type_id), secrets.token_bytes(32)
        accept(it, secret_hash=money.commitment_of(processor, secret), **answer)
        return OpenLock(it.id, it.order, secret)

    return make


# ---- data sharing ----


@pytest.fixture(scope="module")
def data_set(module_isolation: None, data_sets: Any, processor: Any) -> PublishedSet:
    return money.publish(data_sets, processor)


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
        terms=money.sharing_terms(SHARING_PRICE_WEI),
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
def open_sharing(
    lock: Any, catalogue: Any, pay_sharing: Any, a_sharing_order: SharingOrder, buyer: Any, now: Any
):
    """``open_sharing(field=value…)``: a lock in Selected, under the present terms of sharing."""

    def make(**changed: Any) -> OpenLock:
        expires_at = now() + 2 * money.SHARING_SHORTEST_S
        price = changed.get("price_wei", a_sharing_order.price_wei)
        version, (_, window_s, _, owners_bps) = catalogue.versions()[1], catalogue.sharingTerms()
        parts = {"window_s": window_s, "owners_bps": owners_bps}
        terms = money.sharing_terms(price, version=version, **parts)
        fresh = {"nonce": secrets.token_bytes(32), "expires_at": expires_at, "terms": terms}
        order = a_sharing_order._replace(**{**fresh, **changed})
        pay_sharing(order)
        return OpenLock(money.id_of(lock, buyer, order.nonce), order)

    return make


@pytest.fixture
def deliver(lock: Any, group: Group, transcript: sharing.Transcript, relayer: Any, processor: Any):
    """``deliver(lock, group=…, commitments=…, shares=…, authorisation=…, by=…)``: the transaction,
    signed by processor and sent by a stranger if not told."""
    dealt = money.transcript_words(transcript)

    def send(it: OpenLock, **given: Any) -> Any:
        members = given.get("group", group)
        dealing = (given.get("commitments", dealt[0]), given.get("shares", dealt[1]))
        leave = given.get("authorisation")
        if leave is None:
            leave = money.sign_delivery(lock, processor, it.id, members, dealing)
        options = {"from": given.get("by", relayer)}
        return lock.deliver(it.id, members.accounts, members.key_words, *dealing, leave, options)

    return send


@pytest.fixture
def set_sharing_window(govern: Any, catalogue: Any) -> Callable[[int], Any]:
    """``set_sharing_window(seconds, owners_bps=…)``: what begins afterwards has this dispute
    window, and gives owners this part."""

    def set_terms(seconds: int, owners_bps: int = 0) -> Any:
        terms = (money.SHARING_SHORTEST_S, seconds, money.APPLICATION_WEI, owners_bps)
        return govern(catalogue, "setSharingTerms", terms)

    return set_terms


@pytest.fixture
def open_claimed(lock: Any, open_accepted: Any, relayer: Any):
    """``open_claimed(length=…, digest=…)``: a lock with a window, in Claimed."""

    def make(**answer: Any) -> OpenLock:
        it = open_accepted(type_id=money.ADVICE, **answer)
        lock.claim(it.id, it.secret, {"from": relayer})
        return it

    return make


@pytest.fixture
def open_delivered(open_sharing: Any, deliver: Any, set_sharing_window: Any):
    """``open_delivered()``: a sharing lock in Delivered; later ones have its window too."""

    def make() -> OpenLock:
        set_sharing_window(disputes.SHARING_WINDOW_S)
        it = open_sharing()
        deliver(it)
        return it

    return make


# ---- demands and disputes ----


@pytest.fixture
def due_of(lock: Any) -> Callable[[OpenLock], int]:
    """``due_of(lock)``: the deadline of its stage."""
    return lambda it: lock.lockOf(it.id)["dueAt"]


@pytest.fixture
def demand(lock: Any, meter_owner: Any) -> Callable[..., Any]:
    """``demand(lock, value=…, by=…)``: the transaction, with the right deposit."""

    def send(it: OpenLock, *, value: int | None = None, by: Any = None) -> Any:
        deposit = disputes.demand_wei() if value is None else value
        sender = getattr(by, "account", by) or meter_owner.account
        return lock.demand(it.id, {"from": sender, "value": deposit})

    return send


@pytest.fixture
def serve(lock: Any, relayer: Any) -> Callable[..., Any]:
    """``serve(lock, answer)``: the transaction, sent by a stranger."""
    return lambda it, answer=disputes.ANSWER: lock.serve(it.id, answer, {"from": relayer})


@pytest.fixture
def dispute(lock: Any) -> Callable[..., Any]:
    """``dispute(lock, value=…, by=…, evidence=…)``: the transaction, by the payer if not told."""

    def send(it: OpenLock, **given: Any) -> Any:
        stored = lock.lockOf(it.id)
        value = given.get("value", disputes.dispute_wei(stored["priceWei"]))
        sender = getattr(given.get("by"), "address", given.get("by") or stored["payer"])
        evidence = given.get("evidence", disputes.EVIDENCE)
        return lock.dispute(it.id, *evidence, {"from": sender, "value": value})

    return send


@pytest.fixture
def dispute_as_member(lock: Any, group: Group, buyer_two: Any) -> Callable[..., Any]:
    """``dispute_as_member(lock, by=…, group=…, value=…, evidence=…)``: by buyer_two if not told."""

    def send(it: OpenLock, **given: Any) -> Any:
        members, by = given.get("group", group), given.get("by", buyer_two)
        value = given.get("value", disputes.dispute_wei(lock.lockOf(it.id)["priceWei"]))
        evidence = given.get("evidence", disputes.EVIDENCE)
        options = {"from": getattr(by, "account", by), "value": value}
        return lock.disputeAsMember(it.id, members.accounts, members.key_words, *evidence, options)

    return send


@pytest.fixture
def open_demanded(open_claimed: Any, demand: Any):
    """``open_demanded()``: a lock in Demanded."""

    def make() -> OpenLock:
        it = open_claimed()
        demand(it)
        return it

    return make


@pytest.fixture
def open_disputed(open_claimed: Any, dispute: Any):
    """``open_disputed()``: a request's lock in Disputed, by its payer."""

    def make() -> OpenLock:
        it = open_claimed()
        dispute(it)
        return it

    return make


@pytest.fixture(scope="module")
def judges(module_isolation: None, founders: list[Any], admit: Any) -> list[Any]:
    """The consortium's three members with keys in the registry; two decide."""
    return [admit(Role.CONSORTIUM, account=founder) for founder in founders]


@pytest.fixture
def verdict(court: Any, judges: list[Any]) -> Callable[[OpenLock, bool], Any]:
    """``verdict(lock, for_payer)``: two judges vote; the transaction of the deciding vote."""

    def give(it: OpenLock, for_payer: bool) -> Any:
        court.vote(it.id, for_payer, {"from": judges[0].account})
        return court.vote(it.id, for_payer, {"from": judges[1].account})

    return give


@pytest.fixture
def in_state(
    lock: Any, open_request: Any, open_accepted: Any, open_claimed: Any, open_sharing: Any,
    open_delivered: Any, open_demanded: Any, open_disputed: Any, verdict: Any, processor: Any,
    relayer: Any, mine_at: Any,
) -> Callable[[int], OpenLock]:  # fmt: skip
    """``in_state(state)``: a lock in that state; Refunded lets time pass by."""

    def ended(it: OpenLock, function: str, *arguments: Any, by: Any = relayer) -> OpenLock:
        getattr(lock, function)(it.id, *arguments, {"from": by})
        return it

    def refunded() -> OpenLock:
        it = open_request()
        mine_at(it.expires_at)
        return ended(it, "refund")

    def slashed() -> OpenLock:
        it = open_disputed()
        verdict(it, True)
        return it

    def settled() -> OpenLock:
        it = open_accepted()
        return ended(it, "claim", it.secret)

    reason, payee = money.NOT_SERVED, processor.account
    makers = {
        money.NONE: lambda: OpenLock(money.digest_of("unknown"), None),
        money.REQUESTED: open_request,
        money.REJECTED: lambda: ended(open_request(), "reject", reason, by=payee),
        money.ACCEPTED: open_accepted,
        money.CLAIMED: open_claimed,
        money.SELECTED: open_sharing,
        money.DECLINED: lambda: ended(open_sharing(), "decline", reason, by=payee),
        money.DELIVERED: open_delivered,
        money.SETTLED: settled,
        money.REFUNDED: refunded,
        money.DEMANDED: open_demanded,
        money.DISPUTED: open_disputed,
        money.SLASHED: slashed,
    }
    return lambda state: makers[state]()


@pytest.fixture
def other_states(in_state: Any) -> Callable[..., Iterator[tuple[OpenLock, int]]]:
    """``other_states(state, …)``: a lock in each state but these, with its state."""

    def make(*open_states: int) -> Iterator[tuple[OpenLock, int]]:
        # Refunded first: its making lets T of those made before pass.
        for state in sorted(range(13), key=lambda state: state != money.REFUNDED):
            if state not in open_states:
                yield in_state(state), state

    return make
