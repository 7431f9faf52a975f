"""Delivery keys ek = [s]H in G1 with a Schnorr proof of knowledge (docs/formats.md §1)."""

from dataclasses import dataclass

from offchain.crypto.curve import G1, GROUP_ORDER, add, multiply
from offchain.crypto.encoding import Address, is_integer
from offchain.crypto.hash_to_curve import H
from offchain.crypto.messages import schnorr_challenge
from offchain.crypto.secret import SecretScalar, random_scalar
from offchain.errors import CryptoError


class DeliverySecretKey(SecretScalar):
    """The secret s of a delivery key [s]H."""


@dataclass(frozen=True, slots=True)
class DeliveryProof:
    """A Schnorr proof: the commitment R in G1 and the response z in [0, group order)."""

    commitment: G1
    response: int


def public_key(secret: DeliverySecretKey) -> G1:
    """Return the delivery key ek = [s]H."""
    return multiply(H, secret.reveal())


def prove(
    secret: DeliverySecretKey,
    *,
    chain_id: int,
    registry: Address,
    account: Address,
    member_role: int,
) -> DeliveryProof:
    """Prove knowledge of s for one chain, registry, account and role. Random."""
    nonce = random_scalar()
    commitment = multiply(H, nonce)
    challenge = schnorr_challenge(
        chain_id=chain_id,
        registry=registry,
        account=account,
        member_role=member_role,
        delivery_key=public_key(secret),
        commitment=commitment,
    )
    return DeliveryProof(commitment, (nonce + challenge * secret.reveal()) % GROUP_ORDER)


def verify_proof(
    delivery_key: G1,
    proof: DeliveryProof,
    *,
    chain_id: int,
    registry: Address,
    account: Address,
    member_role: int,
) -> bool:
    """Tell whether [z]H = R + [c]ek, with z canonical and neither R nor ek infinity."""
    try:
        points = (delivery_key, proof.commitment)
        if not all(isinstance(point, G1) and not point.is_infinity for point in points):
            return False
        if not is_integer(proof.response) or not 0 <= proof.response < GROUP_ORDER:
            return False
        challenge = schnorr_challenge(
            chain_id=chain_id,
            registry=registry,
            account=account,
            member_role=member_role,
            delivery_key=delivery_key,
            commitment=proof.commitment,
        )
    except (CryptoError, AttributeError):
        return False
    return multiply(H, proof.response) == add(proof.commitment, multiply(delivery_key, challenge))
