"""Primes for a Paillier key: both 3 modulo 4, so that the modulus can be proven (blum_proof)."""

import secrets
from functools import lru_cache

import gmpy2

from offchain.crypto.primality import is_prime

_SIEVE_BOUND = 1 << 12
# FIPS 186-5, A.1.3: |p − q| > 2^(bits of p − 100), or Fermat's method might factor n.
_DISTANCE_SLACK_BITS = 100


@lru_cache(maxsize=1)
def _sieve() -> gmpy2.mpz:
    return gmpy2.primorial(_SIEVE_BOUND)


def generate_blum_primes(bits: int) -> tuple[int, int]:
    """Draw two primes whose product is a Blum integer of exactly `bits` (even) bits.

    Each is uniform among the primes 3 modulo 4 of half the length with both top bits set; they
    are far apart, and gcd(p−1, q−1) = 2, so that the squares modulo n are a cyclic group.
    Randomness is the operating system's. Time depends on luck.
    """
    p = _random_blum_prime(bits // 2)
    while True:
        q = _random_blum_prime(bits - bits // 2)
        far = abs(p - q).bit_length() > bits // 2 - _DISTANCE_SLACK_BITS
        if far and gmpy2.gcd(p - 1, q - 1) == 2:
            return p, q


def _random_blum_prime(bits: int) -> int:
    top_and_low = (3 << (bits - 2)) | 3
    while True:
        candidate = secrets.randbits(bits) | top_and_low
        if gmpy2.gcd(candidate, _sieve()) == 1 and is_prime(candidate):
            return candidate
