"""The Fermat quotient is what powmod says, for primes of all shapes."""

import gmpy2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto.fermat_quotient import FermatQuotient

PRIMES = [3, 5, 7, 61, 65537, 2**127 - 1, int(gmpy2.next_prime(3 << 254))]


@pytest.mark.parametrize("p", PRIMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_of__any_unit__is_powmod(p, data):
    c = data.draw(st.integers(1, p**3).filter(lambda value: value % p))
    assert FermatQuotient(p).of(c) == (pow(c, p - 1, p * p) - 1) // p


def test_of__products__adds_like_a_logarithm():
    p = PRIMES[-1]
    quotient = FermatQuotient(p)
    assert quotient.of(6) == (quotient.of(2) + quotient.of(3)) % p
    assert quotient.of(1) == 0
