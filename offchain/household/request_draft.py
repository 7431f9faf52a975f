"""A user's request before it is paid: the sealed message M, the order R and its signature σ
(protocol §3).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.crypto import bls, kem, messages
from offchain.member.directory import MemberDirectory
from offchain.member.errors import MemberError
from offchain.member.keys import MemberKeys
from offchain.member.lock_terms import LockTerms
from offchain.member.locks import lock_id_of
from offchain.records import contexts, request
from offchain.records.request import RequestText
from offchain.storage import ContentStore
from offchain.types import to_account

Order = tuple[str, int, int, int, int, bytes, bytes, tuple[int, ...]]


@dataclass(frozen=True)
class RequestDraft:
    """What `PrepaidLock.request` takes, the price to send along, and the lock that will come of
    it. `message` is M as stored, `opening` its r ‖ coins.
    """

    lock_id: bytes
    order: Order
    signature: tuple[int, int]
    price_wei: int
    message: bytes = field(repr=False)
    opening: bytes = field(repr=False)

    @property
    def expires_at(self) -> int:
        """T."""
        return self.order[4]


def draft_request(
    type_id: int,
    *,
    devices: Sequence[str],
    window: tuple[int, int],
    time_zone: str,
    product: str,
    expires_at: int,
    price_wei: int,
    terms: LockTerms,
    processor: str,
    gateway: ChainGateway,
    store: ContentStore,
    keys: MemberKeys,
    directory: MemberDirectory,
    signed_at: int | None = None,
) -> RequestDraft:
    """Seal the message to the processor, store it, and sign the order with its terms.

    Pays nothing and checks no terms. `signed_at` None is now.
    """
    nonce = secrets.token_bytes(32)
    prepaid_lock = gateway.deployment.address("PrepaidLock")
    text = RequestText(
        identity=keys.identity,
        salt=keys.salt,
        devices=tuple(to_account(one) for one in devices),
        from_s=window[0],
        to_s=window[1],
        time_zone=time_zone,
        product=product,
    )
    parties: dict[str, Any] = {
        "chain_id": gateway.chain_id,
        "prepaid_lock": prepaid_lock,
        "requester": keys.address,
        "processor": processor,
        "type_id": type_id,
        "nonce": nonce,
    }
    recipient = directory.paillier_key(processor)
    sealed, opening = kem.seal_with_opening(
        recipient, request.encode(text), context=contexts.request(**parties)
    )
    digest = store.put(sealed).digest
    if signed_at is None:
        signed_at = gateway.now()
    message = messages.request_message(
        **parties,
        message_digest=digest,
        message_length=len(sealed),
        signed_at=signed_at,
        expires_at=expires_at,
        terms=terms.words(),
    )
    order = (processor, type_id, len(sealed), signed_at, expires_at, digest, nonce, terms.words())
    return RequestDraft(
        lock_id=lock_id_of(gateway, keys.address, nonce),
        order=order,
        signature=bls.sign(keys.bls, message, role=messages.Role.REQUEST).words(),
        price_wei=price_wei,
        message=sealed,
        opening=opening.to_bytes(recipient),
    )


def require_devices(devices: Sequence[str]) -> None:
    """Raise MemberError unless there is at least one device and none twice."""
    if not devices or len(set(devices)) != len(devices):
        raise MemberError("name at least one device, and each one once")
