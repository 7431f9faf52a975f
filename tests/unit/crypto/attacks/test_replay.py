"""Replay: whatever is signed or sealed counts for one chain, contract, party and purpose alone.

Each thing is made for one binding and then shown with every single field of the binding changed.
BLS signatures are unique, so "another signature" is "does not verify" without a pairing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from offchain.crypto import bls, box, curve, delivery, kem, messages
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.messages import Role
from offchain.crypto.secret import SecretBytes
from offchain.errors import DecryptionError
from offchain.records import contexts, signing
from offchain.types import Link, to_account
from tests.fuzz.decoders import private_key

A, B, C, D = (to_account("0x" + byte * 20) for byte in ("a1", "b2", "c3", "d4"))
WORDS = {name: hashlib.sha256(name.encode()).digest() for name in ("lock", "set", "nonce", "text")}
KEY = BlsSecretKey(7)
ACCOUNT_KEY = SecretBytes(b"\x11" * 32)
SIGNER = to_account("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")
BOX_KEY = bytes(32)
LINK = {"chain_id": 1, "data_ledger": A, "device": B, "processor": C}
PARTIES = {"chain_id": 1, "prepaid_lock": A, "requester": B, "processor": C}
SIGNED = {"message_digest": WORDS["text"], "message_length": 900, "nonce": WORDS["nonce"]}
TIMES = {"signed_at": 5, "expires_at": 9, "terms": (1, 1, 300, 200, 5_000, 900, 5)}
GROUP = {"threshold": 2, "group_size": 3, "price_wei": 7}
SET = {"chain_id": 1, "data_sets": A, "data_set_id": WORDS["set"]}
LOCK = {"lock_id": WORDS["lock"]}
POSSESSION = {"chain_id": 1, "registry": A, "account": B, "member_role": 2}


def linked(build: Callable[..., bytes]) -> Callable[..., bytes]:
    """Let a builder that takes a Link take its four fields."""

    def builder(
        *, chain_id: int, data_ledger: str, device: str, processor: str, **rest: Any
    ) -> bytes:
        link = Link(
            chain_id=chain_id,
            data_ledger=to_account(data_ledger),
            device=to_account(device),
            processor=to_account(processor),
        )
        return build(link, **rest)

    return builder


BLS_SIGNED: dict[Role, tuple[Callable[..., bytes], dict[str, Any]]] = {
    Role.POP: (messages.possession_message, {**POSSESSION, "bls_key": curve.G2_GENERATOR}),
    Role.REQUEST: (messages.request_message, {**PARTIES, "type_id": 1, **SIGNED, **TIMES}),
    Role.SHARING: (
        messages.sharing_message,
        {**PARTIES, **SIGNED, **TIMES, "broadcast_id": WORDS["lock"], "data_set_id": WORDS["set"],
         "group_hash": WORDS["text"], **GROUP},
    ),
    Role.ANSWER: (
        messages.answer_message,
        {**PARTIES, **LOCK, "answer_digest": WORDS["text"], "type_id": 1, "signed_at": 5},
    ),
    Role.ROOT: (
        messages.root_message,
        {"chain_id": 1, "data_ledger": A, "device": B, "from_seq": 1, "count": 24,
         "root": WORDS["text"]},
    ),
    Role.DATAKEY: (
        messages.data_key_message,
        {**SET, "processor": C, "publication_digest": WORDS["text"]},
    ),
}  # fmt: skip

ACCOUNT_SIGNED: dict[str, tuple[Callable[..., bytes], dict[str, Any]]] = {
    "day keys": (linked(signing.day_keys_digest), {**LINK, "day": 5, "sealed": b"s"}),
    "envelope": (linked(signing.envelope_digest), {**LINK, "seq": 7, "day": 5, "box": b"b"}),
    "sealed report": (linked(signing.report_digest), {**LINK, "sealed": b"s"}),
    "status report": (
        signing.status_digest,
        {"chain_id": 1, "data_ledger": A, "device": B, "owner": C, "unsigned": b"u"},
    ),
    "share": (
        signing.share_digest,
        {"chain_id": 1, "prepaid_lock": A, "sender": B, "recipient": C, **LOCK, "sealed": b"s"},
    ),
}

SEALED: dict[str, tuple[Callable[..., bytes], dict[str, Any]]] = {
    "day keys": (linked(contexts.day), {**LINK, "day": 5}),
    "reading": (linked(contexts.reading), {**LINK, "seq": 7, "day": 5}),
    "request": (contexts.request, {**PARTIES, "type_id": 1, "nonce": WORDS["nonce"]}),
    "answer": (contexts.answer, {**PARTIES, **LOCK}),
    "status report": (
        contexts.status,
        {"chain_id": 1, "notification_board": A, "device": B, "owner": C},
    ),
    "opening": (
        contexts.opening,
        {"chain_id": 1, "data_market": A, "requester": B, "processor": C,
         "nonce": WORDS["nonce"]},
    ),
    "selection": (contexts.sharing, {**PARTIES, "nonce": WORDS["nonce"]}),
    "share": (
        contexts.share,
        {"chain_id": 1, "prepaid_lock": A, "sender": B, "recipient": C, **LOCK},
    ),
    "companion": (contexts.companion, SET),
    "manifest": (contexts.manifest, SET),
}  # fmt: skip


@dataclass(frozen=True)
class Replay:
    """A binding with one field changed."""

    thing: Any
    field: str


def replays(things: dict[Any, tuple[Callable[..., bytes], dict[str, Any]]]) -> list[Any]:
    return [
        pytest.param(Replay(thing, field), id=f"{thing}: another {field}")
        for thing, (_, binding) in things.items()
        for field in binding
    ]


def changed(binding: dict[str, Any], field: str) -> dict[str, Any]:
    value = binding[field]
    if isinstance(value, curve.G2):
        other: Any = curve.multiply(value, 2)
    elif isinstance(value, bytes):
        other = value[:-1] + bytes([value[-1] ^ 1])
    elif isinstance(value, tuple):
        other = (*value[:-1], value[-1] + 1)
    else:
        other = D if isinstance(value, str) else value + 1
    return {**binding, field: other}


def opens(open_it: Callable[[], bytes]) -> bool:
    try:
        open_it()
    except DecryptionError:
        return False
    return True


# ---- BLS signatures: REQUEST, SHARING, ANSWER, ROOT, POP, DATAKEY


@pytest.mark.parametrize("replay", replays(BLS_SIGNED))
def test_bls_signature__shown_elsewhere__is_not_the_signature(replay: Replay) -> None:
    build, binding = BLS_SIGNED[replay.thing]
    signature = bls.sign(KEY, build(**binding), role=replay.thing)
    there = build(**changed(binding, replay.field))
    assert bls.sign(KEY, build(**binding), role=replay.thing) == signature
    assert bls.sign(KEY, there, role=replay.thing) != signature


@pytest.mark.parametrize("role", BLS_SIGNED)
def test_bls_signature__shown_as_another_role__is_not_the_signature(role: Role) -> None:
    build, binding = BLS_SIGNED[role]
    signatures = {bls.sign(KEY, build(**binding), role=other) for other in BLS_SIGNED}
    assert len(signatures) == len(BLS_SIGNED)


def test_bls_signature__of_the_content_alone__is_replayed_by_anybody() -> None:
    """The negative control: what signs only what it says is valid on every chain."""
    signature = bls.sign(KEY, WORDS["text"], role=Role.REQUEST)
    key = bls.public_key(KEY)
    assert bls.verify(key, WORDS["text"], signature, role=Role.REQUEST)  # on any chain, for anyone
    build, binding = BLS_SIGNED[Role.REQUEST]
    bound = bls.sign(KEY, build(**binding), role=Role.REQUEST)
    there = build(**changed(binding, "chain_id"))
    assert not bls.verify(key, there, bound, role=Role.REQUEST)


# ---- delivery keys


@pytest.mark.parametrize("field", POSSESSION)
def test_delivery_proof__shown_elsewhere__is_false(field: str) -> None:
    secret = DeliverySecretKey(9)
    proof = delivery.prove(secret, **POSSESSION)
    key = delivery.public_key(secret)
    assert delivery.verify_proof(key, proof, **POSSESSION)
    assert not delivery.verify_proof(key, proof, **changed(POSSESSION, field))


# ---- account signatures: day keys, envelopes, reports, shares


@pytest.mark.parametrize("replay", replays(ACCOUNT_SIGNED))
def test_account_signature__shown_elsewhere__is_false(replay: Replay) -> None:
    build, binding = ACCOUNT_SIGNED[replay.thing]
    signature = signing.sign(build(**binding), ACCOUNT_KEY)
    assert signing.verify_signature(build(**binding), signature, SIGNER)
    there = build(**changed(binding, replay.field))
    assert not signing.verify_signature(there, signature, SIGNER)


def test_account_signatures__of_all_kinds__sign_different_digests() -> None:
    digests = {build(**binding) for build, binding in ACCOUNT_SIGNED.values()}
    assert len(digests) == len(ACCOUNT_SIGNED)


def test_account_signature__of_the_content_alone__is_replayed_by_anybody() -> None:
    """The negative control."""
    naive = hashlib.sha256(b"sealed").digest()
    signature = signing.sign(naive, ACCOUNT_KEY)
    for _chain, _recipient in ((1, A), (2, B)):  # nothing of them is in what was signed
        assert signing.verify_signature(naive, signature, SIGNER)


# ---- sealed messages and boxes


@pytest.mark.parametrize("replay", replays(SEALED))
def test_sealed__opened_elsewhere__is_refused(replay: Replay) -> None:
    build, binding = SEALED[replay.thing]
    here, there = build(**binding), build(**changed(binding, replay.field))
    message = kem.seal(private_key().public_key, b"text", context=here)
    boxed = box.seal(BOX_KEY, b"text", context=here)
    assert kem.open_sealed(private_key(), message, context=here) == b"text"
    assert box.open_sealed(BOX_KEY, boxed, context=here) == b"text"
    assert not opens(lambda: kem.open_sealed(private_key(), message, context=there))
    assert not opens(lambda: box.open_sealed(BOX_KEY, boxed, context=there))


def test_sealed__for_one_purpose__opens_for_no_other() -> None:
    made = {thing: build(**binding) for thing, (build, binding) in SEALED.items()}
    assert len(set(made.values())) == len(SEALED)


def test_sealed__without_a_context__is_replayed_by_anybody() -> None:
    """The negative control: a sealed message that binds nothing opens as any other message."""
    message = kem.seal(private_key().public_key, b"pay A", context=b"")
    for _lock in (WORDS["lock"], WORDS["set"]):
        assert opens(lambda: kem.open_sealed(private_key(), message, context=b""))
