"""Gas of share deliveries by size, and of a dispute by a member of the group."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import disputes
import money
from brownie import history, web3
from money import Group, PublishedSet, SharingOrder

from offchain.crypto import delivery, sharing

SIZES = ((3, 5), (6, 10), (34, 50), (67, 100))
LARGEST = (100, 100)  # that the contract takes
OFFER_WEI = 5 * 10**15
SALE_S = 29 * money.DAY


def measure(w: Any, meter: Any, sizes: Sequence[tuple[int, int]]) -> None:
    """Share deliveries of each size, settled at once, to groups that the lock's snapshot names."""
    data_set = money.publish(w.data_sets, w.processor, sale_until=meter.now + SALE_S)
    for threshold, size in ((2, 3), *sizes):
        keys = [delivery.public_key(delivery.DeliverySecretKey.generate()) for _ in range(size)]
        members = [web3.to_checksum_address(f"0x{0x1111 * (i + 1):040x}") for i in range(size)]
        _, tx = delivered(w, meter, data_set, Group(members, keys), threshold)
        if (threshold, size) in sizes:
            meter.take(f"PrepaidLock.deliver, ({threshold},{size})", tx)


def measure_disputes(w: Any, meter: Any) -> None:
    """Twice a data set published, delivered to three members, and disputed by one of them."""
    group = money.group_of(w.buyer, w.buyer_two, w.buyer_three)
    for _ in range(2):
        data_set = money.publish(w.data_sets, w.processor, sale_until=meter.now + SALE_S)
        meter.take("DataSetBook.publish", history[-1])
        lock_id, _ = delivered(w, meter, data_set, group, 2)
        options = {"from": w.buyer_two.account, "value": w.lock.disputeWeiOf(lock_id)}
        arguments = (lock_id, group.accounts, group.key_words, *disputes.EVIDENCE)
        tx = w.lock.disputeAsMember(*arguments, options)
        meter.take("PrepaidLock.disputeAsMember, group of 3", tx)
        arguments = (*arguments[:3], money.digest_of("more"), 500)
        tx = w.court.addEvidenceAsMember(*arguments, {"from": w.buyer_three.account})
        meter.take("DisputeCourt.addEvidenceAsMember, group of 3", tx)


def delivered(
    w: Any, meter: Any, data_set: PublishedSet, group: Group, threshold: int
) -> tuple[bytes, Any]:
    """Open a lock as the market does and deliver its shares; return its id and the delivery."""
    market = money.unlocked(w.market.address, balance_wei=10**24)
    order = SharingOrder(
        payer=w.buyer.address,
        payee=w.processor.address,
        broadcast_id=money.digest_of("broadcast"),
        data_set_id=data_set.data_set_id,
        group_hash=group.hash,
        threshold=threshold,
        group_size=len(group.accounts),
        price_wei=OFFER_WEI,
        message_length=1_500,
        signed_at=1_700_000_000,
        expires_at=meter.tick() + 5_000,
        message_digest=money.digest_of("sealed conditions"),
        nonce=secrets.token_bytes(32),
        terms=present_terms(w),
    )
    signature = money.sign_sharing(w.lock, w.buyer, order)
    w.lock.openSharing(order, signature, {"from": market, "value": OFFER_WEI})
    dealt = sharing.deal(data_set.key, threshold=threshold, delivery_keys=group.keys)
    lock_id = money.id_of(w.lock, w.buyer, order.nonce)
    words = money.transcript_words(dealt)
    leave = money.sign_delivery(w.lock, w.processor, lock_id, group, words)
    members = (group.accounts, group.key_words)
    return lock_id, w.lock.deliver(lock_id, *members, *words, leave, {"from": w.relayer})


def present_terms(w: Any) -> money.LockTerms:
    """Return the terms that hold for a sharing lock at the price of these measurements."""
    rules_version, sharing_version = w.catalogue.versions()
    rules, terms = w.catalogue.rulesAt(rules_version), w.catalogue.sharingTerms()
    bond = OFFER_WEI * rules["bondBps"] // money.BPS
    parts = (terms["disputeWindowSeconds"], rules["feeBps"], terms["ownersBps"])
    return money.LockTerms(rules_version, sharing_version, *parts, 0, bond)
