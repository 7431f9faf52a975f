"""The exact bytes that are signed or hashed: one function a message (docs/formats.md §1).

Every builder raises EncodingError for a value that does not fit its ABI type.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from eth_abi import encode
from eth_abi.exceptions import EncodingError as AbiEncodingError
from eth_hash.auto import keccak

from offchain.crypto.curve import G1, G2, GROUP_ORDER
from offchain.crypto.encoding import Address, address_bytes, address_word, exact_bytes
from offchain.errors import EncodingError

SUITE = "BN254G1_XMD:SHA-256_SVDW_RO_"
SCHNORR_TAG = keccak(b"DMSM-V1-DELIVERY-KEY")


class Role(StrEnum):
    """What a hash to the curve is for; each has a domain of its own."""

    POP = "POP"
    REQUEST = "REQUEST"
    SHARING = "SHARING"
    ANSWER = "ANSWER"
    ROOT = "ROOT"
    DATAKEY = "DATAKEY"
    GENERATOR = "GENERATOR"


def domain_tag(role: Role) -> bytes:
    """Return the RFC 9380 domain separation tag of a role."""
    return f"DMSM-V1-{Role(role).value}-CS01-with-{SUITE}".encode("ascii")


def abi_encode(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """ABI-encode values strictly. Raises EncodingError for a wrong type, width or sign."""
    try:
        prepared = [_abi_value(kind, value) for kind, value in zip(types, values, strict=True)]
        return bytes(encode(list(types), prepared))
    except (AbiEncodingError, ValueError) as error:
        raise EncodingError(f"a value does not fit its ABI type: {error}") from error


def _abi_value(kind: str, value: Any) -> Any:
    if kind == "address":
        return address_bytes(value)
    if kind == "bytes32":  # eth_abi would pad a shorter value
        return exact_bytes(value, 32, name="a bytes32")
    return value


def possession_message(
    *, chain_id: int, registry: Address, account: Address, member_role: int, bls_key: G2
) -> bytes:
    """Build what a proof of possession of a BLS key signs (role POP)."""
    return abi_encode(
        ["uint256", "address", "address", "uint8", "uint256[4]"],
        [chain_id, registry, account, member_role, bls_key.words()],
    )


def request_message(
    *,
    chain_id: int,
    prepaid_lock: Address,
    requester: Address,
    processor: Address,
    type_id: int,
    message_digest: bytes,
    message_length: int,
    nonce: bytes,
    signed_at: int,
    expires_at: int,
) -> bytes:
    """Build what a user's request signature σ covers (role REQUEST; protocol.md §3)."""
    types = ["uint256", "address", "address", "address", "uint32"]
    types += ["bytes32", "uint32", "bytes32", "uint64", "uint64"]
    values = [chain_id, prepaid_lock, requester, processor, type_id]
    values += [message_digest, message_length, nonce, signed_at, expires_at]
    return abi_encode(types, values)


def sharing_message(
    *,
    chain_id: int,
    prepaid_lock: Address,
    requester: Address,
    processor: Address,
    broadcast_id: bytes,
    data_set_id: bytes,
    message_digest: bytes,
    message_length: int,
    nonce: bytes,
    signed_at: int,
    expires_at: int,
    group_hash: bytes,
) -> bytes:
    """Build what a sharing node's selection signature σ_s covers (role SHARING)."""
    types = ["uint256", "address", "address", "address", "bytes32", "bytes32"]
    types += ["bytes32", "uint32", "bytes32", "uint64", "uint64", "bytes32"]
    values = [chain_id, prepaid_lock, requester, processor, broadcast_id, data_set_id]
    values += [message_digest, message_length, nonce, signed_at, expires_at, group_hash]
    return abi_encode(types, values)


def answer_message(
    *,
    chain_id: int,
    prepaid_lock: Address,
    lock_id: bytes,
    answer_digest: bytes,
    requester: Address,
    processor: Address,
    type_id: int,
    signed_at: int,
) -> bytes:
    """Build what a node's answer signature σ_p covers (role ANSWER)."""
    return abi_encode(
        ["uint256", "address", "bytes32", "bytes32", "address", "address", "uint32", "uint64"],
        [
            chain_id,
            prepaid_lock,
            lock_id,
            answer_digest,
            requester,
            processor,
            type_id,
            signed_at,
        ],
    )


def root_message(
    *,
    chain_id: int,
    data_ledger: Address,
    device: Address,
    from_seq: int,
    count: int,
    root: bytes,
) -> bytes:
    """Build what a device signs over one batch root (role ROOT)."""
    return abi_encode(
        ["uint256", "address", "address", "uint64", "uint32", "bytes32"],
        [chain_id, data_ledger, device, from_seq, count, root],
    )


def data_key_message(
    *,
    chain_id: int,
    data_ledger: Address,
    processor: Address,
    data_set_id: bytes,
    key_commitment: G2,
) -> bytes:
    """Build what the proof of possession of a data set's key signs (role DATAKEY)."""
    return abi_encode(
        ["uint256", "address", "address", "bytes32", "uint256[4]"],
        [chain_id, data_ledger, processor, data_set_id, key_commitment.words()],
    )


def schnorr_challenge(
    *,
    chain_id: int,
    registry: Address,
    account: Address,
    member_role: int,
    delivery_key: G1,
    commitment: G1,
) -> int:
    """Compute the Fiat–Shamir challenge of a delivery key's proof, in [0, group order)."""
    transcript = abi_encode(
        ["bytes32", "uint256", "address", "address", "uint8", "uint256[2]", "uint256[2]"],
        [
            SCHNORR_TAG,
            chain_id,
            registry,
            account,
            member_role,
            delivery_key.words(),
            commitment.words(),
        ],
    )
    return int.from_bytes(keccak(transcript), "big") % GROUP_ORDER


def factor_commitment(*, processor: Address, factor: bytes) -> bytes:
    """Compute C = SHA256(p ‖ x) of a hash-lock: two fixed-width words (protocol.md §3)."""
    preimage = address_word(processor) + exact_bytes(factor, 32, name="the factor x")
    return hashlib.sha256(preimage).digest()
