"""Publicly verifiable secret sharing of a data set's key (protocol.md §5; docs/formats.md §2).

f has degree t−1 in Newton's basis, f(0) = k. Commitments F_j = [b_j]G2 (Feldman 1987), encrypted
shares Y_i = [f(i)]ek_i in G1; what members do with them is in `recovery`. One batched pairing check
covers all n shares, with weights hashed over the whole transcript, as the contract does it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from eth_hash.auto import keccak

from offchain.crypto import bls
from offchain.crypto.curve import (
    G1,
    G2,
    G2_GENERATOR,
    GROUP_ORDER,
    PairingCheck,
    binomial_sums,
    multiply,
    multiply_each,
    negate,
    pairing_product_is_one,
    weighted_sum,
)
from offchain.crypto.encoding import (
    Address,
    address_bytes,
    address_word,
    exact_bytes,
    is_integer,
    word,
)
from offchain.crypto.hash_to_curve import H
from offchain.crypto.messages import Role, abi_encode
from offchain.crypto.polynomial import evaluate_newton
from offchain.crypto.recovery import (
    MAX_MEMBERS,
    Recovery,
    decrypt_share,
    recover,
    require_commitments,
    verify_share,
)
from offchain.crypto.secret import SecretScalar
from offchain.errors import CryptoError, SharingError

__all__ = [
    "MAX_MEMBERS",
    "DataKey",
    "Grant",
    "Recovery",
    "Transcript",
    "deal",
    "decrypt_share",
    "group_hash",
    "group_secret",
    "key_commitment",
    "prove_data_key",
    "recover",
    "transcript_seed",
    "verify_data_key",
    "verify_share",
    "verify_transcript",
    "weights",
]

SHARES_TAG = keccak(b"DMSM-V1-SHARES")
MIN_THRESHOLD = 2
_WEIGHT_BITS = 128


class DataKey(SecretScalar):
    """The secret k of one data set: fresh, uniform, and used for nothing else."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What the dealer publishes: F_0..F_{t−1} and Y_1..Y_n."""

    commitments: tuple[G2, ...]
    shares: tuple[G1, ...]


@dataclass(frozen=True, slots=True)
class Grant:
    """What the chain fixed before the dealing: the lock, the data set and the group.

    `delivery_keys` are ek_1..ek_n in the lock's order; `key_commitment` is the published F_0.
    """

    chain_id: int
    prepaid_lock: Address
    lock_id: bytes
    data_set_id: bytes
    threshold: int
    delivery_keys: tuple[G1, ...]
    key_commitment: G2


def key_commitment(data_key: DataKey) -> G2:
    """Return F_0 = [k]G2, which the chain publishes."""
    return bls.public_key(data_key)


def group_secret(data_key: DataKey) -> G1:
    """Return [k]H, the secret point from which the data set's keys are derived."""
    return multiply(H, data_key.reveal())


def prove_data_key(data_key: DataKey, message: bytes) -> G1:
    """Prove possession of k; `message` comes from `messages.data_key_message`."""
    return bls.sign(data_key, message, role=Role.DATAKEY)


def verify_data_key(
    key_commitment: G2,
    message: bytes,
    proof: G1,
    *,
    pairing_check: PairingCheck = pairing_product_is_one,
) -> bool:
    """Tell whether `proof` shows possession of the k behind `key_commitment`."""
    role = Role.DATAKEY
    return bls.verify(key_commitment, message, proof, role=role, pairing_check=pairing_check)


def _require_group(threshold: int, delivery_keys: Sequence[G1]) -> None:
    members = len(delivery_keys)
    sizes = is_integer(threshold) and MIN_THRESHOLD <= threshold <= members <= MAX_MEMBERS
    if not sizes:
        raise SharingError(f"a group needs {MIN_THRESHOLD} <= threshold <= n <= {MAX_MEMBERS}")
    if any(not isinstance(key, G1) or key.is_infinity for key in delivery_keys):
        raise SharingError("a delivery key is not a finite G1 point")
    if len(set(delivery_keys)) != members:
        raise SharingError("a delivery key occurs twice in the group")


def deal(data_key: DataKey, *, threshold: int, delivery_keys: Sequence[G1]) -> Transcript:
    """Share k among the owners of ek_1..ek_n with a fresh polynomial, any `threshold` recover.

    Random. Raises SharingError unless 2 <= threshold <= n <= 100 and the keys are finite and
    distinct.
    """
    _require_group(threshold, delivery_keys)
    while True:
        # None is zero: its commitment would be infinity, and a zero last one lowers the threshold.
        fresh = [1 + secrets.randbelow(GROUP_ORDER - 1) for _ in range(threshold - 1)]
        coefficients = [data_key.reveal(), *fresh]
        indices = range(1, len(delivery_keys) + 1)
        values = [evaluate_newton(coefficients, index, GROUP_ORDER) for index in indices]
        if 0 not in values:  # a share at infinity would be refused; happens once in 2^247
            break
    commitments = tuple(multiply(G2_GENERATOR, b) for b in coefficients)
    pairs = zip(delivery_keys, values, strict=True)
    return Transcript(commitments, tuple(multiply(key, value) for key, value in pairs))


def transcript_seed(transcript: Transcript, grant: Grant) -> bytes:
    """Hash everything that is fixed before the weights: 32 bytes, as the contract."""
    parts = [SHARES_TAG, word(grant.chain_id), address_word(grant.prepaid_lock)]
    parts.append(exact_bytes(grant.lock_id, 32, name="a lock id"))
    parts.append(exact_bytes(grant.data_set_id, 32, name="a data set id"))
    parts += [word(grant.threshold), word(len(grant.delivery_keys))]
    points = (*grant.delivery_keys, *transcript.shares, *transcript.commitments)
    return keccak(b"".join(parts) + b"".join(point.to_bytes() for point in points))


def weights(seed: bytes, count: int) -> list[int]:
    """Derive ρ_1..ρ_count, 128 bits each, from a transcript's seed."""
    hashes = (keccak(seed + word(index)) for index in range(1, count + 1))
    return [int.from_bytes(value, "big") % (1 << _WEIGHT_BITS) for value in hashes]


def verify_transcript(
    transcript: Transcript,
    grant: Grant,
    *,
    pairing_check: PairingCheck = pairing_product_is_one,
) -> bool:
    """Tell what the contract will say of a transcript: every member got a valid share of k.

    Exactly t commitments beginning with the published F_0, exactly n finite shares, and
    e(Σρ_iY_i, G2)·Π_j e(−Σ_iρ_iC(i,j)ek_i, F_j) = 1: t+1 pairings.
    """
    try:
        _require_group(grant.threshold, grant.delivery_keys)
        # Each F_j is in a pair below, and a pairing check refuses points outside the subgroup.
        require_commitments(transcript.commitments, grant.threshold, in_subgroup=False)
        seed = transcript_seed(transcript, grant)
    except (CryptoError, AttributeError, TypeError):
        return False
    if transcript.commitments[0] != grant.key_commitment:
        return False
    if len(transcript.shares) != len(grant.delivery_keys):
        return False
    if any(share.is_infinity for share in transcript.shares):
        return False
    rho = weights(seed, len(transcript.shares))
    pairs = [(weighted_sum(transcript.shares, rho), G2_GENERATOR)]
    weighted_keys = multiply_each(grant.delivery_keys, rho)
    key_sums = binomial_sums(weighted_keys, grant.threshold)
    pairs += [
        (negate(key_sum), f) for key_sum, f in zip(key_sums, transcript.commitments, strict=True)
    ]
    return pairing_check(pairs)


def group_hash(members: Sequence[tuple[Address, G1]]) -> bytes:
    """Hash the ordered (account, delivery key) list that a lock snapshots (docs/formats.md §2).

    Raises SharingError unless accounts strictly ascend and keys are finite and distinct.
    """
    accounts = [address_bytes(account) for account, _ in members]
    keys = [key for _, key in members]
    if any(left >= right for left, right in pairwise(accounts)):
        raise SharingError("the accounts of a group must be in strictly ascending order")
    _require_group(MIN_THRESHOLD, keys)
    return keccak(
        abi_encode(["address[]", "uint256[2][]"], [accounts, [key.words() for key in keys]])
    )
