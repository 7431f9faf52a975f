"""Primality, of numbers that may have been chosen to deceive."""

import gmpy2

# GMP counts the first 24 for Baillie–PSW; 16 Miller–Rabin rounds on random bases follow: a
# composite that somebody built to pass both is taken for prime once in 4^16 tries.
_ROUNDS = 40


def is_prime(number: int) -> bool:
    """Tell whether an integer is prime; negative ones are not. Not constant time."""
    return number > 1 and bool(gmpy2.is_prime(number, _ROUNDS))
