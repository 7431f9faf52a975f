"""BN254: constants, published vectors, algebra, and points that must be refused."""

import pytest
from bn254_model import (
    G1,
    G1_INFINITY,
    G2_INFINITY,
    G2_OFF_SUBGROUP,
    H,
    P,
    Q,
    as_words,
    ecc,
    g2,
    g2_point,
    multiply,
    negate,
    random_scalar,
)
from bn254_model import add as model_add

OFF_CURVE = (1, 3)
NOT_CANONICAL = (1 + P, 2)


def words(entries):
    return [int(word, 16) for word in entries]


def pairs(entries):
    numbers = words(entries)
    rows = [numbers[i : i + 6] for i in range(0, len(numbers), 6)]
    return [row[:2] for row in rows], [row[2:] for row in rows]


VALID = {True: (True, True), False: (True, False)}  # what is told of a product of valid points
INVALID = (False, False)


def test_bn254__constants_given_the_standard__agree_with_it(harness):
    p, q, h, *generators = as_words(harness.constants())
    assert (p, q) == (P, Q)
    assert h == H
    assert generators == [g2(1), g2(Q - 1)]


def test_bn254__add_given_published_vectors__agrees(harness, precompile_vectors):
    for vector in precompile_vectors["add"]:
        x1, y1, x2, y2 = words(vector["input"])
        found = as_words(harness.add((x1, y1), (x2, y2)))
        assert found == tuple(words(vector["expected"])), vector["name"]


def test_bn254__add_given_random_points__agrees_with_model(harness):
    a, b = multiply(G1, random_scalar()), multiply(H, random_scalar())
    assert as_words(harness.add(a, b)) == model_add(a, b)
    assert as_words(harness.add(a, G1_INFINITY)) == a
    assert as_words(harness.add(a, negate(a))) == G1_INFINITY


@pytest.mark.parametrize("bad", [OFF_CURVE, NOT_CANONICAL])
def test_bn254__add_when_point_is_invalid__reverts(harness, revert_data, error_bytes, bad):
    error = error_bytes("BN254_AddFailed()")
    assert revert_data(harness.add, bad, G1) == error
    assert revert_data(harness.add, G1, bad) == error


def test_bn254__mul_given_published_vectors__agrees(harness, precompile_vectors):
    for vector in precompile_vectors["mul"]:
        x, y, scalar = words(vector["input"])
        found = as_words(harness.mul((x, y), scalar))
        assert found == tuple(words(vector["expected"])), vector["name"]


def test_bn254__mul_given_random_scalar__agrees_with_model(harness):
    scalar = random_scalar()
    assert as_words(harness.mul(H, scalar)) == multiply(H, scalar)
    assert as_words(harness.mul(H, scalar + Q)) == multiply(H, scalar)
    assert as_words(harness.mul(H, Q)) == G1_INFINITY


@pytest.mark.parametrize("bad", [OFF_CURVE, NOT_CANONICAL])
def test_bn254__mul_when_point_is_invalid__reverts(harness, revert_data, error_bytes, bad):
    assert revert_data(harness.mul, bad, 5) == error_bytes("BN254_MulFailed()")


def test_bn254__mul_when_point_is_invalid__burns_no_more_than_its_cap(harness, gas_used):
    assert gas_used(harness.mul, OFF_CURVE, 5, succeeds=False) < 60_000


def test_bn254__is_valid_g1_given_points__tells(harness):
    assert harness.isValidG1(G1)
    assert harness.isValidG1(multiply(H, random_scalar()))
    for bad in (G1_INFINITY, OFF_CURVE, NOT_CANONICAL, (1, 2 + P), (P, P)):
        assert not harness.isValidG1(bad), bad


def test_bn254__is_valid_g2_given_points__tells(harness):
    good = g2(random_scalar())
    assert harness.isValidG2(good)
    on_twist = g2_point(G2_OFF_SUBGROUP)
    assert ecc.is_on_curve(on_twist, ecc.b2)
    assert not ecc.is_inf(ecc.multiply(on_twist, Q))
    for bad in (G2_INFINITY, G2_OFF_SUBGROUP, (1, 2, 3, 4), (good[0] + P, *good[1:])):
        assert not harness.isValidG2(bad), bad
    assert not harness.isValidG2((good[1], good[0], good[3], good[2]))


def test_bn254__pairing_given_published_vectors__agrees(harness, precompile_vectors):
    """Of one pair, filled up with infinities, which change no product, and of two."""
    tried = [v for v in precompile_vectors["pairing"] if len(v["input"]) <= 12]
    assert [v["expected"] for v in tried].count(True) == 2 < len(tried)
    for vector in tried:
        left, right = pairs(vector["input"])
        (a1, a2), (b1, b2) = [*left, G1_INFINITY][:2], [*right, G2_INFINITY][:2]
        found = harness.tryPairing2(a1, b1, a2, b2)
        assert found == VALID[vector["expected"]], vector["name"]


def test_bn254__pairing_given_bilinear_product__is_one(harness):
    a, b = random_scalar(), random_scalar()
    left, right = multiply(G1, a), multiply(G1, Q - a * b % Q)
    assert harness.tryPairing2(left, g2(b), right, g2(1)) == VALID[True]
    assert harness.tryPairing2(left, g2(b), multiply(right, 2), g2(1)) == VALID[False]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (OFF_CURVE, None),
        (NOT_CANONICAL, None),
        (G1, (1, 2, 3, 4)),
        (G1, G2_OFF_SUBGROUP),
        (G1_INFINITY, G2_OFF_SUBGROUP),
    ],
)
def test_bn254__pairing_when_point_is_invalid__says_so(harness, a, b):
    b = b or g2(1)
    assert harness.tryPairing2(G1, g2(1), a, b) == INVALID
    assert harness.tryPairing2(a, b, G1, g2(1)) == INVALID
