"""Primality of numbers that were chosen to deceive: nobody foresees what they are asked."""

import gmpy2
import pytest

from offchain.crypto import primality
from offchain.crypto.primality import is_prime
from offchain.crypto.safe_prime import is_safe_prime

from .vectors import load_vectors


def _number(digits):
    return int.from_bytes(bytes.fromhex(digits), "big", signed=True)


_VECTORS = load_vectors("wycheproof_primality")["tests"]
COMPOSITES = [
    number
    for test in _VECTORS
    if test["result"] == "invalid" and (number := _number(test["value"])) > 9
]


@pytest.fixture
def foreseen(monkeypatch):
    """Whoever knows the bases of GMP's rounds, the same in every call, passes all of them."""
    monkeypatch.setattr(gmpy2, "is_prime", lambda number, rounds=25: True)


def test_is_prime__where_every_base_of_gmp_is_foreseen__finds_the_composite(foreseen):
    odd = [one for one in COMPOSITES if one % 2]
    assert len(odd) > 50
    assert not any(is_prime(one) for one in odd)
    assert not any(is_safe_prime(2 * one + 1) for one in odd)


def test_is_prime__called_twice__asks_other_bases(monkeypatch):
    asked = []
    is_strong_prp = gmpy2.is_strong_prp

    def note(number, base):
        asked.append(base)
        return is_strong_prp(number, base)

    monkeypatch.setattr(gmpy2, "is_strong_prp", note)
    prime = 2**521 - 1
    assert is_prime(prime) and is_prime(prime)
    assert len(set(asked)) == len(asked) == 2 * primality.RANDOM_ROUNDS
    assert all(2 <= base <= prime - 2 for base in asked)


@pytest.mark.parametrize("number", range(-3, 30))
def test_is_prime__given_small_numbers__is_exact(number):
    assert is_prime(number) == (number in {2, 3, 5, 7, 11, 13, 17, 19, 23, 29})
