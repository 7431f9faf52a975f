"""Shamir's sharing over Z_M for an M that nobody else knows, as threshold RSA and Paillier need it.

Division by i − j is impossible without M, so that Lagrange's weights are multiplied by Δ = n!,
which makes them integers (Shoup, Eurocrypt 2000; Damgård–Jurik, PKC 2001 §4.1).
"""

import secrets
from collections.abc import Sequence
from math import factorial

from offchain.crypto.encoding import is_integer
from offchain.errors import SharingError

MIN_THRESHOLD = 2
MAX_MEMBERS = 100


def require_group(*, threshold: int, members: int) -> None:
    """Raise SharingError unless 2 <= threshold <= members <= 100."""
    if not is_integer(threshold) or not is_integer(members):
        raise SharingError("threshold and members must be integers")
    if not MIN_THRESHOLD <= threshold <= members <= MAX_MEMBERS:
        raise SharingError(f"a group needs {MIN_THRESHOLD} <= t <= n <= {MAX_MEMBERS}")


def deal_shares(secret: int, *, modulus: int, threshold: int, members: int) -> tuple[int, ...]:
    """Share a secret of [0, modulus): f(i) modulo `modulus` for i = 1..members, f(0) = secret.

    f has degree threshold − 1 and fresh uniform coefficients. Fewer than threshold shares say
    nothing about the secret when every prime factor of the modulus is above `members`.
    """
    require_group(threshold=threshold, members=members)
    if not is_integer(secret) or not 0 <= secret < modulus:
        raise SharingError("the secret to share must be in [0, modulus)")
    coefficients = [secret, *(secrets.randbelow(modulus) for _ in range(threshold - 1))]
    return tuple(_evaluate(coefficients, index) % modulus for index in range(1, members + 1))


def delta(members: int) -> int:
    """Return Δ = members!."""
    return factorial(members)


def integer_weights(indices: Sequence[int], *, members: int) -> dict[int, int]:
    """Compute integers λ_i with Δ·f(0) = Σ λ_i·f(i) for every f of degree below len(indices).

    Raises SharingError unless the indices are distinct and in 1..members.
    """
    if not indices or len(set(indices)) != len(indices):
        raise SharingError("share indices must be distinct")
    if any(not is_integer(index) or not 1 <= index <= members for index in indices):
        raise SharingError(f"share indices must be in 1..{members}")
    weights = {}
    for i in indices:
        numerator, denominator = delta(members), 1
        for j in indices:
            if j != i:
                numerator, denominator = numerator * j, denominator * (j - i)
        weights[i] = numerator // denominator  # exact: Δ is a multiple of the denominator
    return weights


def _evaluate(coefficients: Sequence[int], x: int) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = value * x + coefficient
    return value
