"""Members with real keys and proofs, for tests of the contracts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from offchain.crypto import bls, commitment, delivery, messages

NOWHERE = bytes(32)
NOBODY = "0x" + "00" * 20
NO_POINT = (0, 0)


class Role(IntEnum):
    """The roles as MemberRegistry numbers them."""

    NONE = 0
    CONSORTIUM = 1
    PROCESSOR = 2
    DEVICE = 3
    USER = 4
    SHARER = 5


COMPANIES = (Role.CONSORTIUM, Role.PROCESSOR, Role.SHARER)  # which have a public name


@dataclass(frozen=True)
class Keys:
    """Secret and public keys of one account."""

    bls_secret: bls.BlsSecretKey
    bls_key: Any
    delivery_secret: delivery.DeliverySecretKey
    delivery_key: Any


@dataclass(frozen=True)
class Member:
    """Somebody who is, or could be, admitted: ``name``, ``profile`` and ``proofs`` are admit's
    arguments.
    """

    account: Any
    role: Role
    region: bytes
    owner: str
    keys: Keys
    identity: str
    salt: bytes
    name: str
    profile: tuple
    proofs: tuple

    @property
    def admission(self) -> tuple:
        """All arguments of admit."""
        return (self.address, self.name, self.profile, self.proofs)

    @property
    def address(self) -> str:
        """The account's address."""
        return self.account.address

    @property
    def bls_words(self) -> tuple[int, ...]:
        """The BLS key as contracts take it."""
        return words(self.keys.bls_key)

    @property
    def delivery_words(self) -> tuple[int, ...]:
        """The delivery key as contracts hold it: (0, 0) for a device."""
        return NO_POINT if self.role == Role.DEVICE else words(self.keys.delivery_key)

    @property
    def id_commitment(self) -> bytes:
        """SHA256d(id ‖ salt)."""
        return commitment.identity_commitment(self.identity, self.salt)

    def sign(self, message: bytes, *, role: messages.Role) -> tuple[int, ...]:
        """Sign with the BLS key; the signature as contracts take it."""
        return words(bls.sign(self.keys.bls_secret, message, role=role))


def words(point: Any) -> tuple[int, ...]:
    """Return a point's coordinates as contracts take them."""
    return tuple(point.words() if callable(point.words) else point.words)


def region_id(name: str) -> bytes:
    """Return the bytes32 of a region's name."""
    return name.encode().ljust(32, b"\0")


def new_keys() -> Keys:
    """Draw fresh keys."""
    bls_secret, delivery_secret = bls.BlsSecretKey.generate(), delivery.DeliverySecretKey.generate()
    return Keys(
        bls_secret,
        bls.public_key(bls_secret),
        delivery_secret,
        delivery.public_key(delivery_secret),
    )


def new_member(
    registry: Any,
    chain_id: int,
    account: Any,
    role: Role,
    region: bytes,
    *,
    owner: Any = NOBODY,
    keys: Keys | None = None,
) -> Member:
    """Make a member with valid proofs for this registry; nothing is sent."""
    keys = keys or new_keys()
    identity, salt = f"id of {account.address}", hashlib.sha256(account.address.encode()).digest()
    owner_address = getattr(owner, "address", owner)
    is_device = role == Role.DEVICE
    profile = (
        int(role),
        region,
        owner_address,
        commitment.identity_commitment(identity, salt),
        NOWHERE if is_device else hashlib.sha256(b"paillier" + account.address.encode()).digest(),
        words(keys.bls_key),
        NO_POINT if is_device else words(keys.delivery_key),
    )
    proofs = new_proofs(registry, chain_id, account, role, keys)
    name = f"Company {account.address}" if role in COMPANIES else ""
    return Member(account, role, region, owner_address, keys, identity, salt, name, profile, proofs)


def new_proofs(registry: Any, chain_id: int, account: Any, role: Role, keys: Keys) -> tuple:
    """Prove possession of both keys for one registry, chain, account and role."""
    place = {"chain_id": chain_id, "registry": registry.address, "account": account.address}
    message = messages.possession_message(**place, member_role=int(role), bls_key=keys.bls_key)
    possession = words(bls.prove_possession(keys.bls_secret, message))
    if role == Role.DEVICE:
        return (possession, NO_POINT, 0)
    proof = delivery.prove(keys.delivery_secret, **place, member_role=int(role))
    return (possession, words(proof.commitment), proof.response)
