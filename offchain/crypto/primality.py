"""Primality, of numbers that may have been chosen to deceive."""

import secrets

import gmpy2

_BAILLIE_PSW = 24  # what GMP counts for it; the bases of its further rounds are always the same
RANDOM_ROUNDS = 20


def is_prime(number: int) -> bool:
    """Tell whether an integer is prime; negative ones are not. Not constant time.

    Baillie–PSW, which no composite is known to pass, and Miller–Rabin rounds on bases that nobody
    foresees: a composite built to pass the former is taken for prime once in 4^20 tries.
    """
    if number < 2 or not gmpy2.is_prime(number, _BAILLIE_PSW):
        return False
    if number < 5:
        return True
    bases = (2 + secrets.randbelow(int(number) - 3) for _ in range(RANDOM_ROUNDS))
    return all(gmpy2.gcd(base, number) == 1 and gmpy2.is_strong_prp(number, base) for base in bases)
