"""What a node looks at before it offers a data set: a selection obliges it with no later yes."""

import time
from dataclasses import replace
from typing import Any

import pytest

from offchain.buyer.form import form_of
from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway
from offchain.member.broadcast import conditions_of
from offchain.member.lock_terms import sharing_conditions, terms_of
from offchain.member.locks import deliver_gas
from offchain.node import deals
from offchain.node.worker import NodeWorker
from tests.integration.buyer.test_sharing import call_for_data, publish_both, select_both
from tests.integration.town import (
    APPLICATION_WEI,
    DATA_SET_PRICE_WEI,
    Node,
    Town,
    sold_wei,
    worker_of,
)

BREAK_EVEN_WEI = sold_wei(DATA_SET_PRICE_WEI) // deliver_gas(2, 3)  # of a unit of gas


def worker_at(town: Town, node: Node, *, gas_price_wei: int | None = 0, **terms: int) -> NodeWorker:
    gateway = ChainGateway(
        town.anvil.url, town.deployment, account=node.keys.account, gas_price_wei=gas_price_wei
    )
    return worker_of(town, node, gateway=gateway, **terms)


@pytest.mark.parametrize(("more_wei", "kind"), [(0, "responded"), (1, "skipped")])
def test_respond__given_a_gas_price__answers_what_pays_for_the_delivery(
    fresh: Town, more_wei: int, kind: str
) -> None:
    publish_both(fresh)
    broadcast_id, node = call_for_data(fresh), fresh.nodes[0]
    worker = worker_at(fresh, node, gas_price_wei=BREAK_EVEN_WEI + more_wei)

    (outcome,) = worker.run_once()

    assert (outcome.kind, outcome.id) == (kind, broadcast_id)
    form = form_of(fresh.buyers[0].gateway, broadcast_id)
    assert len(form) == (1 if kind == "responded" else 0)
    if kind == "skipped":
        cost_wei = deliver_gas(2, 3) * (BREAK_EVEN_WEI + 1)
        assert outcome.detail.startswith(
            f"delivering to a group of 3 with threshold 2 costs up to {cost_wei} wei of gas, "
            f"{sold_wei(DATA_SET_PRICE_WEI)} wei would be earned"
        )
        assert worker.run_once() == []  # said once


def test_respond__given_a_large_group__asks_what_its_delivery_costs(fresh: Town) -> None:
    """At one price of gas a group of 3 is served and one of 100 is not."""
    publish_both(fresh)
    buyer, node, (start, end) = fresh.buyers[0], fresh.nodes[0], fresh.houses[0].window
    now = buyer.gateway.now()
    small = call_for_data(fresh)
    large = buyer.broadcasts.make(
        regions=[node.region],
        window_from=start,
        window_to=end,
        max_price_wei=2 * DATA_SET_PRICE_WEI,
        group_size=100,
        threshold=100,
        respond_by=now + 600,
        select_by=now + 1_200,
        purpose="a study",
    )

    kinds = {one.id: one.kind for one in worker_at(fresh, node, gas_price_wei=10**9).run_once()}

    assert kinds == {small: "responded", large: "skipped"}


def test_deliver__for_the_first_time__takes_less_gas_than_was_reckoned(fresh: Town) -> None:
    publish_both(fresh)
    broadcast_id, node = call_for_data(fresh), fresh.nodes[0]
    node.worker.run_once()
    (lock_id,) = select_both(fresh, broadcast_id)

    outcome = node.worker.market.deliver(lock_id)

    assert outcome.receipt is not None and outcome.receipt.gas_used < deliver_gas(2, 3)


@pytest.mark.parametrize(
    ("margin_s", "depth", "kind"),
    [(30, 0, "responded"), (31, 0, "skipped"), (15, 3, "responded"), (16, 3, "skipped")],
)
def test_respond__given_the_shortest_t__answers_what_leaves_time_to_deliver(
    fresh: Town, margin_s: int, depth: int, kind: str
) -> None:
    """A selection may have its T 60 s ahead, the fewest there are; a block comes every 10 s."""
    fresh.admin.set_sharing_terms(application_wei=APPLICATION_WEI, shortest_s=60)
    publish_both(fresh)
    broadcast_id, node = call_for_data(fresh), fresh.nodes[0]
    for _ in range(9):
        fresh.anvil.stand_at(fresh.anvil.now() + 10)
    worker = worker_at(fresh, node, margin_s=margin_s, confirmations=depth)

    (outcome,) = worker.run_once()

    assert (outcome.kind, outcome.id) == (kind, broadcast_id)
    if kind == "skipped":
        needed_s = 2 * margin_s + 10 * depth
        assert outcome.detail.startswith(
            f"a selection may leave 60 s until T, this node needs {needed_s} s"
        )
        assert worker.run_once() == []


def test_respond__given_opening_that_comes_late__waits_and_responds(fresh: Town) -> None:
    publish_both(fresh)
    broadcast_id, node = call_for_data(fresh), fresh.nodes[0]
    worker = worker_of(fresh, node)
    _, conditions = conditions_of(node.gateway, fresh.index, broadcast_id)
    digest = conditions.openings_digest
    openings = fresh.store.get(digest, max_bytes=32_768)
    fresh.store.unpin(digest)

    (outcome,) = worker.run_once()
    assert outcome.kind == "skipped" and "nobody has the opening" in outcome.detail
    fresh.store.put(openings)
    time.sleep(0.6)  # the next search is due by now

    assert [one.kind for one in worker.run_once()] == ["responded"]


def test_respond__given_opening_missing_until_the_end__leaves_the_broadcast(fresh: Town) -> None:
    publish_both(fresh)
    broadcast_id, node = call_for_data(fresh), fresh.nodes[0]
    worker = worker_of(fresh, node)
    _, conditions = conditions_of(node.gateway, fresh.index, broadcast_id)
    fresh.store.unpin(conditions.openings_digest)
    fresh.anvil.stand_at(conditions.respond_by - 20)

    (outcome,) = worker.run_once()

    assert outcome.kind == "skipped" and "in time" in outcome.detail
    assert worker.run_once() == []


def test_select__given_rules_and_terms_changed_since_the_offer__begins_under_the_offers(
    fresh: Town,
) -> None:
    publish_both(fresh)
    broadcast_id, node = call_for_data(fresh), fresh.nodes[0]
    node.worker.run_once()
    (line,) = form_of(fresh.buyers[0].gateway, broadcast_id)
    offered = sharing_conditions(node.gateway, line.rules_version, line.sharing_version)
    fresh.admin.set_rules(feeBps=900, bondBps=5_000)
    fresh.admin.set_sharing_terms(
        application_wei=APPLICATION_WEI, shortest_s=3_000, dispute_window_s=600
    )

    (lock_id,) = select_both(fresh, broadcast_id)

    lock = fresh.buyers[0].locks.lock(lock_id)
    signed = terms_of(lock, sharing_version=line.sharing_version)
    assert signed == offered.terms(DATA_SET_PRICE_WEI)
    assert (line.rules_version, line.sharing_version) == (1, 1) and lock.dispute_window_s == 0
    assert node.worker.market.deliver(lock_id).kind == "delivered"


def test_respond__when_the_terms_change_before_it_is_mined__judges_the_new_ones(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_both(fresh)
    broadcast_id, node = call_for_data(fresh), fresh.nodes[0]
    with monkeypatch.context() as overtaking:
        real = node.gateway.transact

        def overtaken(*args: Any, **options: Any) -> Receipt:
            fresh.admin.set_rules(feeBps=300)
            return real(*args, **options)

        overtaking.setitem(vars(node.gateway), "transact", overtaken)
        node.worker.market.open_broadcasts()
        late = node.worker.market.respond(broadcast_id)

    again = node.worker.market.respond(broadcast_id)

    assert late.kind == "skipped" and late.detail.startswith("waits: ")
    assert again.kind == "responded"
    (line,) = form_of(fresh.buyers[0].gateway, broadcast_id)
    assert line.rules_version == 2


def test_deliver__given_terms_that_were_not_offered__declines(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contracts do not let it come so far; a node looks all the same before it deals."""
    publish_both(fresh)
    broadcast_id, node = call_for_data(fresh), fresh.nodes[0]
    node.worker.run_once()
    (lock_id,) = select_both(fresh, broadcast_id)
    real = deals.sharing_conditions
    monkeypatch.setattr(
        deals, "sharing_conditions", lambda *args: replace(real(*args), bond_bps=1_000)
    )

    outcome = node.worker.market.deliver(lock_id)

    assert outcome.kind == "declined" and "not offered so" in outcome.detail
