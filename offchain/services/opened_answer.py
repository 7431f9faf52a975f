"""Open the answer to a request: the box under the revealed x, then the seal to the user
(docs/formats.md §10).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.chain.pairing import configured_pairing
from offchain.crypto import bls, box, messages
from offchain.crypto.curve import G1
from offchain.errors import CryptoError, RecordError, StorageError
from offchain.records import answer as answers
from offchain.records import contexts
from offchain.records.answer import Answer
from offchain.records.result import result_to_json
from offchain.services.errors import AnswerInvalid, AnswerNotReady
from offchain.services.locks import Lock, LockBook
from offchain.services.member_keys import MemberKeys
from offchain.services.members import MemberDirectory
from offchain.services.roles import LockState, Reason
from offchain.storage import ContentStore


@dataclass(frozen=True, repr=False)
class OpenedAnswer:
    """An answer in the clear.

    `signature_valid`: the node's BLS signature binds it to lock, parties, type and time.
    """

    lock: Lock
    answer: Answer
    answer_bytes: bytes
    signature: G1
    signature_valid: bool

    @property
    def lock_id(self) -> bytes:
        """The lock that paid for it."""
        return self.lock.lock_id

    @property
    def result(self) -> dict[str, Any]:
        """The bill or the advice as plain values."""
        return result_to_json(self.answer.result)


def open_answer(
    lock: Lock,
    *,
    gateway: ChainGateway,
    store: ContentStore,
    keys: MemberKeys,
    directory: MemberDirectory,
    book: LockBook,
) -> OpenedAnswer:
    """Open a claimed lock's answer and check σ_p. Raises AnswerNotReady, AnswerInvalid."""
    if lock.state not in (LockState.CLAIMED, LockState.SETTLED):
        raise AnswerNotReady(lock.state, _reason(lock, book))
    length = book.event_of("Accepted", lock.lock_id).args["answerLength"]
    factor = bytes(book.event_of("Claimed", lock.lock_id).args["secret"])
    context = contexts.answer(
        chain_id=gateway.chain_id,
        prepaid_lock=gateway.deployment.address("PrepaidLock"),
        lock_id=lock.lock_id,
        requester=lock.payer,
        processor=lock.payee,
    )
    try:
        outer = store.get(lock.answer_digest, max_bytes=length)
        sealed = box.open_sealed(contexts.factor_key(factor, lock.lock_id), outer, context=context)
        reply = keys.open_sealed(sealed, context=context)
        answer_bytes, signature = answers.decode_reply(reply)
        answer = answers.decode(answer_bytes)
    except (CryptoError, RecordError, StorageError) as error:
        raise AnswerInvalid(
            f"the answer of lock {lock.lock_id.hex()} does not open: {error}"
        ) from error
    is_valid = bls.verify(
        directory.member(lock.payee).bls_key,
        _signed_message(lock, answer, answer_bytes, gateway),
        signature,
        role=messages.Role.ANSWER,
        pairing_check=configured_pairing(gateway),
    )
    return OpenedAnswer(lock, answer, answer_bytes, signature, is_valid)


def _reason(lock: Lock, book: LockBook) -> Reason | None:
    if lock.state is not LockState.REJECTED:
        return None
    return Reason(book.event_of("Rejected", lock.lock_id).args["reason"])


def _signed_message(
    lock: Lock, answer: Answer, answer_bytes: bytes, gateway: ChainGateway
) -> bytes:
    return messages.answer_message(
        chain_id=gateway.chain_id,
        prepaid_lock=gateway.deployment.address("PrepaidLock"),
        lock_id=lock.lock_id,
        answer_digest=hashlib.sha256(answer_bytes).digest(),
        requester=lock.payer,
        processor=lock.payee,
        type_id=lock.type_id,
        signed_at=answer.signed_at,
    )
