"""Proof that two logarithms modulo n² are equal, of a secret exponent of bounded size.

Chaum–Pedersen in a group of unknown order, made non-interactive by Fiat–Shamir (Shoup, Eurocrypt
2000 §3; Damgård–Jurik, PKC 2001 §4.1). For y₁ = g₁^x, y₂ = g₂^x and x < 2^B:

    r uniform of B + 384 bits;  a₁ = g₁^r, a₂ = g₂^r;  e = H(context, statement, a₁, a₂)
    z = r + e·x                 the proof is e ‖ z; valid iff e = H(…, g₁^z·y₁^-e, g₂^z·y₂^-e)

r is 128 bits longer than e·x, so that z hides x up to a distance of 2^-128. Soundness needs a
group without small subgroups: squares modulo the square of a product of two safe primes.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Self

import gmpy2

from offchain.crypto.encoding import any_bytes, exact_bytes, fixed_width, is_integer
from offchain.crypto.secret_power import secret_power
from offchain.errors import CryptoError

CHALLENGE_BYTES = 32
_CHALLENGE_BITS = 8 * CHALLENGE_BYTES
_SLACK_BITS = 128
_TAG = b"DMSM-V1-equality-proof"


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualityStatement:
    """log_base(value) = log_other_base(other_value) modulo `modulus`, below 2^exponent_bits."""

    modulus: int
    base: int
    value: int
    other_base: int
    other_value: int
    exponent_bits: int


@dataclass(frozen=True, slots=True)
class EqualityProof:
    """Challenge e and response z."""

    challenge: int
    response: int

    def to_bytes(self, exponent_bits: int) -> bytes:
        """Return e (32 bytes) ‖ z in the fixed width of statements of this size."""
        challenge = fixed_width(self.challenge, CHALLENGE_BYTES)
        return challenge + fixed_width(self.response, response_bytes(exponent_bits))

    @classmethod
    def from_bytes(cls, data: bytes, *, exponent_bits: int) -> Self:
        """Read a proof of exactly its width. Raises EncodingError."""
        data = exact_bytes(data, proof_bytes(exponent_bits), name="an equality proof")
        cut = CHALLENGE_BYTES
        return cls(int.from_bytes(data[:cut], "big"), int.from_bytes(data[cut:], "big"))


def proof_bytes(exponent_bits: int) -> int:
    """Return the length of a proof."""
    return CHALLENGE_BYTES + response_bytes(exponent_bits)


def response_bytes(exponent_bits: int) -> int:
    """Return the width of z."""
    return -(-_response_bits(exponent_bits) // 8)


def prove_equality(statement: EqualityStatement, exponent: int, *, context: bytes) -> EqualityProof:
    """Prove a true statement; `context` is bound and not sent. Random.

    Raises CryptoError for an exponent outside [0, 2^exponent_bits); a false statement gives a
    proof that does not verify.
    """
    if not is_integer(exponent) or not 0 <= exponent < 1 << statement.exponent_bits:
        raise CryptoError("the exponent of an equality proof is out of range")
    nonce = 1 + secrets.randbits(_response_bits(statement.exponent_bits) - 2)
    first = secret_power(statement.base, nonce, statement.modulus)
    second = secret_power(statement.other_base, nonce, statement.modulus)
    challenge = _challenge(statement, int(first), int(second), context)
    return EqualityProof(challenge, nonce + challenge * exponent)


def verify_equality(statement: EqualityStatement, proof: EqualityProof, *, context: bytes) -> bool:
    """Tell whether a proof is valid for a statement and context. Never raises."""
    try:
        if not _in_range(statement, proof):
            return False
        first = _commitment(statement.base, statement.value, statement.modulus, proof)
        second = _commitment(statement.other_base, statement.other_value, statement.modulus, proof)
        return _challenge(statement, first, second, context) == proof.challenge
    except (CryptoError, ValueError, ZeroDivisionError, TypeError, AttributeError):
        return False  # no integers, no units (gmpy2's ValueError), or no proof at all


def _response_bits(exponent_bits: int) -> int:
    return exponent_bits + _CHALLENGE_BITS + _SLACK_BITS + 2


def _in_range(statement: EqualityStatement, proof: EqualityProof) -> bool:
    elements = (statement.base, statement.value, statement.other_base, statement.other_value)
    sizes = (
        is_integer(proof.challenge) and 0 <= proof.challenge < 1 << _CHALLENGE_BITS,
        is_integer(proof.response) and proof.response >= 0,
    )
    return (
        all(sizes)
        and proof.response.bit_length() <= _response_bits(statement.exponent_bits)
        and all(is_integer(one) and 0 < one < statement.modulus for one in elements)
    )


def _commitment(base: int, value: int, modulus: int, proof: EqualityProof) -> int:
    raised = gmpy2.powmod(base, proof.response, modulus)
    return int(raised * gmpy2.powmod(value, -proof.challenge, modulus) % modulus)


def _challenge(statement: EqualityStatement, first: int, second: int, context: bytes) -> int:
    width = -(-statement.modulus.bit_length() // 8)
    numbers = (
        statement.modulus,
        *(statement.base, statement.value, statement.other_base, statement.other_value),
        *(first, second),
    )
    head = _TAG + hashlib.sha256(any_bytes(context, name="a context")).digest()
    sizes = fixed_width(width, 4) + fixed_width(statement.exponent_bits, 4)
    body = b"".join(fixed_width(number, width) for number in numbers)
    return int.from_bytes(hashlib.sha256(head + sizes + body).digest(), "big")
