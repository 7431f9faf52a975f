"""Gas of broadcasts, responses and selections, up to the largest that the market takes."""

from __future__ import annotations

import secrets
from typing import Any

import broadcasts
import money
from broadcasts import Conditions
from members import Role, region_id
from money import Group, SharingOrder

from tests.contracts.gas.deliveries import OFFER_WEI, SALE_S, present_terms

SELECT_S = 40_000  # from a broadcast to its respondBy
MOST_REGIONS, LARGEST_GROUP = 16, (67, 100)


def measure(w: Any, meter: Any) -> None:
    """A broadcast in each of its ways; then a form of 16 into which two more respond at the top."""
    regions = tuple(sorted((region_id("north"), region_id("south"))))
    nodes = (w.processor, w.processor_two)
    sets = {
        node.address: money.publish(w.data_sets, node, sale_until=meter.now + SALE_S).data_set_id
        for node in nodes
    }
    group = money.group_of(w.buyer, w.buyer_two, w.buyer_three)
    for _ in range(2):
        ad, tx = broadcast(w, meter, regions)
        meter.take("DataMarket.broadcast, 2 regions", tx)
        for node in nodes:
            meter.take("DataMarket.respond, second line", respond(w, ad, node, sets[node.address]))
        options = {"from": w.processor_two.account}
        tx = w.market.withdrawResponse(ad, options)
        meter.take("DataMarket.withdrawResponse", tx)
        data_set_id = sets[w.processor.address]
        order = order_for(w, ad, w.processor, data_set_id, group, 2, meter.tick() + 5_000)
        options = {"from": w.buyer.account, "value": OFFER_WEI}
        tx = w.market.select(ad, group.accounts, [choice_of(w, order)], options)
        meter.take("DataMarket.select, 1 node of a group of 3", tx)
        lock_id = money.id_of(w.lock, w.buyer, order.nonce)
        tx = w.lock.decline(lock_id, 1, {"from": w.processor.account})
        meter.take("PrepaidLock.decline", tx)
        ad, _ = broadcast(w, meter, regions)
        for node in nodes:
            respond(w, ad, node, sets[node.address])
        meter.tick(60_000)
        meter.take("DataMarket.close, 2 responses", w.market.close(ad, {"from": w.relayer}))
    measure_full_form(w, meter)


def measure_full_form(w: Any, meter: Any) -> None:
    """The worst case of a response: into the first place of a form of 16."""
    regions = tuple(sorted(region_id(f"region {i:02}") for i in range(MOST_REGIONS)))
    (ad, _), active, used = broadcast(w, meter, regions), {}, []
    for i in range(18):
        region = regions[(i * 5) % 16 if i < 16 else (0, 15)[i - 16]]
        if region in active:
            w.revoke(active[region])
        node = active[region] = w.admit(Role.PROCESSOR, region, account=meter.account())
        money.set_credit(w.credit, node, 100 + 10 * i)
        data_set_id = money.publish(w.data_sets, node, sale_until=meter.now + SALE_S).data_set_id
        used.append(respond(w, ad, node, data_set_id).gas_used)
    meter.used["DataMarket.respond, into a form of 16"] = max(used[16:])


def measure_largest(w: Any, meter: Any) -> None:
    """Twice the nodes of 16 regions respond, and a group of 100 selects them all."""
    regions = tuple(sorted(region_id(f"of the largest {i:02}") for i in range(MOST_REGIONS)))
    nodes = [w.admit(Role.PROCESSOR, region, account=meter.account()) for region in regions]
    for node in nodes:
        w.lock.addBond(node.address, {"from": w.relayer, "value": 10**18})
    threshold, size = LARGEST_GROUP
    others = [w.admit(Role.SHARER, account=meter.account()) for _ in range(size - 1)]
    group = money.group_of(w.buyer, *others)
    for _ in range(2):
        ad, _ = broadcast(w, meter, regions, LARGEST_GROUP)
        choices = []
        for node in nodes:
            data_set_id = money.publish(
                w.data_sets, node, sale_until=meter.now + SALE_S
            ).data_set_id
            respond(w, ad, node, data_set_id)
            expires_at = meter.now + SELECT_S
            order = order_for(w, ad, node, data_set_id, group, threshold, expires_at)
            choices.append(choice_of(w, order))
        options = {"from": w.buyer.account, "value": OFFER_WEI * len(nodes)}
        tx = w.market.select(ad, group.accounts, choices, options)
        meter.take(f"DataMarket.select, {len(nodes)} nodes of a group of {size}", tx)


def respond(w: Any, ad: bytes, node: Any, data_set_id: bytes) -> Any:
    """Offer a data set under the terms that hold; return the transaction."""
    versions = w.catalogue.versions()
    return w.market.respond(ad, data_set_id, OFFER_WEI, *versions, {"from": node.account})


def broadcast(
    w: Any, meter: Any, regions: tuple[bytes, ...], group: tuple[int, int] = (2, 3)
) -> tuple[bytes, Any]:
    """Broadcast for a group of (threshold, size); return its id and the transaction."""
    threshold, size = group
    respond_by = meter.tick() + SELECT_S
    nonce = secrets.token_bytes(32)
    conditions = Conditions(
        *(*money.WINDOW, 1, size, threshold, 10**18, respond_by, respond_by + 10_000, 2_000),
        *(money.digest_of("openings"), nonce, regions),
    )
    deposit_wei = w.catalogue.sharingTerms()["applicationWei"]
    tx = w.market.broadcast(conditions, {"from": w.buyer.account, "value": deposit_wei})
    return broadcasts.id_of(w.market, w.buyer, conditions), tx


def order_for(
    w: Any, ad: bytes, node: Any, data_set_id: bytes, group: Group, threshold: int, expires_at: int
) -> SharingOrder:
    """Return the buyer's order to one node."""
    return SharingOrder(
        *(w.buyer.address, node.address, ad, data_set_id, group.hash),
        *(threshold, len(group.accounts), OFFER_WEI, 1_500, 1_700_000_000, expires_at),
        *(money.digest_of("sealed conditions"), secrets.token_bytes(32), present_terms(w)),
    )


def choice_of(w: Any, order: SharingOrder) -> tuple:
    """Return the choice that the market makes this order of, signed by the buyer."""
    signature = money.sign_sharing(w.lock, w.buyer, order)
    choice = (order.payee, order.expires_at, order.message_length, order.signed_at)
    return (*choice, order.message_digest, order.nonce, order.terms, signature)
