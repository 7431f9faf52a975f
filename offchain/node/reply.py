"""The node's answer to a request: what it holds beside what comes of it, signed, and sealed twice
(docs/formats.md §10).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from offchain.audit.opened_answer import answer_context
from offchain.chain.gateway import ChainGateway
from offchain.crypto import bls, box, messages
from offchain.crypto.kem import Encapsulation
from offchain.member.keys import MemberKeys
from offchain.member.locks import Lock
from offchain.node.store import NodeStore
from offchain.node.windows import HeldWindow
from offchain.records import answer as answers
from offchain.records import batch as batches
from offchain.records import contexts, fields, packed, reading
from offchain.records.answer import AnchoredReading, Answer, DeviceAnswer
from offchain.types import Batch, Reading


def compose_answer(
    lock: Lock,
    windows: Sequence[HeldWindow],
    *,
    kind: str,
    result: fields.Json,
    held: NodeStore,
    signed_at: int,
    as_of_block: int,
) -> Answer:
    """Lay the records beside a bill or advice, by its JSON, that the audit needs.

    `windows` hold all that was anchored up to `as_of_block`.
    """
    return Answer(
        lock_id=lock.lock_id,
        nonce=secrets.token_bytes(32),
        signed_at=signed_at,
        as_of_block=as_of_block,
        devices=tuple(_device_answer(window, held) for window in windows),
        kind=kind,
        result=result,
    )


def seal_answer(
    answer: Answer,
    lock: Lock,
    *,
    factor: bytes,
    keys: MemberKeys,
    to_user: Encapsulation,
    gateway: ChainGateway,
) -> tuple[bytes, bytes]:
    """Sign the answer, seal answer and signature to the user, and that once more under the factor
    x. `to_user` is a fresh encapsulation to the user's key in the lock's `answer_context`.

    Returns that, and the opening r ‖ coins of the seal to the user, which a dispute shows to the
    judges.
    """
    answer_bytes = answers.encode(answer)
    message = messages.answer_message(
        chain_id=gateway.chain_id,
        prepaid_lock=gateway.deployment.address("PrepaidLock"),
        lock_id=lock.lock_id,
        answer_digest=hashlib.sha256(answer_bytes).digest(),
        requester=lock.payer,
        processor=lock.payee,
        type_id=lock.type_id,
        signed_at=answer.signed_at,
    )
    signature = bls.sign(keys.bls, message, role=messages.Role.ANSWER)
    reply = to_user.seal(answers.encode_reply(answer_bytes, signature))
    key = contexts.factor_key(factor, lock.lock_id)
    outer = box.seal(key, reply, context=answer_context(lock, gateway))
    return outer, to_user.opening.to_bytes(to_user.public_key)


def _device_answer(window: HeldWindow, held: NodeStore) -> DeviceAnswer:
    none = packed.none_of(window.device, window.next_seq)
    return DeviceAnswer(
        packed=packed.of(window.readings) if window.readings else none,
        batches=tuple((one.batch.from_seq, one.batch.count) for one in window.batches),
        nonce_keys=window.nonce_keys,
        opening=_anchored(window.opening, window.opening_batch, held),
        closing=_anchored(window.closing, window.closing_batch, held),
    )


def _anchored(one: Reading | None, batch: Batch | None, held: NodeStore) -> AnchoredReading | None:
    if one is None or batch is None:
        return None
    members = held.readings_by_seq(one.device, from_seq=batch.from_seq, count=batch.count)
    return AnchoredReading(
        record=reading.encode(one),
        batch=batch,
        proof=tuple(batches.prove(members, one.seq)),
    )
