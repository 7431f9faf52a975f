"""BN254: published vectors, group laws, and everything that is not a point."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import curve
from offchain.crypto.curve import FIELD_PRIME, G1, G1_GENERATOR, G2, G2_GENERATOR, GROUP_ORDER
from offchain.errors import CryptoError, EncodingError, InvalidPointError

from .points import off_subgroup_point
from .vectors import load_vectors

VECTORS = load_vectors("eip196_197")
scalars = st.integers(min_value=0, max_value=GROUP_ORDER - 1)


def _ints(values):
    return [int(value, 16) for value in values]


def _g1(words):
    return G1.from_words(words, allow_infinity=True)


@pytest.mark.parametrize("vector", VECTORS["add"], ids=lambda v: v["name"])
def test_add__published_vector__matches_the_precompile(vector):
    words = _ints(vector["input"])
    total = curve.add(_g1(words[:2]), _g1(words[2:]))
    assert list(total.words()) == _ints(vector["expected"])


@pytest.mark.parametrize("vector", VECTORS["mul"], ids=lambda v: v["name"])
def test_multiply__published_vector__matches_the_precompile(vector):
    x, y, scalar = _ints(vector["input"])
    assert list(curve.multiply(_g1([x, y]), scalar).words()) == _ints(vector["expected"])


@pytest.mark.parametrize("vector", VECTORS["pairing"], ids=lambda v: v["name"])
def test_pairing_product_is_one__published_vector__matches_the_precompile(vector):
    words = _ints(vector["input"])
    rows = [words[start : start + 6] for start in range(0, len(words), 6)]
    pairs = [(_g1(row[:2]), G2.from_words(row[2:], allow_infinity=True)) for row in rows]
    assert curve.pairing_product_is_one(pairs) is vector["expected"]


def test_pairing_product_is_one__empty__is_false_unlike_the_precompile():
    assert curve.pairing_product_is_one([]) is False


def test_pairing_product_is_one__point_outside_subgroup__is_false():
    outside = off_subgroup_point()
    pairs = [(G1_GENERATOR, outside), (curve.negate(G1_GENERATOR), outside)]
    assert curve.pairing_product_is_one(pairs) is False


@settings(max_examples=10, deadline=None)
@given(scalars, scalars)
def test_multiply__two_scalars__is_linear_in_g1(a, b):
    left = curve.add(curve.multiply(G1_GENERATOR, a), curve.multiply(G1_GENERATOR, b))
    assert left == curve.multiply(G1_GENERATOR, a + b)


@settings(max_examples=5, deadline=None)
@given(scalars, scalars)
def test_multiply__two_scalars__is_linear_in_g2(a, b):
    left = curve.add(curve.multiply(G2_GENERATOR, a), curve.multiply(G2_GENERATOR, b))
    assert left == curve.multiply(G2_GENERATOR, a + b)


@settings(max_examples=5, deadline=None)
@given(st.integers(min_value=1, max_value=GROUP_ORDER - 1))
def test_to_bytes__any_point__reads_back(scalar):
    first, second = curve.multiply(G1_GENERATOR, scalar), curve.multiply(G2_GENERATOR, scalar)
    assert G1.from_bytes(first.to_bytes()) == first
    assert G2.from_bytes(second.to_bytes()) == second


@pytest.mark.parametrize("generator", [G1_GENERATOR, G2_GENERATOR])
def test_infinity__as_operand__is_neutral(generator):
    infinity = type(generator).infinity()
    assert curve.add(generator, infinity) == generator
    assert curve.add(generator, curve.negate(generator)) == infinity
    assert curve.negate(infinity) == infinity
    assert curve.multiply(generator, GROUP_ORDER) == infinity


@pytest.mark.parametrize(("kind", "size"), [(G1, 64), (G2, 128)])
def test_from_bytes__infinity__is_refused_unless_allowed(kind, size):
    with pytest.raises(InvalidPointError):
        kind.from_bytes(bytes(size))
    assert kind.from_bytes(bytes(size), allow_infinity=True).is_infinity


@pytest.mark.parametrize(
    "words",
    [
        (1, 3),
        (0, 1),
        (1, 2 + FIELD_PRIME),
        (1 + FIELD_PRIME, 2),
        (FIELD_PRIME, FIELD_PRIME),
        (-1, 2),
        (1.0, 2.0),
        (True, 2),
        (1, 2, 3),
        (1,),
    ],
)
def test_g1_from_words__not_a_canonical_point__is_refused(words):
    with pytest.raises(InvalidPointError):
        G1.from_words(words)


def test_g2_from_words__off_the_twist__is_refused():
    x_im, x_re, y_im, y_re = G2_GENERATOR.words()
    for words in [
        (x_re, x_im, y_re, y_im),  # the other order of the parts
        (x_im, x_re, y_im, y_re + 1),
        (x_im, x_re, y_im, y_re + FIELD_PRIME),
        (x_im, x_re, y_im),
    ]:
        with pytest.raises(InvalidPointError):
            G2.from_words(words)


def test_g2_from_bytes__on_the_twist_outside_the_subgroup__is_refused():
    outside = off_subgroup_point()  # the constructor alone admits it
    assert not curve.is_in_subgroup(outside)
    assert not curve.is_valid_public_key(outside)
    with pytest.raises(InvalidPointError):
        G2.from_bytes(outside.to_bytes())


@pytest.mark.parametrize("size", [0, 63, 65, 127, 129])
def test_from_bytes__wrong_length__is_refused(size):
    for kind in (G1, G2):
        with pytest.raises(EncodingError):
            kind.from_bytes(bytes(size))


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=64, max_size=64))
def test_g1_from_bytes__random_bytes__raises_only_declared_errors(data):
    with suppress(CryptoError):
        assert G1.from_bytes(data).to_bytes() == data


def test_sum_points__empty_or_mixed__is_refused():
    for points in ([], [G1_GENERATOR, G2_GENERATOR]):
        with pytest.raises(InvalidPointError):
            curve.sum_points(points)


@pytest.mark.parametrize("value", [None, b"", G1_GENERATOR, G2.infinity()])
def test_is_valid_public_key__not_a_finite_g2_point__is_false(value):
    assert curve.is_valid_public_key(value) is False
