"""HashToCurve against gnark-crypto's vectors, H, the edges of the map, and its gas."""

import itertools

import hypothesis
import pytest
from bn254_model import H, P, as_words, ecc, g1_point
from hypothesis import strategies as st

from offchain.crypto.hash_to_curve import hash_to_curve, hash_to_field, map_to_curve

ROLES = ["POP", "REQUEST", "SHARING", "ANSWER", "ROOT", "DATAKEY", "GENERATOR"]
# The root of −12 of even sign: C3 of RFC 9380 §F.1.
SQRT_MINUS_12 = 0x16789AF3A83522EB353C98FC6B36D713D5D8D1CC5DFFFFFFA
TAG = b"DMSM-V1-REQUEST-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_"


def numbers(entries):
    return tuple(int(entry, 16) for entry in entries)


def test_hash_to_curve__hash_to_field_given_published_vectors__agrees(harness, hash_vectors):
    tag = hash_vectors["dst"].encode()
    for vector in hash_vectors["vectors"]:
        assert as_words(harness.hashToField(vector["msg"].encode(), tag)) == numbers(vector["u"])


def test_hash_to_curve__map_to_curve_given_published_vectors__agrees(harness, hash_vectors):
    for vector in hash_vectors["vectors"]:
        for u, point in zip(vector["u"], (vector["Q0"], vector["Q1"]), strict=True):
            assert as_words(harness.mapToCurve(int(u, 16))) == numbers(point)


def test_hash_to_curve__given_published_vectors__agrees(harness, hash_vectors):
    tag = hash_vectors["dst"].encode()
    assert len(hash_vectors["vectors"]) == 5
    for vector in hash_vectors["vectors"]:
        assert as_words(harness.hashToCurve(vector["msg"].encode(), tag)) == numbers(vector["P"])


def test_hash_to_curve__given_roles__has_the_tags_of_the_format(harness):
    expected = [f"DMSM-V1-{role}-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_" for role in ROLES]
    assert [bytes.fromhex(tag[2:]).decode() for tag in map(str, harness.tags())] == expected


def test_hash_to_curve__given_second_generator__is_h(harness):
    assert as_words(harness.hashToCurve(b"second generator", harness.tags()[-1])) == H


@hypothesis.settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(message=st.binary(max_size=400), tag=st.binary(min_size=1, max_size=255))
def test_hash_to_curve__given_any_input__agrees_with_offchain(harness, message, tag):
    point = hash_to_curve(message, tag=tag)
    assert as_words(harness.hashToCurve(message, tag)) == (point.x, point.y)


def test_hash_to_curve__map_to_curve_given_exceptional_elements__stays_on_the_curve(harness):
    """Zero, ±1, and the two u with 1 − 16·u⁴ = 0, where the map inverts zero (u² = ±1/4)."""
    half = pow(2, -1, P)
    for u in (0, 1, P - 1, half, P - half):
        x, y = as_words(harness.mapToCurve(u))
        assert ecc.is_on_curve(g1_point((x, y)), ecc.b)
        assert y % 2 == u % 2


@pytest.mark.parametrize("length", [0, 256, 300])
def test_hash_to_curve__when_tag_length_is_out_of_range__reverts(
    harness, revert_data, error_bytes, length
):
    error = error_bytes("HashToCurve_TagLength(uint256)", length)
    assert revert_data(harness.hashToCurve, b"message", b"t" * length) == error


def test_hash_to_curve__given_tag_of_255_bytes__agrees_with_offchain(harness):
    point = hash_to_curve(b"message", tag=b"t" * 255)
    assert as_words(harness.hashToCurve(b"message", b"t" * 255)) == (point.x, point.y)


def roots_tried(u):
    """Tell how many candidates the map tries: the point it gives is the first, second or third."""
    x = map_to_curve(u).x
    tv1, tv2 = (1 - 4 * u * u) % P, (1 + 4 * u * u) % P
    tv4 = u * tv1 * pow(tv1 * tv2, P - 2, P) * SQRT_MINUS_12
    first = (-pow(2, -1, P) - tv4) % P
    second = (-pow(2, -1, P) + tv4) % P
    return 1 if x == first else 2 if x == second else 3


def test_hash_to_curve__map_to_curve_given_each_candidate__agrees_with_offchain(harness):
    tried = set()
    for u in range(2, 40):
        tried.add(roots_tried(u))
        point = map_to_curve(u)
        assert as_words(harness.mapToCurve(u)) == (point.x, point.y)
    assert tried == {1, 2, 3}


def test_hash_to_curve__given_messages_of_one_length__costs_by_its_candidates(harness):
    used = {}
    for i in range(60):
        message = bytes([i]) * 320
        roots = sum(roots_tried(u) for u in hash_to_field(message, tag=TAG))
        used.setdefault(roots, []).append(harness.hashToCurveGas(message, TAG))
    assert set(used) == {2, 3, 4, 5, 6}
    costs = [gas for _, gas in sorted(used.items())]
    for fewer, more in itertools.pairwise(costs):
        assert max(more) - min(more) <= 200
        assert min(more) > max(fewer) + 1_000
    every = [gas for some in costs for gas in some]
    mean = sum(every) // len(every)
    print(f"hash to curve of 320 bytes: {min(every)}..{max(every)} gas, {mean} on average")
    assert max(every) <= 24_200
    assert mean <= 20_000
