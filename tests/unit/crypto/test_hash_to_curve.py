"""Hash to the curve: RFC 9380 and gnark-crypto vectors, totality, the second generator."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import hash_to_curve as h2c
from offchain.crypto.curve import FIELD_PRIME
from offchain.crypto.messages import Role, domain_tag
from offchain.errors import EncodingError

from .vectors import load_vectors

EXPAND = load_vectors("expand_message_xmd")
SUITE = load_vectors("bn254_hash_to_curve")


@pytest.mark.parametrize("index", range(len(EXPAND["vectors"])))
def test_expand_message_xmd__rfc_9380_vector__matches(index):
    vector = EXPAND["vectors"][index]
    tag, length = EXPAND["dst"].encode(), vector["length"]
    uniform = h2c.expand_message_xmd(vector["msg"].encode(), tag=tag, length=length)
    assert uniform.hex() == vector["uniform_bytes"]


@pytest.mark.parametrize("index", range(len(SUITE["vectors"])))
def test_hash_to_curve__gnark_vector__matches_in_every_step(index):
    vector, tag = SUITE["vectors"][index], SUITE["dst"].encode()
    message = vector["msg"].encode()
    fields = h2c.hash_to_field(message, tag=tag)
    assert fields == [int(value, 16) for value in vector["u"]]
    mapped = [h2c.map_to_curve(u) for u in fields]
    assert [list(point.words()) for point in mapped] == [
        [int(value, 16) for value in vector[name]] for name in ("Q0", "Q1")
    ]
    point = h2c.hash_to_curve(message, tag=tag)
    assert list(point.words()) == [int(value, 16) for value in vector["P"]]


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0, max_value=FIELD_PRIME - 1))
def test_map_to_curve__any_field_element__is_total_and_keeps_the_sign(u):
    point = h2c.map_to_curve(u)  # G1 refuses what is off the curve
    assert point.y % 2 == u % 2


@pytest.mark.parametrize("tv1", [1, -1])
def test_map_to_curve__exceptional_u__is_still_a_point(tv1):
    # 1 − 4u² = 0 or 1 + 4u² = 0 makes the inverse vanish; −1/4 may have no root in the field.
    square = tv1 * pow(4, -1, FIELD_PRIME) % FIELD_PRIME
    u = pow(square, (FIELD_PRIME + 1) // 4, FIELD_PRIME)
    assert not h2c.map_to_curve(u).is_infinity
    assert not h2c.map_to_curve(0).is_infinity


def test_h__recomputed__is_the_constant():
    tag = domain_tag(Role.GENERATOR)
    assert tag == b"DMSM-V1-GENERATOR-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_"
    assert h2c.hash_to_curve(b"second generator", tag=tag) == h2c.H


def test_hash_to_curve__another_tag__is_another_point():
    points = {h2c.hash_to_curve(b"m", tag=domain_tag(role)) for role in Role}
    assert len(points) == len(Role)


@pytest.mark.parametrize(
    ("message", "tag", "length"),
    [(b"", b"", 32), (b"", b"x" * 256, 32), (b"", b"x", 0), (b"", b"x", 8161), ("text", b"x", 32)],
)
def test_expand_message_xmd__out_of_range__is_refused(message, tag, length):
    with pytest.raises(EncodingError):
        h2c.expand_message_xmd(message, tag=tag, length=length)
