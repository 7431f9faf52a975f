"""Broadcasts, responses and choices that pass every check, ready to be broken."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import broadcasts
import money
import pytest
from broadcasts import Conditions
from members import Role, region_id
from money import APPLICATION_WEI, DAY, WINDOW, Group, PublishedSet, SharingOrder

MAX_PRICE_WEI = 9 * 10**15
BOND_WEI = 10**18  # what each of the two nodes has put up
BONDS_WEI = 2 * BOND_WEI
OFFER_WEI = 10**15  # the price of a response that names none
RESPOND_S, SELECT_S = 600, 1200


def terms_of(
    catalogue: Any, price_wei: int, rules_version: int, sharing_version: int
) -> money.LockTerms:
    """Return a lock's terms under the versions of an offer."""
    rules = catalogue.rulesAt(rules_version)
    terms = catalogue.sharingTermsAt(sharing_version)
    bond = price_wei * rules["bondBps"] // money.BPS
    parts = (terms["disputeWindowSeconds"], rules["feeBps"], terms["ownersBps"])
    return money.LockTerms(rules_version, sharing_version, *parts, 0, bond)


class Ad(NamedTuple):
    """A broadcast that is out."""

    id: bytes
    conditions: Conditions


@pytest.fixture(scope="module", autouse=True)
def terms(module_isolation: None, cast: dict, govern: Any, catalogue: Any, lock: Any) -> None:
    """Terms of sharing without a dispute window; both nodes have bonds."""
    money.set_terms(govern, catalogue)
    money.put_up(lock, cast["processor"], cast["processor_two"], amount_wei=BOND_WEI)


@pytest.fixture(scope="module")
def data_set(module_isolation: None, data_sets: Any, processor: Any) -> PublishedSet:
    return money.publish(data_sets, processor)


@pytest.fixture(scope="module")
def data_set_two(module_isolation: None, data_sets: Any, processor_two: Any) -> PublishedSet:
    return money.publish(data_sets, processor_two)


@pytest.fixture(scope="session")
def group(buyer: Any, buyer_two: Any, buyer_three: Any) -> Group:
    return money.group_of(buyer, buyer_two, buyer_three)


@pytest.fixture
def refuses(lock: Any, market: Any, reverts_with: Any) -> Callable[..., Any]:
    """``with refuses(error, *arguments):`` like reverts_with, and no money moved."""

    @contextmanager
    def watch(name: str, *arguments: Any) -> Iterator[None]:
        before = (lock.balance(), lock.liabilitiesWei(), market.balance())
        with reverts_with(name, *arguments):
            yield
        assert (lock.balance(), lock.liabilitiesWei(), market.balance()) == before

    return watch


@pytest.fixture
def some_conditions(now: Any) -> Conditions:
    """Both regions, one day inside the data sets' window, a group of (2, 3)."""
    begin = now()
    return Conditions(
        window_from=WINDOW[0] + DAY,
        window_to=WINDOW[0] + 2 * DAY,
        kind=1,
        group_size=3,
        threshold=2,
        max_price_wei=MAX_PRICE_WEI,
        respond_by=begin + RESPOND_S,
        select_by=begin + SELECT_S,
        openings_length=2_000,
        openings_digest=money.digest_of("openings"),
        nonce=secrets.token_bytes(32),
        regions=tuple(sorted((region_id("north"), region_id("south")))),
    )


@pytest.fixture
def send_broadcast(market: Any, buyer: Any) -> Callable[..., Any]:
    """``send_broadcast(conditions, by=…, value=…)``: the transaction."""

    def send(conditions: Conditions, *, by: Any = None, value: int = APPLICATION_WEI) -> Any:
        sender = getattr(by, "account", by) or buyer.account
        return market.broadcast(conditions, {"from": sender, "value": value})

    return send


@pytest.fixture
def broadcast(market: Any, buyer: Any, send_broadcast: Any, some_conditions: Conditions):
    """``broadcast(field=value…)``: buyer's broadcast, out."""

    def make(**changed: Any) -> Ad:
        conditions = some_conditions._replace(**{"nonce": secrets.token_bytes(32), **changed})
        send_broadcast(conditions)
        return Ad(broadcasts.id_of(market, buyer, conditions), conditions)

    return make


@pytest.fixture
def respond(
    market: Any, catalogue: Any, processor: Any, processor_two: Any, data_set: Any,
    data_set_two: Any,
):  # fmt: skip
    """``respond(ad, by, price=…, data_set_id=…, versions=…)``: the transaction."""
    own = {processor.address: data_set, processor_two.address: data_set_two}

    def send(
        ad: Ad,
        by: Any,
        *,
        price: int = OFFER_WEI,
        data_set_id: bytes | None = None,
        versions: tuple[int, int] | None = None,
    ) -> Any:
        offered = data_set_id or own[by.address].data_set_id
        held = versions or tuple(catalogue.versions())
        return market.respond(ad.id, offered, price, *held, {"from": by.account})

    return send


@pytest.fixture
def form(market: Any) -> Callable[[Ad], list[str]]:
    """``form(ad)``: the responders in the form's order."""
    return lambda ad: [line[0] for line in market.formOf(ad.id)]


@pytest.fixture
def choose(
    market: Any, lock: Any, catalogue: Any, buyer: Any, group: Group, now: Any
) -> Callable[..., tuple]:
    """``choose(ad, responder, field=value…)``: a signed Choice of the line as it stands."""

    def make(ad: Ad, responder: Any, **changed: Any) -> tuple:
        lines = [line for line in market.formOf(ad.id) if line[0] == responder.address]
        line = lines[0] if lines else (responder.address, 0, money.NOTHING, 0, 0, 1, 1)
        price, data_set_id = line[1], bytes(line[2])
        terms = terms_of(catalogue, price, *line[5:7])
        order = SharingOrder(
            payer=buyer.address,
            payee=responder.address,
            broadcast_id=ad.id,
            data_set_id=data_set_id,
            group_hash=changed.pop("group", group).hash,
            threshold=ad.conditions.threshold,
            group_size=ad.conditions.group_size,
            price_wei=price,
            message_length=1_500,
            signed_at=1_700_000_000,
            expires_at=now() + 5_000,
            message_digest=money.digest_of("sealed conditions"),
            nonce=secrets.token_bytes(32),
            terms=terms,
        )._replace(**changed)
        signature = money.sign_sharing(lock, buyer, order)
        return (
            order.payee, order.expires_at, order.message_length, order.signed_at,
            order.message_digest, order.nonce, order.terms, signature,
        )  # fmt: skip

    return make


@pytest.fixture
def select(market: Any, buyer: Any, group: Group) -> Callable[..., Any]:
    """``select(ad, choices, value=…, members=…, by=…)``: the transaction."""

    def send(ad: Ad, choices: list, *, value: int, members: Any = None, by: Any = buyer) -> Any:
        accounts = group.accounts if members is None else members
        return market.select(ad.id, accounts, choices, {"from": by.account, "value": value})

    return send


# ---- a full form ----


class FullForm(NamedTuple):
    """A broadcast with 16 standing lines. A region has one active processor at a time: of eight
    regions the first one was revoked before its successor responded; its line stands."""

    ad: Ad
    regions: tuple[bytes, ...]
    credits: dict[str, int]  # in the order of response
    accounts: dict[str, Any]
    active: dict[bytes, Any]  # who serves a region now
    last_gas: int


@pytest.fixture(scope="module")
def full_form(
    module_isolation: None, terms: None, admit: Any, revoke: Any, data_sets: Any, market: Any,
    credit: Any, lock: Any, buyer: Any, now: Any,
) -> FullForm:  # fmt: skip
    regions = tuple(sorted(region_id(f"region {i:02}") for i in range(8)))
    begin = now()
    conditions = Conditions(
        *(WINDOW[0], WINDOW[1], 1, 3, 2, MAX_PRICE_WEI),
        *(begin + 5 * DAY, begin + 6 * DAY, 2_000, money.digest_of("openings")),
        *(money.digest_of("full"), regions),
    )
    market.broadcast(conditions, {"from": buyer.account, "value": APPLICATION_WEI})
    ad = Ad(broadcasts.id_of(market, buyer, conditions), conditions)
    credits, accounts, active, used = {}, {}, {}, 0
    for i in range(16):
        region = regions[i % 8]
        if region in active:
            revoke(active[region])
        member = active[region] = admit(Role.PROCESSOR, region)
        credits[member.address] = 100 + (i * 7) % 11 * 10  # with ties
        accounts[member.address] = member.account
        money.set_credit(credit, member, credits[member.address])
        bond = {"from": buyer.account, "value": money.bond_of(OFFER_WEI)}
        lock.addBond(member.address, bond)  # what is added later would not back the response
        data_set_id = money.publish(data_sets, member).data_set_id
        options = {"from": member.account}
        used = market.respond(ad.id, data_set_id, OFFER_WEI, 1, 1, options).gas_used
    return FullForm(ad, regions, credits, accounts, active, used)
