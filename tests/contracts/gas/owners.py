"""Gas of the owners' side: draws from data sets of 1,024 devices, ended sales, settlement."""

from __future__ import annotations

from typing import Any

import money
import publishing
import selling
from members import Role, region_id

from tests.contracts.gas import deliveries

DEVICES, TEN = 1_024, 10
OF_MANY = "of 1,024 devices"


def measure(w: Any, meter: Any) -> None:
    """Draws of one owner with one device in each data set: every (set, device) draws for the first
    time, but the last one."""
    w.group = money.group_of(w.buyer, w.buyer_two, w.buyer_three)
    owner = w.admit(Role.USER, region_id("north"), account=meter.account())
    options = {"owner": owner, "account": meter.account()}
    device = w.admit(Role.DEVICE, region_id("north"), **options)
    strangers = publishing.strangers(DEVICES - 1)
    others = publishing.owners_of(*strangers, (device, 1_000))
    drawn, draws = {"from": w.relayer}, []
    for i in range(TEN + 2):
        it = publish(w, meter, owners=others)
        terms = {"price_wei": deliveries.OFFER_WEI + i, "owners_bps": money.OWNERS_BPS}
        selling.sell(w, it, seller=w.processor, **terms)
        draws.append((it.data_set_id, others.leaf(device)))
    name = f"DataSetBook.draw, {OF_MANY}"
    meter.take(f"{name}, into an empty purse", w.data_sets.draw(*draws[0], drawn))
    meter.take(f"{name}, into a purse in use", w.data_sets.draw(*draws[1], drawn))
    meter.take(f"{name}, nothing new", w.data_sets.draw(*draws[1], drawn))
    tx = w.data_sets.drawMany(draws[2:], drawn)
    assert tx.events.count("Drawn") == TEN
    meter.take(f"DataSetBook.drawMany, ten data sets {OF_MANY}", tx)
    selling.sell(w, it, seller=w.processor, **terms)
    meter.take(f"{name}, for a second time", w.data_sets.draw(*draws[-1], drawn))
    measure_ends(w, meter, others, device)


def measure_ends(w: Any, meter: Any, owners: publishing.OwnersList, device: Any) -> None:
    """Sales ended by the seller, and by whoever shows a leaf without consent."""
    for _ in range(2):
        first, second = (publish(w, meter, owners=owners) for _ in range(2))
        tx = w.data_sets.retire(first.data_set_id, {"from": w.processor.account})
        meter.take("DataSetBook.retire", tx)
        leaf = owners.leaf(device)
        tx = w.data_sets.retireFor(second.data_set_id, leaf, {"from": w.relayer})
        meter.take(f"DataSetBook.retireFor, {OF_MANY}", tx)


def measure_settlement(w: Any, meter: Any) -> None:
    """Twice a sale settled behind its dispute window, which the catalogue was given."""
    group = money.group_of(w.buyer, w.buyer_two, w.buyer_three)
    it = publish(w, meter)
    for _ in range(2):
        lock_id, _ = deliveries.delivered(w, meter, it, group, 2)
        meter.tick()
        meter.take("PrepaidLock.settle, a sale", w.lock.settle(lock_id, {"from": w.relayer}))


def publish(w: Any, meter: Any, **options: Any) -> publishing.PublishedSet:
    """Publish a data set of processor; its sale ends at a fixed time, as all times here."""
    return publishing.publish(
        w.data_sets, w.processor, sale_until=meter.now + deliveries.SALE_S, **options
    )
