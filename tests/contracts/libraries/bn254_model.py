"""A model of the curve formats over py_ecc, independent of ``offchain.crypto``.

Points are tuples of words, as the contracts take them: G1 ``(x, y)``, G2 ``(xIm, xRe, yIm, yRe)``;
infinity is all zero.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from math import comb

from eth_abi import encode
from eth_utils import keccak, to_canonical_address
from py_ecc import optimized_bn128 as ecc

P = ecc.field_modulus
Q = ecc.curve_order
G1 = (1, 2)
H = (
    0x071A7DDD2500A2BE14D9DBA234FCBE87A93EAA36CBCA2F83D662C6130DEB7F96,
    0x1EBC8824CDEF17686F3221DB7799A8A98E32B3BCD956B632377EF0D620C72EF1,
)
G1_INFINITY = (0, 0)
G2_INFINITY = (0, 0, 0, 0)
# On the twist with x = 1, and of another order than q (the test of isValidG2 checks both).
G2_OFF_SUBGROUP = (
    0,
    1,
    0x0D1271953ED9EA0836846E70A1934187998C7F790CB4D7511B7F8DA82DE048A4,
    0x2869111D5381F072F8E2728FDB825A51AADD70E52C9830E9AB4B871C0531F1BB,
)
SHARES_TAG = keccak(text="DMSM-V1-SHARES")
SCHNORR_TAG = keccak(text="DMSM-V1-DELIVERY-KEY")


def random_scalar() -> int:
    """Draw a secret in [1, q)."""
    return 1 + secrets.randbelow(Q - 1)


def as_words(answer):
    """Read a contract's answer into plain numbers; Brownie's own types do not compare with them."""
    if isinstance(answer, tuple | list):
        return tuple(as_words(entry) for entry in answer)
    return int(answer)


def g1_point(words: tuple[int, int]):
    """Read words into py_ecc's projective point."""
    if tuple(words) == G1_INFINITY:
        return ecc.Z1
    return (ecc.FQ(words[0]), ecc.FQ(words[1]), ecc.FQ.one())


def g2_point(words: tuple[int, int, int, int]):
    """Read words in EIP-197 order into py_ecc's projective point."""
    if tuple(words) == G2_INFINITY:
        return ecc.Z2
    x_im, x_re, y_im, y_re = words
    return (ecc.FQ2([x_re, x_im]), ecc.FQ2([y_re, y_im]), ecc.FQ2.one())


def g1_words(point) -> tuple[int, int]:
    """Write a G1 point as words."""
    if ecc.is_inf(point):
        return G1_INFINITY
    x, y = ecc.normalize(point)
    return (int(x), int(y))


def g2_words(point) -> tuple[int, int, int, int]:
    """Write a G2 point as words in EIP-197 order."""
    if ecc.is_inf(point):
        return G2_INFINITY
    x, y = ecc.normalize(point)
    return tuple(int(c) for c in (x.coeffs[1], x.coeffs[0], y.coeffs[1], y.coeffs[0]))


def multiply(words, scalar: int):
    """Multiply a G1 or G2 point by a scalar, taken mod q."""
    if len(words) == 2:
        return g1_words(ecc.multiply(g1_point(words), scalar % Q))
    return g2_words(ecc.multiply(g2_point(words), scalar % Q))


def add(a, b):
    """Add two points of one group."""
    if len(a) == 2:
        return g1_words(ecc.add(g1_point(a), g1_point(b)))
    return g2_words(ecc.add(g2_point(a), g2_point(b)))


def negate(words):
    """Negate a G1 point."""
    return (words[0], -words[1] % P)


def g2(scalar: int):
    """Return [scalar]G2."""
    return g2_words(ecc.multiply(ecc.G2, scalar % Q))


@dataclass(frozen=True)
class SchnorrProof:
    """A delivery key and the proof that its secret is known."""

    key: tuple[int, int]
    nonce: tuple[int, int]
    response: int


def schnorr_proof(secret: int, *, chain_id: int, registry: str, account: str, role: int):
    """Prove knowledge of a delivery key's secret (docs/formats.md §1)."""
    r = random_scalar()
    key, nonce = multiply(H, secret), multiply(H, r)
    types = ["bytes32", "uint256", "address", "address", "uint8", *["uint256"] * 4]
    transcript = encode(types, [SCHNORR_TAG, chain_id, registry, account, role, *key, *nonce])
    challenge = int.from_bytes(keccak(transcript), "big") % Q
    return SchnorrProof(key, nonce, (r + challenge * secret) % Q)


@dataclass(frozen=True)
class Transcript:
    """What a dealer sends, with what the chain fixed before; the arguments of ShareCheck.verify."""

    prepaid_lock: str
    lock_id: bytes
    data_set_id: bytes
    threshold: int
    keys: tuple
    shares: tuple
    commitments: tuple

    @property
    def arguments(self):
        grant = (self.prepaid_lock, self.lock_id, self.data_set_id, self.threshold)
        return grant, list(self.keys), list(self.shares), list(self.commitments)

    def but(self, **changes) -> Transcript:
        """Return a copy with other fields."""
        return replace(self, **changes)

    def with_share(self, index: int, share) -> Transcript:
        """Return a copy with another Y at an index from 0."""
        return replace(self, shares=(*self.shares[:index], share, *self.shares[index + 1 :]))

    def with_commitment(self, index: int, commitment) -> Transcript:
        """Return a copy with another F at an index."""
        others = self.commitments
        return replace(self, commitments=(*others[:index], commitment, *others[index + 1 :]))


def deal(threshold: int, members: int, *, prepaid_lock: str, coefficients=None) -> Transcript:
    """Deal shares of a fresh key in Newton's basis (docs/formats.md §2)."""
    b = coefficients or [random_scalar() for _ in range(threshold)]
    keys = [multiply(H, random_scalar()) for _ in range(members)]
    values = [sum(b[j] * comb(i, j) for j in range(len(b))) % Q for i in range(1, members + 1)]
    return Transcript(
        prepaid_lock=prepaid_lock,
        lock_id=secrets.token_bytes(32),
        data_set_id=secrets.token_bytes(32),
        threshold=threshold,
        keys=tuple(keys),
        shares=tuple(multiply(key, value) for key, value in zip(keys, values, strict=True)),
        commitments=tuple(g2(c) for c in b),
    )


def seed(transcript: Transcript, *, chain_id: int) -> bytes:
    """Compute the seed of the weights (docs/formats.md §2)."""
    numbers = [transcript.threshold, len(transcript.keys)]
    numbers += [w for point in (*transcript.keys, *transcript.shares) for w in point]
    numbers += [w for point in transcript.commitments for w in point]
    head = SHARES_TAG + chain_id.to_bytes(32, "big")
    head += bytes(12) + to_canonical_address(transcript.prepaid_lock)
    head += transcript.lock_id + transcript.data_set_id
    return keccak(head + b"".join(n.to_bytes(32, "big") for n in numbers))


def weights(transcript_seed: bytes, members: int) -> list[int]:
    """Compute ρ_1 … ρ_n from the seed (docs/formats.md §2)."""
    digests = (keccak(transcript_seed + i.to_bytes(32, "big")) for i in range(1, members + 1))
    return [int.from_bytes(digest, "big") % 2**128 for digest in digests]
