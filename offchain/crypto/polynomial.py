"""Polynomials over a prime field: Newton's basis for dealing, Lagrange's for recovery."""

from collections.abc import Sequence
from math import comb

from offchain.errors import SharingError


def evaluate_newton(coefficients: Sequence[int], x: int, modulus: int) -> int:
    """Evaluate f(x) = Σ_j b_j·C(x, j) modulo a prime, for an integer x >= 0.

    A change of basis of degree < t polynomials (triangular, hence bijective, while t does not
    exceed the prime), so uniform b_j with b_0 = f(0) share b_0 as Shamir does.
    """
    return sum(b * comb(x, j) for j, b in enumerate(coefficients)) % modulus


def lagrange_at_zero(indices: Sequence[int], modulus: int) -> dict[int, int]:
    """Compute λ_i with f(0) = Σ λ_i·f(i) for every f of degree below len(indices).

    Raises SharingError when an index is 0 modulo the prime (it would be the secret itself) or
    two are equal modulo it.
    """
    residues = [index % modulus for index in indices]
    if not residues or 0 in residues or len(set(residues)) != len(residues):
        raise SharingError("share indices must be distinct and not zero")
    weights = {}
    for i in indices:
        numerator = denominator = 1
        for j in indices:
            if j != i:
                numerator = numerator * j % modulus
                denominator = denominator * (j - i) % modulus
        weights[i] = numerator * pow(denominator, -1, modulus) % modulus
    return weights
