"""Fixed-base tables give what powmod gives, for every window, and refuse longer exponents."""

import gmpy2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto.fixed_base import FixedBase, GrowingBase, wide_window
from offchain.errors import InvalidScalarError

MODULUS = 2**521 - 1
BITS = 100  # no multiple of the windows
WINDOWS = (1, 4, 5, 8, 9, 10)
TABLES = {window: FixedBase(3, MODULUS, exponent_bits=BITS, window=window) for window in WINDOWS}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(WINDOWS), st.integers(0, 2**BITS - 1))
def test_power__any_exponent__is_powmod(window, exponent):
    assert TABLES[window].power(exponent) == pow(3, exponent, MODULUS)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("exponent", [0, 1, 2**BITS - 1, 2 ** (BITS - 1), 15, 16, 255, 256])
def test_power__edges__are_powmod(window, exponent):
    assert TABLES[window].power(exponent) == pow(3, exponent, MODULUS)


@pytest.mark.parametrize("window", WINDOWS)
def test_power__exponent_too_long_or_negative__is_refused(window):
    for exponent in (-1, 2**BITS, 2**4000):
        with pytest.raises(InvalidScalarError):
            TABLES[window].power(exponent)


def test_fixed_base__unknown_window__is_refused():
    for window in (0, -1, 13):
        with pytest.raises(InvalidScalarError):
            FixedBase(3, MODULUS, exponent_bits=8, window=window)


@pytest.mark.parametrize(
    ("modulus_bits", "exponent_bits", "window"),
    [(4096, 1024, 9), (6144, 1536, 8), (8192, 2048, 7), (1 << 20, 1 << 19, 4), (521, 100, 12)],
)
def test_wide_window__any_modulus__is_the_widest_that_fits(modulus_bits, exponent_bits, window):
    assert wide_window(1 << (modulus_bits - 1), exponent_bits=exponent_bits) == window


def test_growing_base__while_it_grows__keeps_giving_the_same_powers(monkeypatch):
    monkeypatch.setattr(GrowingBase, "WIDE_AFTER", 6)
    monkeypatch.setattr(GrowingBase, "_wide_window", lambda self: 8)
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
    assert base._table is table and table._window == 12
