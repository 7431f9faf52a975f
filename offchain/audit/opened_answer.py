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
from offchain.member.directory import MemberDirectory
from offchain.member.errors import AnswerInvalid, AnswerNotReady, AnswerNotServed
from offchain.member.keys import MemberKeys
from offchain.member.locks import Lock, LockBook
from offchain.member.roles import LockState, Reason
from offchain.records import answer as answers
from offchain.records import contexts
from offchain.records.answer import Answer
from offchain.storage import ContentStore
from offchain.storage.errors import says_nothing

# x is public, so that the answer opens, whatever became of the lock since.
_CLAIMED = (
    LockState.CLAIMED,
    LockState.DEMANDED,
    LockState.DISPUTED,
    LockState.SETTLED,
    LockState.SLASHED,
)


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
        return self.answer.result


def open_answer(
    lock: Lock,
    *,
    gateway: ChainGateway,
    store: ContentStore,
    keys: MemberKeys,
    directory: MemberDirectory,
    book: LockBook,
) -> OpenedAnswer:
    """Open a claimed lock's answer and check σ_p.

    Raises AnswerNotReady, AnswerNotServed, AnswerInvalid.
    """
    if lock.state not in _CLAIMED:
        raise AnswerNotReady(lock.state, _reason(lock, book))
    outer = answer_bytes(lock, store=store, book=book)
    try:
        sealed = open_outer(lock, outer, gateway=gateway, book=book)
        reply = keys.open_sealed(sealed, context=answer_context(lock, gateway))
        return read_reply(lock, reply, gateway=gateway, directory=directory)
    except (CryptoError, RecordError) as error:
        raise AnswerInvalid(
            f"the answer of lock {lock.lock_id.hex()} does not open: {error}"
        ) from error


def answer_bytes(lock: Lock, *, store: ContentStore, book: LockBook) -> bytes:
    """Return the sealed answer: as it was served on chain, else from the content store.

    Its length keeps it within one block, so that both are the same bytes. Raises AnswerNotServed;
    StoreUnavailable, and ObjectCorrupt of one's own store, as they are: nothing is known then.
    """
    if lock.is_demanded and (served := book.find_event("Served", lock.lock_id)):
        return bytes(served.args["answer"])
    try:
        return store.get(lock.answer_digest, max_bytes=lock.answer_length)
    except StorageError as error:
        if says_nothing(error):
            raise
        raise AnswerNotServed(
            f"the answer of lock {lock.lock_id.hex()} is not served: {error}"
        ) from error


def open_outer(lock: Lock, outer: bytes, *, gateway: ChainGateway, book: LockBook) -> bytes:
    """Open the box under the revealed x: what is left is sealed to the payer. Raises
    DecryptionError.
    """
    factor = bytes(book.event_of("Claimed", lock.lock_id).args["secret"])
    key = contexts.factor_key(factor, lock.lock_id)
    return box.open_sealed(key, outer, context=answer_context(lock, gateway))


def answer_context(lock: Lock, gateway: ChainGateway) -> bytes:
    """Return what both seals of a lock's answer authenticate."""
    return contexts.answer(
        chain_id=gateway.chain_id,
        prepaid_lock=gateway.deployment.address("PrepaidLock"),
        lock_id=lock.lock_id,
        requester=lock.payer,
        processor=lock.payee,
    )


def read_reply(
    lock: Lock, reply: bytes, *, gateway: ChainGateway, directory: MemberDirectory
) -> OpenedAnswer:
    """Decode a reply in the clear and check σ_p. Raises RecordError."""
    plain, signature = answers.decode_reply(reply)
    answer = answers.decode(plain)
    is_valid = bls.verify(
        directory.member(lock.payee).bls_key,
        _signed_message(lock, answer, plain, gateway),
        signature,
        role=messages.Role.ANSWER,
        pairing_check=configured_pairing(gateway),
    )
    return OpenedAnswer(lock, answer, plain, signature, is_valid)


def _reason(lock: Lock, book: LockBook) -> Reason | None:
    if lock.state is not LockState.REJECTED:
        return None
    return Reason(book.event_of("Rejected", lock.lock_id).args["reason"])


def _signed_message(lock: Lock, answer: Answer, plain: bytes, gateway: ChainGateway) -> bytes:
    return messages.answer_message(
        chain_id=gateway.chain_id,
        prepaid_lock=gateway.deployment.address("PrepaidLock"),
        lock_id=lock.lock_id,
        answer_digest=hashlib.sha256(plain).digest(),
        requester=lock.payer,
        processor=lock.payee,
        type_id=lock.type_id,
        signed_at=answer.signed_at,
    )
