"""Fixed-base tables give what powmod gives, for every window, and refuse longer exponents."""

import gmpy2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto.fixed_base import FixedBase, GrowingBase
from offchain.errors import InvalidScalarError

MODULUS = 2**521 - 1
BITS = 100  # no multiple of the windows
TABLES = {window: FixedBase(3, MODULUS, exponent_bits=BITS, window=window) for window in (4, 8)}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([4, 8]), st.integers(0, 2**BITS - 1))
def test_power__any_exponent__is_powmod(window, exponent):
    assert TABLES[window].power(exponent) == pow(3, exponent, MODULUS)


@pytest.mark.parametrize("window", [4, 8])
@pytest.mark.parametrize("exponent", [0, 1, 2**BITS - 1, 2 ** (BITS - 1), 15, 16, 255, 256])
def test_power__edges__are_powmod(window, exponent):
    assert TABLES[window].power(exponent) == pow(3, exponent, MODULUS)


@pytest.mark.parametrize("window", [4, 8])
def test_power__exponent_too_long_or_negative__is_refused(window):
    for exponent in (-1, 2**BITS, 2**4000):
        with pytest.raises(InvalidScalarError):
            TABLES[window].power(exponent)


def test_fixed_base__unknown_window__is_refused():
    with pytest.raises(InvalidScalarError):
        FixedBase(3, MODULUS, exponent_bits=8, window=5)


def test_growing_base__while_it_grows__keeps_giving_the_same_powers(monkeypatch):
    monkeypatch.setattr(GrowingBase, "WIDE_AFTER", 6)
    base = GrowingBase(3, MODULUS, exponent_bits=BITS)
    windows = []
    for exponent in range(1, 10):
        assert base.power(2**99 + exponent) == gmpy2.powmod(3, 2**99 + exponent, MODULUS)
        windows.append(base._table and base._table._window)
    assert windows == [None, None, 4, 4, 4, 4, 8, 8, 8]


def test_growing_base__prepared__has_the_wide_table_at_once_and_for_good():
    base = GrowingBase(3, MODULUS, exponent_bits=BITS)
    base.prepare()
    table = base._table
    assert [base.power(5) for _ in range(4)] == [243] * 4
    assert base._table is table and table._window == 8
