"""BLS signatures on BN254: signatures in G1, public keys in G2 (docs/formats.md §1).

Aggregation over several keys is safe only among keys with a proof of possession
(Ristenpart and Yilek 2007), which the registry checks at admission.
"""

from collections.abc import Sequence
from itertools import groupby

from offchain.crypto.curve import (
    G1,
    G2,
    G2_GENERATOR,
    PairingCheck,
    is_valid_public_key,
    multiply,
    negate,
    pairing_product_is_one,
    sum_points,
)
from offchain.crypto.hash_to_curve import hash_to_curve
from offchain.crypto.messages import Role, domain_tag
from offchain.crypto.secret import SecretScalar

_NEGATIVE_G2 = negate(G2_GENERATOR)


class BlsSecretKey(SecretScalar):
    """The secret s of a BLS key [s]G2."""


def public_key(secret: SecretScalar) -> G2:
    """Return the public key [s]G2."""
    return multiply(G2_GENERATOR, secret.reveal())


def sign(secret: SecretScalar, message: bytes, *, role: Role) -> G1:
    """Sign a message: [s]·hashToCurve(message, tag of the role). Deterministic."""
    return multiply(hash_to_curve(message, tag=domain_tag(role)), secret.reveal())


def verify(
    public_key: G2,
    message: bytes,
    signature: G1,
    *,
    role: Role,
    pairing_check: PairingCheck = pairing_product_is_one,
) -> bool:
    """Tell whether e(σ, −G2)·e(hashToCurve(message, tag), pk) = 1 for a valid key.

    `pairing_check` may be the chain's precompile behind an `eth_call`.
    """
    entries = [(message, public_key)]
    return verify_aggregate(entries, signature, role=role, pairing_check=pairing_check)


def prove_possession(secret: BlsSecretKey, message: bytes) -> G1:
    """Prove possession of a BLS key; `message` comes from `messages.possession_message`."""
    return sign(secret, message, role=Role.POP)


def verify_possession(
    public_key: G2,
    message: bytes,
    proof: G1,
    *,
    pairing_check: PairingCheck = pairing_product_is_one,
) -> bool:
    """Tell whether a proof of possession holds for this key and `possession_message`."""
    return verify(public_key, message, proof, role=Role.POP, pairing_check=pairing_check)


def aggregate(signatures: Sequence[G1]) -> G1:
    """Add one or more signatures. Raises InvalidPointError for an empty list."""
    return sum_points(signatures)


def verify_aggregate(
    entries: Sequence[tuple[bytes, G2]],
    signature: G1,
    *,
    role: Role,
    pairing_check: PairingCheck = pairing_product_is_one,
) -> bool:
    """Tell whether one signature covers every (message, public key) pair of `entries`.

    Pairs must be distinct and at least one. The hash points of one key are added first, so the
    cost is one pairing a key: e(σ, −G2)·Π_pk e(Σ hashToCurve(message), pk) = 1.
    """
    if not _are_well_formed(entries, signature):
        return False
    tag = domain_tag(role)
    by_key = sorted(entries, key=lambda entry: entry[1].words())
    pairs = [(signature, _NEGATIVE_G2)]
    for key, group in groupby(by_key, key=lambda entry: entry[1]):
        pairs.append((sum_points([hash_to_curve(message, tag=tag) for message, _ in group]), key))
    return pairing_check(pairs)


def _are_well_formed(entries: Sequence[tuple[bytes, G2]], signature: object) -> bool:
    return (
        isinstance(signature, G1)
        and not signature.is_infinity
        and len(entries) > 0
        and all(isinstance(message, bytes) for message, _ in entries)
        and all(is_valid_public_key(key) for _, key in entries)
        and len(set(entries)) == len(entries)
    )
