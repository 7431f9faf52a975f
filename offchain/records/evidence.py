"""The evidence of a dispute: what it says, and how it is laid out for its judges (docs/formats.md
§16).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from offchain.crypto import box
from offchain.crypto.curve import G1
from offchain.crypto.encoding import address_bytes
from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.records.points import point
from offchain.types import Account, to_account

MAGIC = b"DMSMEV01"
MAX_BYTES = 32 * 1024
MAX_DOCUMENT_BYTES = 4_096
MAX_JUDGES = 32
MAX_CLAIMS = 16
MAX_CLAIM_BYTES = 256
KEY_BYTES = 32
_MAX_OPENING_BYTES = 1_024  # r and coins under a modulus of 4096 bits
_ACCOUNT_BYTES, _LENGTH_BYTES = 20, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEvidence:
    """For a request's lock: the openings r ‖ coins of the answer's and the message's ciphertext.

    Who shows them shows what they open, so neither is printed. claims: hints for a reader.
    """

    answer: bytes | None = field(repr=False)
    request: bytes | None = field(repr=False)
    claims: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetEvidence:
    """For a sharing lock: the group secret [k]H, which is not printed. claims: hints."""

    secret: G1 | None = field(repr=False)
    claims: tuple[str, ...] = field(default=(), repr=False)


Evidence = AnswerEvidence | DataSetEvidence


@dataclass(frozen=True, slots=True)
class SealedEvidence:
    """As stored: the box, its key sealed to each judge, and SHA-256 of all before the box."""

    keys: dict[Account, bytes]
    keys_digest: bytes
    box: bytes


def encode(evidence: Evidence) -> bytes:
    """Encode a document; raises FormatError for what `decode` would refuse."""
    claims = list(evidence.claims)
    if isinstance(evidence, AnswerEvidence):
        openings = {"answer": _opening(evidence.answer), "request": _opening(evidence.request)}
        data = canonical_json.dumps({"v": 1, "kind": "answer", "claims": claims} | openings)
    else:
        secret = None if evidence.secret is None else evidence.secret.to_bytes().hex()
        data = canonical_json.dumps(
            {"v": 1, "kind": "data_set", "secret": secret, "claims": claims}
        )
    decode(data)
    return data


def decode(data: bytes) -> Evidence:
    """Decode a document of at most 4 KiB. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_DOCUMENT_BYTES)
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "answer":
        obj = fields.versioned(value, "kind answer request claims", what="evidence")
        return AnswerEvidence(
            answer=_opening_from(obj["answer"], "answer"),
            request=_opening_from(obj["request"], "request"),
            claims=_claims(obj["claims"]),
        )
    if kind == "data_set":
        obj = fields.versioned(value, "kind secret claims", what="evidence")
        secret = None if obj["secret"] is None else point(obj["secret"], "secret")
        return DataSetEvidence(secret=secret, claims=_claims(obj["claims"]))
    raise FormatError("evidence is of kind answer or data_set")


def fitting_claims(claims: Sequence[str]) -> tuple[str, ...]:
    """Cut claims down to what a document takes, the first ones first."""
    cut = [
        one.encode()[:MAX_CLAIM_BYTES].decode(errors="ignore") for one in claims[:MAX_CLAIMS] if one
    ]
    kept, left = [], _CLAIMS_BYTES
    for one in cut:
        left -= len(canonical_json.dumps(one)) + 1
        if left < 0:
            break
        kept.append(one)
    return tuple(kept)


# Beside two openings under 4096 bits and the names of the members.
_CLAIMS_BYTES = MAX_DOCUMENT_BYTES - 2 * (_MAX_OPENING_BYTES + 2) // 3 * 4 - 128


def encode_keys(keys: Mapping[Account, bytes]) -> bytes:
    """Lay out what stands before the box: the sealed key of each judge. Raises FormatError."""
    if not 1 <= len(keys) <= MAX_JUDGES:
        raise FormatError(f"evidence is for 1 to {MAX_JUDGES} judges")
    parts = [MAGIC, bytes([len(keys)])]
    for account in sorted(keys, key=address_bytes):
        sealed = keys[account]
        parts += [address_bytes(account), len(sealed).to_bytes(_LENGTH_BYTES, "big"), sealed]
    return b"".join(parts)


def decode_sealed(data: bytes) -> SealedEvidence:
    """Read what is stored, at most 32 KiB. Raises FormatError."""
    if not isinstance(data, bytes) or not len(MAGIC) < len(data) <= MAX_BYTES:
        raise FormatError(f"evidence has at most {MAX_BYTES} bytes")
    if data[: len(MAGIC)] != MAGIC or not 1 <= data[len(MAGIC)] <= MAX_JUDGES:
        raise FormatError(f"evidence begins with {MAGIC.decode()} and 1 to {MAX_JUDGES} judges")
    keys: dict[Account, bytes] = {}
    at, before = len(MAGIC) + 1, b""
    for _ in range(data[len(MAGIC)]):
        account, sealed, at = _entry(data, at)
        if account <= before:
            raise FormatError("the judges of evidence ascend, each once")
        keys[to_account(account)], before = sealed, account
    if len(data) - at < box.OVERHEAD:
        raise FormatError("evidence ends before its box")
    return SealedEvidence(keys, hashlib.sha256(data[:at]).digest(), data[at:])


def _entry(data: bytes, at: int) -> tuple[bytes, bytes, int]:
    start = at + _ACCOUNT_BYTES + _LENGTH_BYTES
    length = int.from_bytes(data[at + _ACCOUNT_BYTES : start], "big")
    if start + length > len(data) or length == 0:
        raise FormatError("evidence ends within a judge's key")
    return data[at : at + _ACCOUNT_BYTES], data[start : start + length], start + length


def _opening(value: bytes | None) -> str | None:
    return None if value is None else fields.to_base64(value)


def _opening_from(value: object, name: str) -> bytes | None:
    if value is None:
        return None
    return fields.from_base64(value, name, max_bytes=_MAX_OPENING_BYTES)


def _claims(value: object) -> tuple[str, ...]:
    items = fields.sequence(value, "claims", max_items=MAX_CLAIMS)
    return tuple(fields.text(item, "a claim", max_bytes=MAX_CLAIM_BYTES) for item in items)
