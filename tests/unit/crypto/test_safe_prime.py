"""Safe primes: what is one, and that the generated ones are."""

import pytest

from offchain.crypto.safe_prime import generate_safe_prime, is_safe_prime
from offchain.errors import InvalidKeyError
from tests.unit.crypto.threshold_keys import public_primes


def test_is_safe_prime__given_all_small_numbers__finds_the_known_ones() -> None:
    known = [5, 7, 11, 23, 47, 59, 83, 107, 167, 179, 227, 263, 347, 359, 383, 467, 479]
    assert [one for one in range(500) if is_safe_prime(one)] == known  # OEIS A005385


@pytest.mark.parametrize("value", [-7, 0, 1, 13, 7.0, True, "7", None])
def test_is_safe_prime__given_no_safe_prime__is_false(value: int) -> None:
    assert not is_safe_prime(value)


@pytest.mark.parametrize("bits", [64, 65, 128, 256])
def test_generate_safe_prime__given_a_size__has_it_exactly(bits: int) -> None:
    first, second = generate_safe_prime(bits), generate_safe_prime(bits)
    assert is_safe_prime(first) and is_safe_prime(second)
    assert (first * second).bit_length() == 2 * bits
    assert first != second


@pytest.mark.parametrize("bits", [63, 2049, 0, -1, 64.0, True])
def test_generate_safe_prime__given_a_bad_size__is_refused(bits: int) -> None:
    with pytest.raises(InvalidKeyError):
        generate_safe_prime(bits)


@pytest.mark.parametrize("bits", [512, 1024, 2048, 3072])
def test_vectors__of_test_keys__are_safe_primes_of_their_size(bits: int) -> None:
    p, q = public_primes(bits)
    assert p < q and is_safe_prime(p) and is_safe_prime(q)
    assert (p * q).bit_length() == bits
