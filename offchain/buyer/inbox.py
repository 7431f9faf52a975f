"""The inbox of a buyer: shares that other members of a group hand over (docs/formats.md §13)."""

from __future__ import annotations

from offchain.buyer.kept_shares import KeptShares
from offchain.chain.gateway import ChainGateway
from offchain.database import Place
from offchain.errors import CryptoError, RecordError
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import MemberError, ShareRefused
from offchain.member.grants import GrantBook
from offchain.member.keys import MemberKeys
from offchain.records import contexts, signing
from offchain.records import sharing as sharing_records
from offchain.records.sharing import ShareDelivery


class ShareInbox(KeptShares):
    """Take in the shares that the group hands over, and keep them beside one's own.

    A share is taken from its sender alone and opened here; whether it is the one that was dealt
    is checked when the key is recovered, so that a false one can be named. A sender may replace
    its share.
    """

    def __init__(
        self, place: Place, *, gateway: ChainGateway, index: ChainIndex, keys: MemberKeys
    ) -> None:
        super().__init__(place)
        self._gateway = gateway
        self._keys = keys
        self._grants = GrantBook(gateway, index)

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
