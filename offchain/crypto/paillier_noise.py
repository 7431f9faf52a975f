"""The random part of a Paillier ciphertext: n-th residues h_s^r mod n², fast.

Damgård, Jurik, Nielsen (Int. J. Inf. Secur. 9, 2010, §4): fix a square h modulo n, and draw
h_s^r with h_s = h^n mod n² instead of a fresh coin's n-th power; r has half the bits of n.

h = y² mod n with y hashed from n: never taken from the key's owner or anyone else, who could
otherwise choose one of tiny order and read every plaintext.

What this rests on, beside the random oracle for y: with r of full length, that n-th powers of
random squares look like random elements times squares' n-th powers (decisional composite
residuosity, as Paillier does; where h generates a subgroup of index d of the squares, the
reduction raises its challenge to the power d, which is small but for a negligible share of keys).
With r of half the length, also that h^r looks the same then, which follows from factoring alone
(Goldreich, Rosen, J. Cryptology 16, 2003: modular exponentiation with half-size exponents is
pseudorandom; their reduction picks h itself, so that y may be public). The exponents have
1024 bits at 2048 and 1536 bits at 3072: there is no security parameter to tune down.

The owner draws in the same subgroup with exponents uniform modulo each prime's order, by CRT.

Not constant time: table entries are read by digits of r (cache), and GMP's reductions vary. r is
fresh for each ciphertext and lives on the machine that holds the plaintext in the clear.
"""

import hashlib
import secrets
from typing import Protocol

import gmpy2
from gmpy2 import mpz

from offchain.crypto.fixed_base import GrowingBase
from offchain.crypto.hash_to_curve import expand_message_xmd
from offchain.crypto.secret import Secret
from offchain.errors import InvalidKeyError

_BASE_TAG = b"DMSM-V1-PAILLIER-BASE"
_BIAS_BITS = 128


class NoiseSource(Protocol):
    """Where fresh n-th residues modulo n² come from."""

    @property
    def n(self) -> int:
        """The modulus of the one key that they are for."""
        ...

    def draw(self) -> mpz:
        """Return a fresh random n-th residue: used for one ciphertext, then forgotten."""


def hashed_square(n: int) -> int:
    """Derive h = y² mod n, y from n alone. Raises InvalidKeyError if y is no unit of n."""
    width = -(-n.bit_length() // 8)
    octets = expand_message_xmd(
        hashlib.sha256(n.to_bytes(width, "big")).digest(),
        tag=_BASE_TAG,
        length=width + _BIAS_BITS // 8,
    )
    y = mpz(int.from_bytes(octets, "big")) % n
    if gmpy2.gcd(y, n) != 1:
        raise InvalidKeyError("a hash of the Paillier modulus has a factor of it")
    return int(y * y % n)


class PublicNoise:
    """Noise for anyone who knows n: h_s^r with r of half the bits of n."""

    __slots__ = ("_base", "exponent_bits", "n")

    def __init__(self, n: int) -> None:
        self.n = n
        self.exponent_bits = -(-n.bit_length() // 2)
        n_squared = mpz(n) * n
        base = gmpy2.powmod(hashed_square(n), n, n_squared)
        self._base = GrowingBase(base, n_squared, exponent_bits=self.exponent_bits)

    def prepare(self) -> None:
        """Make the wide table now, for thousands of draws."""
        self._base.prepare()

    def draw(self) -> mpz:
        """Return h_s^r for a fresh r."""
        return self._base.power(secrets.randbits(self.exponent_bits))


class OwnerNoise(Secret):
    """Noise for who knows p and q: modulo p² and q², a third of the work. Secret."""

    __slots__ = ("_bases", "_inverse", "_orders", "_squares", "n")

    def __init__(self, p: int, q: int) -> None:
        self.n = int(p) * int(q)
        n = mpz(self.n)
        h = hashed_square(self.n)
        self._squares = (mpz(p) ** 2, mpz(q) ** 2)
        self._orders = ((p - 1) // 2, (q - 1) // 2)  # of the squares modulo each prime
        self._inverse = gmpy2.invert(self._squares[0], self._squares[1])
        self._bases = tuple(
            GrowingBase(gmpy2.powmod(h, n, square), square, exponent_bits=order.bit_length())
            for square, order in zip(self._squares, self._orders, strict=True)
        )

    def prepare(self) -> None:
        """Make the wide tables now, for thousands of draws."""
        for base in self._bases:
            base.prepare()

    def draw_residues(self) -> tuple[mpz, mpz]:
        """Return a fresh draw modulo p² and modulo q²."""
        first, second = (
            base.power(secrets.randbelow(order))
            for base, order in zip(self._bases, self._orders, strict=True)
        )
        return first, second

    def draw(self) -> mpz:
        """Return a fresh draw modulo n²."""
        first, second = self.draw_residues()
        p_squared, q_squared = self._squares
        return first + p_squared * ((second - first) * self._inverse % q_squared)
