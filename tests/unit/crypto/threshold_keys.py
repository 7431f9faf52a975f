"""Threshold keys of the tests: their primes are public (tests/vectors/threshold_test_keys.json)."""

from functools import cache

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
