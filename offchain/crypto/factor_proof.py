"""Proof that both factors of a modulus are large: none below √n/2^257.

Π-fac of Canetti, Gennaro, Goldfeder, Makriyannis, Peled (eprint 2021/060, Fig. 28) by Fiat–Shamir.
With `blum_proof` it excludes what that one lets pass: a prime factor above 2^20 and yet small. (Of
moduli below 1024 bits, which only tests use, it says nothing.)

The paper commits under ring-Pedersen parameters (N̂, s, t) of each verifier; a proof that lies
beside the key has no one verifier. So N̂ is RSA-2048 of the RSA Factoring Challenge (RSA
Laboratories, 1991–2007), whose factors nobody knows, and s, t are squares hashed from it: nobody
knows a relation between them (decision 017). What rests on what: *soundness* on the strong RSA and
low-order assumptions modulo RSA-2048 (112 bits); *secrecy* of the factors on none of them: the
commitments hide statistically, up to the index of ⟨t⟩ in the squares, which only who has factored
RSA-2048 could use, to learn p modulo that small index.

All numbers are taken non-negative: the ranges are those of the paper moved up. With e of 128 bits:

    p, q the factors;  P = s^p·t^μ, Q = s^q·t^ν, A = s^α·t^x, B = s^β·t^y, T = Q^α·t^r,  σ
    e = hash(context, n, P, Q, A, B, T, σ)
    z1 = α + e·p, z2 = β + e·q, w1 = x + e·μ, w2 = y + e·ν, v = r + e·(σ − ν·p)
    s^z1·t^w1 = A·P^e,  s^z2·t^w2 = B·Q^e,  Q^z1·t^v = T·(s^n·t^σ)^e,  z1, z2 < 2^257·√n

    proof = P ‖ Q ‖ A ‖ B ‖ T ‖ σ ‖ z1 ‖ z2 ‖ w1 ‖ w2 ‖ v, each in the width of its range
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import gmpy2
from gmpy2 import mpz

from offchain.crypto.encoding import fixed_width
from offchain.crypto.hash_to_curve import expand_message_xmd
from offchain.crypto.modulus import MAX_BITS, MIN_SMALL_BITS
from offchain.crypto.proof_hash import KeyContext, SecretStream

RSA_2048 = int(
    "25195908475657893494027183240048398571429282126204032027777137836043662020707595556264018525"
    "88078440691829064124951508218929855914917618450280848912007284499268739280728777673597141834"
    "72702618963750149718246911650776133798590957000973304597488084284017974291006424586918171951"
    "18746121515172654632282216869987549182422433637259085141865462043576798423387184774447920739"
    "93423658482382428119816381501067481045166037730605620161967625613384414360383390441495263443"
    "21901146575444541784240209246165157233507787077498171257724679629263863563732899121548314381"
    "67899885040445364023527381951378636564391212010397122822120720357"
)
_CHALLENGE_BITS = 128
_SLACK_BITS = 128
_RANGE_BITS = _CHALLENGE_BITS + _SLACK_BITS  # of α and β above √n
_AUXILIARY_BITS = RSA_2048.bit_length()
_TAG = b"DMSM-V1-FACTOR-PROOF"


@lru_cache(maxsize=1)
def auxiliary_bases() -> tuple[mpz, mpz]:
    """Return s and t: squares modulo RSA-2048, hashed from it."""
    seed = hashlib.sha256(fixed_width(RSA_2048, _AUXILIARY_BITS // 8)).digest()
    length = (_AUXILIARY_BITS + 128) // 8
    roots = (expand_message_xmd(seed + name, tag=_TAG, length=length) for name in (b"s", b"t"))
    s, t = (mpz(int.from_bytes(root, "big")) ** 2 % RSA_2048 for root in roots)
    return s, t


class _Ranges:
    """The bounds of a proof's numbers, for a modulus n."""

    def __init__(self, n: int) -> None:
        root = gmpy2.isqrt(n) + 1
        self.alpha = root << _RANGE_BITS
        self.z = root << (_RANGE_BITS + 1)
        self.mu = mpz(RSA_2048) << _SLACK_BITS
        self.x = self.mu << _RANGE_BITS
        self.w = self.x << 1
        self.sigma = (mpz(RSA_2048) << _SLACK_BITS) * n
        self.r = self.sigma << _RANGE_BITS
        self.v = self.r << 1
        auxiliary = [mpz(RSA_2048)] * 5
        self.all = [*auxiliary, self.sigma, self.z, self.z, self.w, self.w, self.v]
        self.widths = [-(-int(bound).bit_length() // 8) for bound in self.all]


def proof_length(n: int) -> int:
    """Return the length of a proof about n: 3,685 bytes at 3072 bits."""
    return sum(_Ranges(n).widths)


def prove(p: int, q: int, context: KeyContext) -> bytes:
    """Prove it of n = p·q. The same statement gives the same proof."""
    n = p * q
    ranges, auxiliary, (s, t) = _Ranges(n), mpz(RSA_2048), auxiliary_bases()
    width = -(-n.bit_length() // 8)
    stream = SecretStream(
        fixed_width(p, width) + fixed_width(q, width),
        context.seed(b"FACTOR-NONCES", fixed_width(n, width)),
    )
    mu, nu = stream.below(ranges.mu), stream.below(ranges.mu)
    alpha, beta = stream.below(ranges.alpha), stream.below(ranges.alpha)
    x, y = stream.below(ranges.x), stream.below(ranges.x)
    # σ is drawn above ν·p, which is far below its range, so that σ − ν·p is not negative.
    sigma = nu * p + stream.below(ranges.sigma - ranges.mu * p)
    r = stream.below(ranges.r)

    def commit(first: int, second: int, base: mpz = s) -> mpz:
        powers = gmpy2.powmod(base, first, auxiliary), gmpy2.powmod(t, second, auxiliary)
        return powers[0] * powers[1] % auxiliary

    big_q = commit(q, nu)
    commitments = [commit(p, mu), big_q, commit(alpha, x), commit(beta, y), commit(alpha, r, big_q)]
    e = _challenge(n, [*commitments, mpz(sigma)], ranges, context)
    responses = [alpha + e * p, beta + e * q, x + e * mu, y + e * nu, r + e * (sigma - nu * p)]
    numbers = [*commitments, sigma, *responses]
    return b"".join(
        fixed_width(int(number), length)
        for number, length in zip(numbers, ranges.widths, strict=True)
    )


def verify(n: int, proof: bytes, context: KeyContext) -> bool:
    """Tell whether a proof holds for a modulus in a context."""
    if not isinstance(n, int) or not MIN_SMALL_BITS <= n.bit_length() <= MAX_BITS or n < 0:
        return False
    ranges = _Ranges(n)
    if not isinstance(proof, bytes) or len(proof) != sum(ranges.widths):
        return False
    numbers, start = [], 0
    for width in ranges.widths:
        numbers.append(mpz(int.from_bytes(proof[start : start + width], "big")))
        start += width
    if not all(number < bound for number, bound in zip(numbers, ranges.all, strict=True)):
        return False
    if any(gmpy2.gcd(number, RSA_2048) != 1 for number in numbers[:5]):
        return False
    return _equations_hold(n, numbers, _challenge(n, numbers[:6], ranges, context))


def _equations_hold(n: int, numbers: Sequence[mpz], e: int) -> bool:
    big_p, big_q, big_a, big_b, big_t, sigma, z1, z2, w1, w2, v = numbers
    auxiliary, (s, t), power = mpz(RSA_2048), auxiliary_bases(), gmpy2.powmod
    first = power(s, z1, auxiliary) * power(t, w1, auxiliary) - big_a * power(big_p, e, auxiliary)
    second = power(s, z2, auxiliary) * power(t, w2, auxiliary) - big_b * power(big_q, e, auxiliary)
    product = power(s, n, auxiliary) * power(t, sigma, auxiliary)
    third = power(big_q, z1, auxiliary) * power(t, v, auxiliary)
    third -= big_t * power(product, e, auxiliary)
    return not any(difference % auxiliary for difference in (first, second, third))


def _challenge(n: int, sent: Sequence[mpz], ranges: _Ranges, context: KeyContext) -> int:
    width = -(-n.bit_length() // 8)
    octets = [
        fixed_width(int(number), length)
        for number, length in zip(sent, ranges.widths, strict=False)
    ]
    seed = context.seed(b"FACTOR", fixed_width(n, width), *octets)
    return int.from_bytes(seed[: _CHALLENGE_BITS // 8], "big")
