"""HashToCurve against gnark-crypto's vectors, H, the edges of the map, and its gas."""

import hypothesis
import pytest
from bn254_model import H, P, as_words, ecc, g1_point
from hypothesis import strategies as st

from offchain.crypto.hash_to_curve import hash_to_curve

ROLES = ["POP", "REQUEST", "SHARING", "ANSWER", "ROOT", "DATAKEY", "GENERATOR"]
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


def test_hash_to_curve__given_messages_of_one_length__costs_the_same_within_28k(harness):
    used = [harness.hashToCurveGas(bytes([i]) * 320, TAG) for i in range(40)]
    print(f"hash to curve of 320 bytes: {min(used)}..{max(used)} gas")
    assert max(used) <= 28_000
    assert max(used) - min(used) <= 200
