"""BitForge (CVE-2023-33241) and its kin: a modulus of small primes, which anybody factors."""

from __future__ import annotations

from itertools import count

import gmpy2
import pytest
from phe import paillier as phe

from offchain.crypto import paillier
from offchain.errors import InvalidKeyError

SMALL_BITS = 16


def smooth_modulus(bits: int) -> int:
    """Return a modulus of exactly `bits` bits whose primes but the last have 16 bits."""
    n, prime = 1, gmpy2.mpz(1 << (SMALL_BITS - 1))
    while n.bit_length() <= bits - 64:
        prime = gmpy2.next_prime(prime)
        n *= int(prime)
    low = (1 << (bits - 1)) // n
    return next(
        n * int(p) for p in map(gmpy2.next_prime, count(low)) if (n * p).bit_length() == bits
    )


def factors_of(n: int) -> list[int]:
    found = []
    for prime in iter_primes(1 << SMALL_BITS):
        while n % prime == 0:
            found.append(prime)
            n //= prime
    return found if n == 1 else [*found, n]


def iter_primes(limit: int) -> list[int]:
    primes, prime = [], gmpy2.mpz(2)
    while prime < limit:
        primes.append(int(prime))
        prime = gmpy2.next_prime(prime)
    return primes


def test_naive_sender__encrypts_to_a_smooth_modulus__is_read_by_anybody() -> None:
    """The negative control: phe takes the modulus, and trial division decrypts."""
    n = smooth_modulus(2048)
    ciphertext = phe.PaillierPublicKey(n).raw_encrypt(424_242)
    primes = factors_of(n)
    assert len(primes) > 100 and all(gmpy2.is_prime(prime) for prime in primes)
    totient = 1
    for prime in primes:
        totient *= prime - 1
    decrypted = (pow(ciphertext, totient, n * n) - 1) // n * pow(totient, -1, n) % n
    assert decrypted == 424_242


@pytest.mark.parametrize("bits", [2048, 3072])
def test_public_key__smooth_modulus__is_refused(bits: int) -> None:
    n = smooth_modulus(bits)
    with pytest.raises(InvalidKeyError, match="factor below"):
        paillier.PaillierPublicKey(n)
    data = b"DMP1" + (bits // 8).to_bytes(2, "big") + n.to_bytes(bits // 8, "big")
    with pytest.raises(InvalidKeyError):
        paillier.PaillierPublicKey.from_bytes(data, bits=bits)


def test_public_key__one_small_prime_among_large__is_refused() -> None:
    small = int(gmpy2.next_prime(1 << SMALL_BITS))
    large = int(gmpy2.next_prime((1 << 2047) // small))
    assert (small * large).bit_length() == 2048
    with pytest.raises(InvalidKeyError, match="factor below"):
        paillier.PaillierPublicKey(small * large)
