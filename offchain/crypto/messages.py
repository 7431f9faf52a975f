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
DELIVERY_TAG = keccak(b"DMSM-V1-delivery")
ANCHOR_TAG = keccak(b"DMSM-V1-anchor")
TERMS = ("uint32", "uint32", "uint32", "uint16", "uint16", "uint16", "uint96")
PUBLICATION = (
    *("uint40", "uint40", "uint40", "uint8", "uint32", "uint16", "uint32"),
    *("bytes32", "bytes32", "bytes32", "bytes32", "uint256[4]"),
)
_CONDITIONS = (
    *("uint40", "uint40", "uint8", "uint8", "uint8", "uint96", "uint40", "uint40"),
    *("uint32", "bytes32", "bytes32", "bytes32[]", "bytes"),
)


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
    message_length: int,
    signed_at: int,
    expires_at: int,
    message_digest: bytes,
    nonce: bytes,
    terms: Sequence[int],
) -> bytes:
    """Build what a user's request signature σ covers (role REQUEST; protocol.md §3).

    The words are chain, contract, requester and the order as the contract takes it. ``terms``:
    rules version, sharing version (0), dispute window (s), fee (1/10,000), owners' part (0),
    longest answer (bytes) and the node's bond (wei).
    """
    types = ["uint256", "address", "address", "address", "uint32"]
    types += ["uint32", "uint64", "uint40", "bytes32", "bytes32", *TERMS]
    values = [chain_id, prepaid_lock, requester, processor, type_id]
    values += [message_length, signed_at, expires_at, message_digest, nonce, *terms]
    return abi_encode(types, values)


def sharing_message(
    *,
    chain_id: int,
    prepaid_lock: Address,
    requester: Address,
    processor: Address,
    broadcast_id: bytes,
    data_set_id: bytes,
    group_hash: bytes,
    threshold: int,
    group_size: int,
    price_wei: int,
    message_length: int,
    signed_at: int,
    expires_at: int,
    message_digest: bytes,
    nonce: bytes,
    terms: Sequence[int],
) -> bytes:
    """Build what a sharing node's selection signature σ_s covers (role SHARING).

    The words are chain, contract and the order as the contract takes it; ``terms`` as in
    :func:`request_message`, with the offer's versions, the owners' part (1/10,000) and no longest
    answer.
    """
    types = ["uint256", "address", "address", "address", "bytes32", "bytes32", "bytes32"]
    types += ["uint8", "uint8", "uint96", "uint32", "uint64", "uint40", "bytes32", "bytes32"]
    values = [chain_id, prepaid_lock, requester, processor, broadcast_id, data_set_id, group_hash]
    values += [threshold, group_size, price_wei, message_length, signed_at, expires_at]
    return abi_encode([*types, *TERMS], [*values, message_digest, nonce, *terms])


def delivery_digest(*, seed: bytes) -> bytes:
    """Hash what a node's account signs for somebody else to deliver: the share check's seed."""
    return keccak(abi_encode(["bytes32", "bytes32"], [DELIVERY_TAG, seed]))


def anchor_digest(
    *,
    chain_id: int,
    data_ledger: Address,
    device: Address,
    from_seq: int,
    count: int,
    root: bytes,
    expires_at: int,
) -> bytes:
    """Hash what a device's account signs for somebody else to anchor, until ``expires_at``."""
    types = ["bytes32", "uint256", "address", "address", "uint64", "uint32", "bytes32", "uint40"]
    values = [ANCHOR_TAG, chain_id, data_ledger, device, from_seq, count, root, expires_at]
    return keccak(abi_encode(types, values))


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


def publication_digest(publication: Sequence[Any]) -> bytes:
    """Hash all that is published of a data set, in the contract's order, F_0 as four numbers."""
    return keccak(abi_encode(PUBLICATION, publication))


def data_set_id(*, chain_id: int, data_sets: Address, key_commitment: G2) -> bytes:
    """Compute a data set's id, as `DataSetBook.dataSetIdOf` does: it commits to F_0."""
    return keccak(
        abi_encode(
            ["uint256", "address", "uint256[4]"], [chain_id, data_sets, key_commitment.words()]
        )
    )


def data_key_message(
    *,
    chain_id: int,
    data_sets: Address,
    processor: Address,
    data_set_id: bytes,
    publication_digest: bytes,
) -> bytes:
    """Build what the proof of possession of a data set's key signs (role DATAKEY).

    ``publication_digest`` comes from the function of that name: the proof binds every field.
    """
    return abi_encode(
        ["uint256", "address", "address", "bytes32", "bytes32"],
        [chain_id, data_sets, processor, data_set_id, publication_digest],
    )


def broadcast_id(
    *, chain_id: int, data_market: Address, requester: Address, conditions: Sequence[Any]
) -> bytes:
    """Compute a broadcast's id, as `DataMarket.broadcastIdOf` does: it commits to all conditions,
    which come in the contract's order.
    """
    kinds = [kind.removesuffix("[]") for kind in _CONDITIONS]
    for kind, value in zip(kinds, conditions, strict=True):
        for one in value if isinstance(value, list | tuple) else [value]:
            _abi_value(kind, one)  # within a struct eth_abi would pad a short value
    struct = f"({','.join(_CONDITIONS)})"
    values = [chain_id, data_market, requester, tuple(conditions)]
    return keccak(abi_encode(["uint256", "address", "address", struct], values))


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
