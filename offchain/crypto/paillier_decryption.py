"""Paillier decryption by the Chinese remainder theorem, always of a blinded copy.

Its powers take constant time (`secret_power`), the rest does not. A ciphertext is multiplied by a
secret n-th residue first, so that who chose it does not know what is computed on (Kocher, Crypto
1996). The factor is squared from one use to the next and drawn anew after 32, as OpenSSL does for
RSA: it never leaves this object. Decryption runs on the owner's machine, and answers leave a node
on its own schedule, not when a decryption ends.
"""

import os

import gmpy2
from gmpy2 import mpz

from offchain.crypto.paillier_noise import OwnerNoise
from offchain.crypto.secret import Secret
from offchain.crypto.secret_power import secret_power
from offchain.forking import ForkLock

_BLINDING_USES = 32


class _PrimePart(Secret):
    """Decryption modulo one prime: m = q(c)·q(1+n)^−1 mod p, q(c) = (c^(p−1) mod p² − 1)/p, the
    Fermat quotient. Secret.
    """

    __slots__ = ("_inverse", "_prime", "square")

    def __init__(self, prime: int, other: int) -> None:
        self._prime, self.square = mpz(prime), mpz(prime) ** 2
        self._inverse = gmpy2.invert(-other, prime)  # (1+n)^(p−1) = 1 − n mod p²

    def plaintext(self, residue: mpz) -> mpz:
        """Return the plaintext modulo the prime of a ciphertext modulo its square."""
        power = secret_power(residue, self._prime - 1, self.square)
        return (power - 1) // self._prime * self._inverse % self._prime


class Decryptor(Secret):
    """Decrypt with the primes p and q. Secret; thread-safe."""

    __slots__ = ("_blinding", "_first", "_lock", "_noise", "_p", "_p_inverse", "_q", "_second")

    def __init__(self, p: int, q: int, noise: OwnerNoise) -> None:
        self._p, self._q = mpz(p), mpz(q)
        self._first, self._second = _PrimePart(p, q), _PrimePart(q, p)
        self._p_inverse = gmpy2.invert(p, q)
        self._noise = noise
        self._lock = ForkLock()
        self._blinding: tuple[int, int, mpz, mpz] = (0, 0, mpz(0), mpz(0))

    def decrypt(self, ciphertext: int) -> int:
        """Return the plaintext of an element of Z*_{n²}: the caller has made sure it is one."""
        first, second = self._next_blinding()
        m_p = self._first.plaintext(ciphertext % self._first.square * first)
        m_q = self._second.plaintext(ciphertext % self._second.square * second)
        return int(m_p + self._p * ((m_q - m_p) * self._p_inverse % self._q))

    def _next_blinding(self) -> tuple[mpz, mpz]:
        with self._lock:
            process, left, first, second = self._blinding
            if left == 0 or process != os.getpid():  # a forked child draws its own
                first, second = self._noise.draw_residues()
                left = _BLINDING_USES
            else:
                first = first * first % self._first.square
                second = second * second % self._second.square
            self._blinding = (os.getpid(), left - 1, first, second)
            return first, second
