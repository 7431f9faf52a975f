"""The inbox of a buyer: shares that other members of a group hand over (docs/formats.md §13)."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

from offchain.chain.gateway import ChainGateway
from offchain.crypto.curve import G1
from offchain.errors import CryptoError, RecordError
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import MemberError, ShareRefused
from offchain.member.grants import GrantBook
from offchain.member.keys import MemberKeys
from offchain.records import contexts, signing
from offchain.records import sharing as sharing_records
from offchain.records.sharing import ShareDelivery

_SCHEMA = """
CREATE TABLE IF NOT EXISTS shares (
    lock_id BLOB NOT NULL,
    member INTEGER NOT NULL,
    share BLOB NOT NULL,
    PRIMARY KEY (lock_id, member)
) WITHOUT ROWID
"""


class ShareInbox:
    """Keep the shares S_i of one's grants durably: one's own, and those handed over by the group.

    A share is taken from its sender alone and opened here; whether it is the one that was dealt
    is checked when the key is recovered, so that a false one can be named. A sender may replace
    its share.
    """

    def __init__(
        self, path: Path, *, gateway: ChainGateway, index: ChainIndex, keys: MemberKeys
    ) -> None:
        self._gateway = gateway
        self._keys = keys
        self._grants = GrantBook(gateway, index)
        self._lock = threading.Lock()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute(_SCHEMA)

    def accept(self, body: object) -> None:
        """Take a share in.

        Raises ShareRefused for one that is not its sender's, not for us, or not readable.
        """
        try:
            delivery = ShareDelivery.from_json(body)
            index = self._index_of(delivery)
            self._require_signed(delivery)
            message = self._open(delivery)
        except (RecordError, CryptoError, MemberError) as error:
            raise ShareRefused(f"the share was refused: {error}") from error
        if (message.lock_id, message.index) != (delivery.lock_id, index):
            raise ShareRefused("the share names another lock or another member than its sender")
        self.keep(delivery.lock_id, index, message.share)

    def keep(self, lock_id: bytes, index: int, share: G1) -> None:
        """Store the share of member `index` (1..n)."""
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO shares VALUES (?, ?, ?)", (lock_id, index, share.to_bytes())
            )

    def shares(self, lock_id: bytes) -> dict[int, G1]:
        """Return the shares held for a lock, by member index."""
        with self._lock:
            rows = self._database.execute(
                "SELECT member, share FROM shares WHERE lock_id = ?", (lock_id,)
            ).fetchall()
        return {index: G1.from_bytes(share) for index, share in rows}

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def _index_of(self, delivery: ShareDelivery) -> int:
        selection = self._grants.selection(delivery.lock_id)
        selection.index_of(self._keys.address)
        return selection.index_of(delivery.sender)

    def _require_signed(self, delivery: ShareDelivery) -> None:
        digest = signing.share_digest(
            chain_id=self._gateway.chain_id,
            prepaid_lock=self._gateway.deployment.address("PrepaidLock"),
            sender=delivery.sender,
            recipient=self._keys.address,
            lock_id=delivery.lock_id,
            sealed=delivery.sealed,
        )
        if not signing.verify_signature(digest, delivery.signature, delivery.sender):
            raise ShareRefused(f"the signature is not {delivery.sender}'s")

    def _open(self, delivery: ShareDelivery) -> sharing_records.ShareMessage:
        context = contexts.share(
            chain_id=self._gateway.chain_id,
            prepaid_lock=self._gateway.deployment.address("PrepaidLock"),
            lock_id=delivery.lock_id,
            sender=delivery.sender,
            recipient=self._keys.address,
        )
        plain = self._keys.open_sealed(delivery.sealed, context=context)
        return sharing_records.decode_share(plain)
