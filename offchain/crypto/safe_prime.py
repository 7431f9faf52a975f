"""Safe primes p = 2p' + 1 for threshold keys, from system randomness.

A random start is drawn and the window above it sieved, for p' and 2p' + 1 at once; what is left
is tested. As in every incremental search a prime behind a long gap is a little likelier: the bias
is far below a bit of entropy. Not constant time; it runs on the dealer's own machine.
"""

import secrets
from functools import lru_cache

import gmpy2

from offchain.crypto.encoding import is_integer
from offchain.crypto.modulus import MAX_BITS
from offchain.crypto.primality import is_prime
from offchain.errors import InvalidKeyError

MIN_PRIME_BITS = 64
_SIEVE_BOUND = 1 << 18
_WINDOW = 1 << 16


def is_safe_prime(candidate: int) -> bool:
    """Tell whether a number is a safe prime, by `is_prime` of it and of its half."""
    if not is_integer(candidate) or candidate < 5 or candidate % 2 == 0:
        return False
    half = candidate >> 1
    return is_prime(half) and is_prime(candidate)


def generate_safe_prime(bits: int) -> int:
    """Draw a safe prime of exactly `bits` bits (64..2048), its two highest bits set.

    The product of two of them has exactly 2·bits bits. Some 10 s at 1536 bits.
    """
    if not is_integer(bits) or not MIN_PRIME_BITS <= bits <= MAX_BITS // 2:
        raise InvalidKeyError(f"a safe prime must have {MIN_PRIME_BITS}..{MAX_BITS // 2} bits")
    while True:
        found = _search(_start(bits - 1))
        if found is not None and found.bit_length() == bits:
            return found


def _start(bits: int) -> int:
    return secrets.randbits(bits) | 3 << (bits - 2) | 1


def _search(start: int) -> int | None:
    """Return 2h + 1 for the first h = start, start + 2, … in the window that makes it safe."""
    composite = _sieved(start)
    step = composite.find(0)
    while step >= 0:
        half = start + 2 * step
        candidate = 2 * half + 1
        passes = gmpy2.powmod(2, half - 1, half) == 1 and gmpy2.powmod(4, half, candidate) == 1
        if passes and is_safe_prime(candidate):
            return candidate
        step = composite.find(0, step + 1)
    return None


def _sieved(start: int) -> bytearray:
    """Mark the steps k at which start + 2k or 2(start + 2k) + 1 has a small factor."""
    composite = bytearray(_WINDOW)
    for prime, half in _small_primes():  # half: the inverse of 2
        for step in (-start * half, -(2 * start + 1) * half * half):
            first = step % prime
            composite[first::prime] = b"\x01" * len(range(first, _WINDOW, prime))
    return composite


@lru_cache(maxsize=1)
def _small_primes() -> tuple[tuple[int, int], ...]:
    is_composite = bytearray(_SIEVE_BOUND)
    for factor in range(2, int(gmpy2.isqrt(_SIEVE_BOUND)) + 1):
        if not is_composite[factor]:
            multiples = range(factor * factor, _SIEVE_BOUND, factor)
            is_composite[factor * factor :: factor] = b"\x01" * len(multiples)
    primes = (one for one in range(3, _SIEVE_BOUND) if not is_composite[one])
    return tuple((prime, (prime + 1) // 2) for prime in primes)
