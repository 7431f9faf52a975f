"""Proof that a modulus is a product of two primes 3 modulo 4, and coprime to its totient.

Π-mod of Canetti, Gennaro, Goldfeder, Makriyannis, Peled (CCS 2020, eprint 2021/060, Fig. 16) by
Fiat–Shamir, without giving the factors away. y_1, y_2, … and w are hashed from n and the context:

    x_i⁴ = (−1)^a_i·w^b_i·y_i    for 128 y_i: if n is free of squares, but not of two primes or not
                                 of primes 3 modulo 4, at most half of all y have such an x
    z_i^n = y_i                  for 7 y_i: if gcd(n, φ(n)) > 1, a prime factor divides both, above
                                 2^20 as `modulus` makes sure, and at most one y in 2^20 has such a
                                 z (Goldberg, Reyzin, Sagga, Baldimtsi; SCN 2018, eprint 2018/057)

Soundness error 2^-128, in the random oracle model, against any amount of computation between
hashes. Zero knowledge: the y_i of a simulator are made from x_i and z_i. Where the paper sends w
and lets the prover choose among fourth roots, here w is hashed too and x_i is the smaller of ±x:
each n has one proof a context, and nobody can change a byte of it, its owner's other roots aside.

    proof = a_1…a_128 (16 bytes) ‖ b_1…b_128 (16 bytes) ‖ x_1 ‖ … ‖ x_128 ‖ z_1 ‖ … ‖ z_7
"""

import gmpy2
from gmpy2 import mpz

from offchain.crypto.encoding import fixed_width
from offchain.crypto.modulus import SMALL_FACTOR_BOUND, require_sound_modulus
from offchain.crypto.proof_hash import KeyContext, hash_below
from offchain.errors import CryptoError, InvalidKeyError

ROOT_ROUNDS = 128
POWER_ROUNDS = -(-128 // (SMALL_FACTOR_BOUND.bit_length() - 1))
_BITS_BYTES = ROOT_ROUNDS // 8
_TAG = b"DMSM-V1-BLUM-PROOF"
_SYMBOL_TRIES = 128


def proof_length(byte_length: int) -> int:
    """Return the length of a proof about a modulus of that many bytes: 51,872 at 3072 bits."""
    return 2 * _BITS_BYTES + (ROOT_ROUNDS + POWER_ROUNDS) * byte_length


def prove(p: int, q: int, context: KeyContext) -> bytes:
    """Prove it of n = p·q. Raises InvalidKeyError unless both are 3 modulo 4 and n fits φ(n)."""
    if p % 4 != 3 or q % 4 != 3 or gmpy2.gcd(p * q, (p - 1) * (q - 1)) != 1:
        raise InvalidKeyError("only keys of two primes 3 modulo 4 can be proven; make a new one")
    n = p * q
    seed, w = _statement(n, context)
    roots = _Roots(p, q)
    signs = factors = 0
    xs, zs = [], []
    for index in range(ROOT_ROUNDS):
        sign, factor, x = roots.fourth(_challenge(seed, index, n), w)
        signs, factors = signs << 1 | sign, factors << 1 | factor
        xs.append(x)
    for index in range(ROOT_ROUNDS, ROOT_ROUNDS + POWER_ROUNDS):
        zs.append(roots.nth(_challenge(seed, index, n)))
    width = -(-n.bit_length() // 8)
    bits = fixed_width(signs, _BITS_BYTES) + fixed_width(factors, _BITS_BYTES)
    return bits + b"".join(fixed_width(number, width) for number in xs + zs)


def verify(n: int, proof: bytes, context: KeyContext, *, allow_small: bool = False) -> bool:
    """Tell whether a proof holds for a modulus in a context; checks the modulus itself too."""
    try:
        require_sound_modulus(n, allow_small=allow_small)
        seed, w = _statement(n, context)
    except CryptoError:
        return False
    width = -(-n.bit_length() // 8)
    if not isinstance(proof, bytes) or len(proof) != proof_length(width):
        return False
    signs = int.from_bytes(proof[:_BITS_BYTES], "big")
    factors = int.from_bytes(proof[_BITS_BYTES : 2 * _BITS_BYTES], "big")
    numbers = [
        mpz(int.from_bytes(proof[start : start + width], "big"))
        for start in range(2 * _BITS_BYTES, len(proof), width)
    ]
    if not all(0 < number < n for number in numbers):
        return False
    for index, x in enumerate(numbers[:ROOT_ROUNDS]):
        place = ROOT_ROUNDS - 1 - index
        y = _challenge(seed, index, n) * (w if factors >> place & 1 else 1)
        if 2 * x >= n or (x * x % n) ** 2 % n != (-y if signs >> place & 1 else y) % n:
            return False
    return all(
        gmpy2.powmod(z, n, n) == _challenge(seed, index, n)
        for index, z in enumerate(numbers[ROOT_ROUNDS:], start=ROOT_ROUNDS)
    )


def _statement(n: int, context: KeyContext) -> tuple[bytes, int]:
    """Return the seed of all challenges and w, whose Jacobi symbol is −1."""
    width = -(-n.bit_length() // 8)
    seed = context.seed(b"BLUM", fixed_width(n, width))
    for index in range(_SYMBOL_TRIES):
        w = hash_below(seed, index, n, tag=_TAG + b"-W")
        if gmpy2.jacobi(w, n) == -1:
            return seed, w
    raise InvalidKeyError("the Paillier modulus has no number of Jacobi symbol −1: it is a square")


def _challenge(seed: bytes, index: int, n: int) -> int:
    return hash_below(seed, index, n, tag=_TAG)


class _Roots:
    """Roots modulo n by its primes. Secret."""

    def __init__(self, p: int, q: int) -> None:
        self._primes = (mpz(p), mpz(q))
        self._n = mpz(p) * q
        self._p_inverse = gmpy2.invert(p, q)
        # For squares modulo a prime 3 modulo 4, (p+1)/4 is a root that is a square itself.
        self._fourth = tuple(pow((r + 1) // 4, 2, (r - 1) // 2) for r in self._primes)
        self._nth = tuple(gmpy2.invert(self._n, r - 1) for r in self._primes)

    def fourth(self, y: int, w: int) -> tuple[int, int, int]:
        """Return a, b and the smaller fourth root of (−1)^a·w^b·y."""
        first, second = (gmpy2.legendre(y, prime) for prime in self._primes)
        factor = int(first != second)
        value = y * w % self._n if factor else mpz(y)
        sign = int(gmpy2.legendre(value, self._primes[0]) == -1)
        x = self._power(-value % self._n if sign else value, self._fourth)
        return sign, factor, int(min(x, self._n - x))

    def nth(self, y: int) -> int:
        """Return the n-th root of y."""
        return int(self._power(mpz(y), self._nth))

    def _power(self, base: mpz, exponents: tuple[mpz, ...]) -> mpz:
        (p, q), (e_p, e_q) = self._primes, exponents
        x_p, x_q = gmpy2.powmod(base, e_p, p), gmpy2.powmod(base, e_q, q)
        return x_p + p * ((x_q - x_p) * self._p_inverse % q)
