"""Recursive length prefix: published examples, and the same bytes as the package of that name."""

import pytest
import rlp as reference
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain import rlp

# ethereum.org, "Recursive-length prefix (RLP) serialization", examples.
EXAMPLES = [
    (b"dog", "83646f67"),
    ([b"cat", b"dog"], "c88363617483646f67"),
    (b"", "80"),
    ([], "c0"),
    (0, "80"),
    (b"\x00", "00"),
    (15, "0f"),
    (1024, "820400"),
    (
        b"Lorem ipsum dolor sit amet, consectetur adipisicing elit",
        "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164"
        "6970697369636 96e6720656c6974".replace(" ", ""),
    ),
]
ITEMS = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5))


@pytest.mark.parametrize(("item", "encoded"), EXAMPLES)
def test_encode__published_example__gives_its_bytes(item, encoded):
    assert rlp.encode(item).hex() == encoded


@given(ITEMS)
def test_encode__any_item__is_what_the_package_gives_and_reads_back(item):
    raw = rlp.encode(item)
    assert raw == reference.encode(item)
    assert rlp.decode(raw) == item


@given(st.integers(0, 2**256))
def test_encode__any_number__is_what_the_package_gives(number):
    assert rlp.encode([number]) == reference.encode([number])


@given(st.binary(max_size=80))
def test_decode__any_bytes__is_what_the_package_reads_or_refused(raw):
    try:
        expected = reference.decode(raw)
    except reference.exceptions.RLPException:
        with pytest.raises(ValueError, match=r"item|byte|length"):
            rlp.decode(raw)
    else:
        assert rlp.decode(raw) == expected


@pytest.mark.parametrize("raw", ["8100", "b801ff", "b90038", "f800", "c1", "83646f", "8080", "b8"])
def test_decode__longer_form_or_cut__is_refused(raw):
    with pytest.raises(ValueError, match=r"item|byte|length"):
        rlp.decode(bytes.fromhex(raw))


def test_decode__nested_without_end__is_refused():
    with pytest.raises(ValueError, match="nests too far"):
        rlp.decode(_nested(40))


def _nested(depth):
    raw = b"\xc0"
    for _ in range(depth):
        raw = bytes([0xC0 + len(raw)]) + raw
    return raw
