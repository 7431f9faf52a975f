"""Checks of a foreign Paillier modulus before anyone encrypts to it.

They catch what is malformed or provably weak (CVE-2023-33241 and its kin): small, even, prime,
a perfect power, or with a factor below 2^20. That a modulus is the product of exactly two large
primes needs a proof by its owner, which these checks do not replace.
"""

from functools import lru_cache

import gmpy2

from offchain.crypto.encoding import is_integer
from offchain.crypto.primality import is_prime
from offchain.errors import InvalidKeyError

DEFAULT_BITS = 3072
MIN_BITS = 2048
MAX_BITS = 4096
MIN_SMALL_BITS = 512
SMALL_FACTOR_BOUND = 1 << 20


@lru_cache(maxsize=1)
def _primorial() -> gmpy2.mpz:
    return gmpy2.primorial(SMALL_FACTOR_BOUND)


def require_bits(bits: int, *, allow_small: bool) -> None:
    """Raise InvalidKeyError unless a modulus may have this bit length.

    `allow_small` lowers the bound from 2048 to 512 bits: for tests and development chains only.
    """
    minimum = MIN_SMALL_BITS if allow_small else MIN_BITS
    if not is_integer(bits) or not minimum <= bits <= MAX_BITS:
        raise InvalidKeyError(f"a Paillier modulus must have {minimum}..{MAX_BITS} bits")


@lru_cache(maxsize=1024, typed=True)  # typed: an equal mpz or float is no int
def require_sound_modulus(n: int, *, allow_small: bool = False) -> None:
    """Raise InvalidKeyError unless n passes every check a stranger can make.

    Costs some 10 ms at 3072 bits, once a modulus.
    """
    if not is_integer(n) or n <= 0:
        raise InvalidKeyError("a Paillier modulus must be a positive integer")
    require_bits(n.bit_length(), allow_small=allow_small)
    if n % 2 == 0:
        raise InvalidKeyError("the Paillier modulus is even")
    if gmpy2.gcd(_primorial() % n, n) != 1:
        raise InvalidKeyError("the Paillier modulus has a factor below 2^20")
    if gmpy2.is_power(n):
        raise InvalidKeyError("the Paillier modulus is a perfect power")
    if is_prime(n):
        raise InvalidKeyError("the Paillier modulus is prime")
