"""Pairings by native code say what py_ecc's say, and are not believed before they were tried."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import curve, native_pairing
from offchain.crypto.curve import G1_GENERATOR, G2_GENERATOR, GROUP_ORDER
from tests.unit.crypto.points import off_subgroup_point

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "eip196_197.json").read_text(encoding="utf-8")
)
scalars = st.integers(min_value=1, max_value=GROUP_ORDER - 1)


@pytest.fixture
def native():
    found = native_pairing.native_pairing()
    if found is None:
        pytest.skip("garaga is not installed: requirements/pairing.txt")
    return found


@pytest.fixture
def untried():
    """What was found out about this machine's library is forgotten before and after."""
    native_pairing.native_pairing.cache_clear()
    yield
    native_pairing.native_pairing.cache_clear()


@pytest.mark.parametrize("vector", VECTORS["pairing"], ids=lambda v: v["name"])
def test_native_pairing__published_vector__matches_the_precompile(native, vector):
    words = [int(value, 16) for value in vector["input"]]
    rows = [words[start : start + 6] for start in range(0, len(words), 6)]
    pairs = [
        (
            curve.G1.from_words(row[:2], allow_infinity=True),
            curve.G2.from_words(row[2:], allow_infinity=True),
        )
        for row in rows
    ]
    assert native(pairs) is vector["expected"]


@settings(max_examples=25, deadline=None)
@given(scalars, scalars, st.booleans())
def test_native_pairing__multiples__are_one_exactly_when_exponents_cancel(left, right, cancels):
    found = native_pairing.native_pairing()
    if found is None:
        pytest.skip("garaga is not installed: requirements/pairing.txt")
    product = left * right % GROUP_ORDER if cancels else left * right + 1
    pairs = [
        (curve.multiply(G1_GENERATOR, left), curve.multiply(G2_GENERATOR, right)),
        (curve.negate(curve.multiply(G1_GENERATOR, product)), G2_GENERATOR),
    ]
    assert found(pairs) is cancels


def test_native_pairing__empty_product__is_false(native):
    assert native([]) is False


def test_native_pairing__point_outside_the_subgroup__is_false(native):
    outside = off_subgroup_point()
    assert native([(G1_GENERATOR, outside), (curve.negate(G1_GENERATOR), outside)]) is False


def test_native_pairing__points_at_infinity__contribute_one(native):
    nothing = (curve.G1.infinity(), G2_GENERATOR), (G1_GENERATOR, curve.G2.infinity())
    assert native(nothing) is True
    assert native([*nothing, (G1_GENERATOR, G2_GENERATOR)]) is False


def _install(monkeypatch, multi_pairing):
    module = ModuleType("garaga.garaga_rs")
    module.multi_pairing = multi_pairing
    monkeypatch.setitem(sys.modules, "garaga", ModuleType("garaga"))
    monkeypatch.setitem(sys.modules, "garaga.garaga_rs", module)


@pytest.mark.parametrize("says", [[1, *[0] * 11], [2, *[0] * 11]], ids=["always", "never"])
def test_local_pairing__library_computes_wrongly__is_py_ecc_and_says_so(
    untried, monkeypatch, caplog, says
):
    _install(monkeypatch, lambda number, words: says)

    assert native_pairing.native_pairing() is None
    assert native_pairing.local_pairing() is curve.pairing_product_is_one
    assert "computes pairings wrongly" in caplog.text


def test_local_pairing__no_library__is_py_ecc(untried, monkeypatch):
    monkeypatch.setitem(sys.modules, "garaga.garaga_rs", None)

    assert native_pairing.native_pairing() is None
    assert native_pairing.local_pairing() is curve.pairing_product_is_one
