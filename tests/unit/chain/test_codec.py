"""ABI values: signatures, structs, results, and everything that does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain import codec
from offchain.chain.errors import AbiMismatch

TRANSFER = {
    "type": "function",
    "name": "transfer",
    "inputs": [{"name": "to", "type": "address"}, {"name": "value", "type": "uint256"}],
    "outputs": [{"name": "", "type": "bool"}],
}
POINT = {
    "name": "point",
    "type": "tuple",
    "internalType": "struct BN254.Point",
    "components": [{"name": "x", "type": "uint256"}, {"name": "y", "type": "uint256"}],
}
POINTS = {
    **POINT,
    "name": "points",
    "type": "tuple[2][]",
    "internalType": "struct BN254.Point[2][]",
}


def test_selector__of_erc20_transfer__is_the_published_one():
    assert codec.signature(TRANSFER) == "transfer(address,uint256)"
    assert codec.selector(TRANSFER).hex() == "a9059cbb"


def test_topic__of_erc20_transfer_event__is_the_published_one():
    event = {**TRANSFER, "name": "Transfer"}
    event["inputs"] = [{"type": "address"}, {"type": "address"}, {"type": "uint256"}]
    assert codec.topic(event).hex() == (
        "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    )


def test_encode_call__known_arguments__are_the_words_in_order():
    data = codec.encode_call(TRANSFER, ["0x" + "11" * 20, 5])
    assert data.hex() == "a9059cbb" + "00" * 12 + "11" * 20 + "00" * 31 + "05"


@pytest.mark.parametrize(
    "arguments",
    [
        ("0x" + "11" * 20,),
        ("0x" + "11" * 20, 1, 2),
        ("0x1234", 1),
        ("0x" + "11" * 20, -1),
        ("0x" + "11" * 20, 2**256),
        ("0x" + "11" * 20, 1.5),
        (None, 1),
    ],
)
def test_encode_call__arguments_that_do_not_fit__name_the_function(arguments):
    with pytest.raises(AbiMismatch, match="transfer"):
        codec.encode_call(TRANSFER, arguments)


uint256 = st.integers(min_value=0, max_value=2**256 - 1)
points = st.lists(st.lists(st.tuples(uint256, uint256), min_size=2, max_size=2), max_size=3)


@given(value=points)
def test_decode__arrays_of_structs__come_back_as_they_went_in(value):
    encoded = codec.encode([POINTS], [value], what="points")
    (decoded,) = codec.decode([POINTS], encoded, what="points")
    assert decoded == value
    assert all(type(point).__name__ == "Point" for pair in decoded for point in pair)


def test_encode__struct_by_names__needs_exactly_its_fields():
    as_tuple = codec.encode([POINT], [(1, 2)], what="point")
    assert codec.encode([POINT], [{"y": 2, "x": 1}], what="point") == as_tuple
    with pytest.raises(AbiMismatch, match="point"):
        codec.encode([POINT], [{"x": 1}], what="point")


@pytest.mark.parametrize("data", [b"", bytes(31), bytes(32)])
def test_decode__too_few_bytes__are_refused(data):
    with pytest.raises(AbiMismatch, match="two words"):
        codec.decode(POINT["components"], data, what="two words")


def test_decode_result__unnamed_outputs__are_a_plain_tuple():
    entry = {**TRANSFER, "outputs": [{"name": "", "type": "uint8"}, {"name": "", "type": "bool"}]}
    assert codec.decode_result(entry, bytes(31) + b"\x07" + bytes(31) + b"\x01") == (7, True)
    assert codec.decode_result({**TRANSFER, "outputs": []}, b"") == ()


def test_find_function__two_of_one_length__needs_the_signature():
    other = {**TRANSFER, "inputs": [{"name": "a", "type": "bytes32"}, TRANSFER["inputs"][1]]}
    abi = [TRANSFER, other, {"type": "constructor", "inputs": []}]
    with pytest.raises(AbiMismatch, match=r"transfer\(bytes32,uint256\)"):
        codec.find_function(abi, "transfer", 2)
    assert codec.find_function(abi, "transfer(bytes32,uint256)", 2) is other


def test_decode_result__a_broken_word_behind_the_value__is_no_result():
    entry = {**TRANSFER, "outputs": [{"name": "", "type": "bytes32"}]}
    assert codec.decode_result(entry, b"\xff" * 32) == b"\xff" * 32
    with pytest.raises(AbiMismatch, match="40 are no whole words"):
        codec.decode_result(entry, b"\xff" * 40)
