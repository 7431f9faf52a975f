"""A sale from selection to settlement, as the market and its parties make it, in one call."""

from __future__ import annotations

import secrets
from typing import Any

import money
from brownie import web3
from publishing import PublishedSet

from offchain.crypto import sharing

THRESHOLD = 2


def sell(
    w: Any, published: PublishedSet, *, seller: Any, price_wei: int, owners_bps: int
) -> tuple[bytes, Any]:
    """Sell a data set to ``w.buyer`` and a group of three under the present terms of sharing.

    ``w`` has ``lock``, ``catalogue``, ``buyer`` and ``group``; the terms have no dispute window and
    give owners ``owners_bps``. Returns the lock's id and the delivery, which settles it.
    """
    market = money.unlocked(w.lock.market(), balance_wei=10**24)
    version = w.catalogue.versions()[1]
    order = money.SharingOrder(
        payer=w.buyer.address,
        payee=seller.address,
        broadcast_id=money.digest_of("broadcast"),
        data_set_id=published.data_set_id,
        group_hash=w.group.hash,
        threshold=THRESHOLD,
        group_size=len(w.group.accounts),
        price_wei=price_wei,
        message_length=1_500,
        signed_at=1_700_000_000,
        expires_at=web3.eth.get_block("latest")["timestamp"] + 2 * money.SHARING_SHORTEST_S,
        message_digest=money.digest_of("sealed conditions"),
        nonce=secrets.token_bytes(32),
        terms=money.sharing_terms(price_wei, version=version, owners_bps=owners_bps),
    )
    signature = money.sign_sharing(w.lock, w.buyer, order)
    w.lock.openSharing(order, signature, {"from": market, "value": price_wei})
    dealt = sharing.deal(published.key, threshold=THRESHOLD, delivery_keys=w.group.keys)
    words = money.transcript_words(dealt)
    lock_id = money.id_of(w.lock, w.buyer, order.nonce)
    members = (w.group.accounts, w.group.key_words)
    options = {"from": seller.account}
    tx = w.lock.deliver(lock_id, *members, *words, money.NO_AUTHORISATION, options)
    return lock_id, tx


def part_of(price_wei: int, rows: int, owners_bps: int) -> tuple[int, int]:
    """Return what a row gets of a price, and what the division leaves to the treasury."""
    return divmod(price_wei * owners_bps // money.BPS, rows)
