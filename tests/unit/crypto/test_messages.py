"""Signed bytes: exact ABI layout, strict types, and every field bound."""

import hashlib
import inspect

import pytest

from offchain.crypto import messages
from offchain.crypto.curve import G1_GENERATOR, G2_GENERATOR
from offchain.errors import EncodingError

CONTRACT = "0x" + "11" * 20
USER = "0x" + "22" * 20
NODE = "0x" + "33" * 20
SAMPLES = {
    "chain_id": (31337, 1),
    "registry": (CONTRACT, NODE),
    "prepaid_lock": (CONTRACT, NODE),
    "data_ledger": (CONTRACT, NODE),
    "account": (USER, NODE),
    "requester": (USER, CONTRACT),
    "processor": (NODE, USER),
    "device": (USER, NODE),
    "member_role": (2, 3),
    "type_id": (7, 8),
    "message_length": (100, 101),
    "signed_at": (1_700_000_000, 1_700_000_001),
    "expires_at": (1_700_003_600, 1_700_003_601),
    "terms": ((1, 2, 300, 200, 900, 10**15), (1, 2, 301, 200, 900, 10**15)),
    "threshold": (2, 3),
    "group_size": (5, 6),
    "price_wei": (10**15, 10**15 + 1),
    "from_seq": (5, 6),
    "count": (24, 25),
    "bls_key": (G2_GENERATOR, messages.G2.infinity()),
    "key_commitment": (G2_GENERATOR, messages.G2.infinity()),
    "delivery_key": (G1_GENERATOR, messages.G1.infinity()),
    "commitment": (G1_GENERATOR, messages.G1.infinity()),
}
BUILDERS = [
    messages.possession_message,
    messages.request_message,
    messages.sharing_message,
    messages.answer_message,
    messages.root_message,
    messages.data_key_message,
    messages.schnorr_challenge,
    messages.delivery_digest,
    messages.anchor_digest,
]


def _arguments(builder, which=0):
    names = inspect.signature(builder).parameters
    digests = (b"\xaa" * 32, b"\xbb" * 32)
    return {name: SAMPLES.get(name, digests)[which] for name in names}


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda b: b.__name__)
def test_builder__any_field_changed__changes_the_message(builder):
    base, changed = _arguments(builder), _arguments(builder, 1)
    seen = {builder(**base)} | {builder(**{**base, name: changed[name]}) for name in base}
    assert len(seen) == len(base) + 1


def test_request_message__known_fields__is_sixteen_words_in_order():
    data = messages.request_message(**_arguments(messages.request_message))
    words = [data[i : i + 32] for i in range(0, len(data), 32)]
    assert words[0] == (31337).to_bytes(32, "big")
    assert words[1] == bytes(12) + b"\x11" * 20
    assert words[2] == bytes(12) + b"\x22" * 20
    assert words[3] == bytes(12) + b"\x33" * 20
    numbers = [int.from_bytes(word, "big") for word in words]
    assert numbers[4:8] == [7, 100, 1_700_000_000, 1_700_003_600]
    assert words[8] == words[9] == b"\xaa" * 32
    assert numbers[10:] == [1, 2, 300, 200, 900, 10**15]


@pytest.mark.parametrize("index", range(6))
@pytest.mark.parametrize("builder", [messages.request_message, messages.sharing_message])
def test_builder__any_term_changed__changes_the_message(builder, index):
    arguments = _arguments(builder)
    terms = list(arguments["terms"])
    terms[index] += 1
    assert builder(**{**arguments, "terms": terms}) != builder(**arguments)


def test_possession_message__key__stands_inline_in_contract_order():
    data = messages.possession_message(**_arguments(messages.possession_message))
    assert len(data) == 8 * 32
    assert data[-128:] == G2_GENERATOR.to_bytes()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chain_id", -1),
        ("chain_id", 2**256),
        ("chain_id", 1.0),
        ("chain_id", True),
        ("type_id", 2**32),
        ("signed_at", 2**64),
        ("expires_at", 2**40),
        ("terms", (1, 2, 300, 200, 900)),
        ("terms", (1, 2, 300, 2**16, 900, 1)),
        ("message_digest", b"short"),
        ("message_digest", bytes(33)),
        ("message_digest", "0x" + "00" * 32),
        ("requester", "0x1234"),
        ("requester", "22" * 20),
        ("requester", "0x" + "zz" * 20),
        ("requester", 5),
    ],
)
def test_request_message__value_outside_its_type__is_refused(field, value):
    arguments = {**_arguments(messages.request_message), field: value}
    with pytest.raises(EncodingError):
        messages.request_message(**arguments)


def test_address__text_and_bytes__are_the_same_message():
    arguments = _arguments(messages.root_message)
    as_bytes = {**arguments, "device": b"\x22" * 20}
    assert messages.root_message(**arguments) == messages.root_message(**as_bytes)


def test_factor_commitment__known_values__hashes_two_words():
    factor = bytes(range(32))
    expected = hashlib.sha256(bytes(12) + b"\x33" * 20 + factor).digest()
    assert messages.factor_commitment(processor=NODE, factor=factor) == expected
    with pytest.raises(EncodingError):
        messages.factor_commitment(processor=NODE, factor=factor[:31])


def test_domain_tag__unknown_role__is_refused():
    with pytest.raises(ValueError, match="OTHER"):
        messages.domain_tag("OTHER")
