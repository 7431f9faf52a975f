"""Canonical JSON: one text a value, everything else refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import FormatError
from offchain.records import canonical_json, fields

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**255), 2**255) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_loads__given_any_dumped_value__gives_it_back(value):
    data = canonical_json.dumps(value)
    assert canonical_json.loads(data, max_bytes=len(data)) == value


def test_dumps__given_object__sorts_keys_without_white_space():
    assert (
        canonical_json.dumps({"b": [1, -2], "a": "é", "A": None})
        == '{"A":null,"a":"é","b":[1,-2]}'.encode()
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b" 1",
        b"1\n",
        b'{"a":1, "b":2}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"[Infinity]",
        b'"\\u0061"',
        b'"\\/"',
        b'"\xff"',
        b'"\\ud800"',
        b"\xef\xbb\xbf1",
        b"[" * 5_000 + b"]" * 5_000,
        b"[" * 200_000,
        b"[" * 40 + b"]" * 40,
        str(2**256).encode(),
        b"9" * 5_000,
    ],
)
def test_loads__given_other_text__refuses_it(data):
    with pytest.raises(FormatError):
        canonical_json.loads(data, max_bytes=2**20)


def test_loads__given_one_byte_above_the_cap__refuses_before_parsing():
    assert canonical_json.loads(b"[1]", max_bytes=3) == [1]
    with pytest.raises(FormatError, match="at most 2 bytes"):
        canonical_json.loads(b"[1]", max_bytes=2)


@pytest.mark.parametrize(
    "value", [1.5, {1: 2}, {"a": b"x"}, [object()], "\ud800", 2**256, {"a": {1}}]
)
def test_dumps__given_value_without_canonical_form__refuses_it(value):
    with pytest.raises(FormatError):
        canonical_json.dumps(value)


@given(st.binary(max_size=100))
def test_from_base64__given_any_bytes__gives_them_back(data):
    assert fields.from_base64(fields.to_base64(data), "x", max_bytes=100) == data


@pytest.mark.parametrize(
    "text", ["AB==", "QQ", "QQ=", "Q Q=", "QQ==\n", "QQ--", 5, None, "QUJD" * 10]
)
def test_from_base64__given_other_text__refuses_it(text):
    with pytest.raises(FormatError):
        fields.from_base64(text, "x", max_bytes=8)


@pytest.mark.parametrize("text", ["AB", "0x00", "a", "zz", " aa", "aabb", 1, None])
def test_from_hex__given_other_text__refuses_it(text):
    with pytest.raises(FormatError):
        fields.from_hex(text, "x", length=1)


@pytest.mark.parametrize(
    "keys",
    [
        {"01": "00" * 32},
        {"-1": "00" * 32},
        {"x": "00" * 32},
        {"1": "00"},
        {str(2**32): "00" * 32},
        [],
    ],
)
def test_days__given_other_objects__refuses_them(keys):
    with pytest.raises(FormatError):
        fields.days(keys, "nonce_keys", max_items=4)


@pytest.mark.parametrize(
    "text", ["0x" + "D1" * 20, "d1" * 20, "0x" + "d1" * 19, "0x" + "g1" * 20, 1]
)
def test_account__given_other_text__refuses_it(text):
    with pytest.raises(FormatError):
        fields.account(text, "device")
