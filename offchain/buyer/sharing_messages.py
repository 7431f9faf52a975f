"""What a sharing node seals and signs: ID openings, selections, shares (docs/formats.md §13)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.crypto import bls, kem, messages
from offchain.crypto.curve import G1
from offchain.crypto.secret import SecretBytes
from offchain.member.grants import ReceivedGrant
from offchain.member.member_keys import MemberKeys
from offchain.member.members import MemberDirectory
from offchain.records import contexts, signing
from offchain.records import sharing as sharing_records
from offchain.records.sharing import IdOpening, SelectionText, ShareDelivery, ShareMessage
from offchain.storage import ContentStore
from offchain.types import Account


@dataclass(frozen=True, slots=True)
class FormLine:
    """One responder in the form, as the contract sorted it."""

    processor: Account
    price_wei: int
    data_set_id: bytes
    credit: int
    responded_at: int


class SharingMessages:
    """Seal and sign in a sharing node's name. Nothing is sent to the chain from here."""

    def __init__(
        self,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._keys = keys
        self._directory = directory

    def openings(self, regions: Sequence[bytes], broadcast_id: bytes) -> bytes:
        """Seal the own ID opening to the active node of each region."""
        opening = IdOpening(identity=self._keys.identity, salt=self._keys.salt)
        plain = sharing_records.encode_opening(opening)
        sealed = {}
        for region in regions:
            processor = self._directory.processor_of(region)
            context = contexts.opening(
                chain_id=self._gateway.chain_id,
                data_market=self._gateway.deployment.address("DataMarket"),
                requester=self._keys.address,
                processor=processor,
                broadcast_id=broadcast_id,
            )
            key = self._directory.paillier_key(processor)
            sealed[processor] = kem.seal(key, plain, context=context)
        return sharing_records.encode_openings(sealed)

    def choice(
        self,
        broadcast_id: bytes,
        *,
        line: FormLine,
        group: Sequence[Account],
        group_hash: bytes,
        expires_at: int,
        purpose: str,
    ) -> tuple[object, ...]:
        """Store M_s and sign the selection of one node: a `Choice` of `DataMarket.select`."""
        nonce, signed_at = secrets.token_bytes(32), self._gateway.now()
        parties: dict[str, Any] = {
            "chain_id": self._gateway.chain_id,
            "prepaid_lock": self._gateway.deployment.address("PrepaidLock"),
            "requester": self._keys.address,
            "processor": line.processor,
            "nonce": nonce,
        }
        text = SelectionText(
            broadcast_id=broadcast_id,
            data_set_id=line.data_set_id,
            members=tuple(group),
            purpose=purpose,
        )
        sealed = kem.seal(
            self._directory.paillier_key(line.processor),
            sharing_records.encode_selection(text),
            context=contexts.sharing(**parties),
        )
        digest = self._store.put(sealed).digest
        message = messages.sharing_message(
            **parties,
            broadcast_id=broadcast_id,
            data_set_id=line.data_set_id,
            message_digest=digest,
            message_length=len(sealed),
            signed_at=signed_at,
            expires_at=expires_at,
            group_hash=group_hash,
        )
        signature = bls.sign(self._keys.bls, message, role=messages.Role.SHARING).words()
        return (line.processor, expires_at, len(sealed), signed_at, digest, nonce, signature)

    def delivery(self, grant: ReceivedGrant, share: G1, recipient: Account) -> ShareDelivery:
        """Seal and sign the own share S_i for another member."""
        parties: dict[str, Any] = {
            "chain_id": self._gateway.chain_id,
            "prepaid_lock": self._gateway.deployment.address("PrepaidLock"),
            "sender": self._keys.address,
            "recipient": recipient,
            "lock_id": grant.lock_id,
        }
        message = ShareMessage(lock_id=grant.lock_id, index=grant.my_index, share=share)
        sealed = kem.seal(
            self._directory.paillier_key(recipient),
            sharing_records.encode_share(message),
            context=contexts.share(**parties),
        )
        digest = signing.share_digest(**parties, sealed=sealed)
        signature = signing.sign(digest, SecretBytes(bytes(self._keys.account.key)))
        return ShareDelivery(
            lock_id=grant.lock_id, sender=self._keys.address, sealed=sealed, signature=signature
        )
