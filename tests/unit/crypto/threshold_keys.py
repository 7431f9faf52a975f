"""Threshold keys of the tests: their primes are public (tests/vectors/threshold_test_keys.json)."""

import secrets
from functools import cache

import gmpy2
import pytest

from offchain.crypto import threshold_key
from offchain.crypto.threshold_key import KeyShare, ThresholdPublicKey, deal_key
from tests.unit.crypto.vectors import load_vectors


def public_primes(bits: int) -> tuple[int, int]:
    """Return p and q of the test key of so many bits: 512, 1024, 2048 or 3072."""
    (found,) = (one for one in load_vectors("threshold_test_keys")["keys"] if one["bits"] == bits)
    return int(found["p"], 16), int(found["q"], 16)


@cache
def dealt(
    bits: int = 512, threshold: int = 3, members: int = 5
) -> tuple[ThresholdPublicKey, tuple[KeyShare, ...]]:
    """Deal a test key once a session."""
    p, q = public_primes(bits)
    return deal_key(p, q, threshold=threshold, members=members, allow_small=bits < 2048)


@cache
def prime_with(factor: int) -> int:
    """Return a prime 2·factor·r + 1 of 256 bits, r prime, both top bits set: no safe prime."""
    while True:
        half = gmpy2.next_prime((3 << 254 | secrets.randbits(254)) // (2 * factor))
        candidate = int(2 * factor * half + 1)
        if candidate.bit_length() == 256 and gmpy2.is_prime(candidate):
            return candidate


def dealt_of(
    p: int, q: int, order: int, *, threshold: int, members: int
) -> tuple[ThresholdPublicKey, tuple[KeyShare, ...]]:
    """Deal as a dealer may that passes `order` off as the order of the squares modulo n."""
    exponent = order * int(gmpy2.invert(order, p * q))
    deal_shares = threshold_key.integer_sharing.deal_shares

    def deal(_: int, **group: int) -> tuple[int, ...]:
        return deal_shares(exponent, **(group | {"modulus": p * q * order}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threshold_key, "is_safe_prime", lambda _: True)
        patch.setattr(threshold_key.integer_sharing, "deal_shares", deal)
        return deal_key(p, q, threshold=threshold, members=members, allow_small=True)
