"""Signed bytes: exact ABI layout, strict types, and every field bound."""

import hashlib
import inspect

import pytest
from eth_hash.auto import keccak

from offchain.crypto import messages
from offchain.crypto.curve import G1_GENERATOR, G2_GENERATOR
from offchain.errors import EncodingError

CONTRACT = "0x" + "11" * 20
USER = "0x" + "22" * 20
NODE = "0x" + "33" * 20
DIGESTS = (b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, b"\x04" * 32)
PUBLICATION = (86_400, 172_800, 200_000, 1, 168, 3, 2_000, *DIGESTS, G2_GENERATOR.words())
CONDITIONS = (0, 86_400, 1, 5, 3, 10**15, 100, 200, 900, b"\x05" * 32, b"\x06" * 32)
CONDITIONS += ((b"\x07" * 32, b"\x08" * 32), b"a study of evening peaks")
SAMPLES = {
    "chain_id": (31337, 1),
    "registry": (CONTRACT, NODE),
    "prepaid_lock": (CONTRACT, NODE),
    "data_ledger": (CONTRACT, NODE),
    "data_sets": (CONTRACT, NODE),
    "data_market": (CONTRACT, NODE),
    "account": (USER, NODE),
    "requester": (USER, CONTRACT),
    "processor": (NODE, USER),
    "device": (USER, NODE),
    "member_role": (2, 3),
    "type_id": (7, 8),
    "message_length": (100, 101),
    "signed_at": (1_700_000_000, 1_700_000_001),
    "expires_at": (1_700_003_600, 1_700_003_601),
    "terms": ((1, 2, 300, 200, 5_000, 900, 10**15), (1, 2, 301, 200, 5_000, 900, 10**15)),
    "threshold": (2, 3),
    "group_size": (5, 6),
    "price_wei": (10**15, 10**15 + 1),
    "from_seq": (5, 6),
    "count": (24, 25),
    "bls_key": (G2_GENERATOR, messages.G2.infinity()),
    "key_commitment": (G2_GENERATOR, messages.G2.infinity()),
    "delivery_key": (G1_GENERATOR, messages.G1.infinity()),
    "commitment": (G1_GENERATOR, messages.G1.infinity()),
    "conditions": (CONDITIONS, (*CONDITIONS[:-1], b"another study")),
}
BUILDERS = [
    messages.possession_message,
    messages.request_message,
    messages.sharing_message,
    messages.answer_message,
    messages.root_message,
    messages.data_set_id,
    messages.data_key_message,
    messages.broadcast_id,
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


def test_request_message__known_fields__is_seventeen_words_in_order():
    data = messages.request_message(**_arguments(messages.request_message))
    words = [data[i : i + 32] for i in range(0, len(data), 32)]
    assert words[0] == (31337).to_bytes(32, "big")
    assert words[1] == bytes(12) + b"\x11" * 20
    assert words[2] == bytes(12) + b"\x22" * 20
    assert words[3] == bytes(12) + b"\x33" * 20
    numbers = [int.from_bytes(word, "big") for word in words]
    assert numbers[4:8] == [7, 100, 1_700_000_000, 1_700_003_600]
    assert words[8] == words[9] == b"\xaa" * 32
    assert numbers[10:] == [1, 2, 300, 200, 5_000, 900, 10**15]


@pytest.mark.parametrize("index", range(7))
@pytest.mark.parametrize("builder", [messages.request_message, messages.sharing_message])
def test_builder__any_term_changed__changes_the_message(builder, index):
    arguments = _arguments(builder)
    terms = list(arguments["terms"])
    terms[index] += 1
    assert builder(**{**arguments, "terms": terms}) != builder(**arguments)


def test_publication_digest__known_fields__is_keccak_of_fifteen_words():
    words = [word.to_bytes(32, "big") for word in PUBLICATION[:7]]
    expected = keccak(b"".join([*words, *DIGESTS]) + G2_GENERATOR.to_bytes())
    assert messages.publication_digest(PUBLICATION) == expected


@pytest.mark.parametrize("index", range(12))
def test_publication_digest__any_field_changed__is_another(index):
    fields = list(PUBLICATION)
    other = {int: lambda v: v + 1, bytes: lambda v: v[:-1] + b"\xff"}
    fields[index] = other.get(type(fields[index]), lambda v: (*v[:-1], 1))(fields[index])
    assert messages.publication_digest(fields) != messages.publication_digest(PUBLICATION)


@pytest.mark.parametrize("index", range(13))
def test_broadcast_id__any_condition_changed__is_another(index):
    arguments, fields = _arguments(messages.broadcast_id), list(CONDITIONS)
    other = {int: lambda v: v + 1, bytes: lambda v: v[:-1] + b"\xff"}
    fields[index] = other.get(type(fields[index]), lambda v: v[:1])(fields[index])
    changed = messages.broadcast_id(**{**arguments, "conditions": fields})
    assert changed != messages.broadcast_id(**arguments)


def test_broadcast_id__known_conditions__is_keccak_of_a_dynamic_struct():
    """By hand: chain, market, requester, offset of the struct; in it the heads, then the tails."""
    numbers = [(n).to_bytes(32, "big") for n in CONDITIONS[:9]]
    heads = [
        *numbers,
        *CONDITIONS[9:11],
        (13 * 32).to_bytes(32, "big"),
        (16 * 32).to_bytes(32, "big"),
    ]
    regions, purpose = CONDITIONS[11:]
    tails = [(2).to_bytes(32, "big"), *regions, len(purpose).to_bytes(32, "big")]
    tails.append(purpose.ljust(32, b"\0"))
    place = [(31337).to_bytes(32, "big"), bytes(12) + b"\x11" * 20, bytes(12) + b"\x22" * 20]
    expected = keccak(b"".join([*place, (128).to_bytes(32, "big"), *heads, *tails]))
    assert messages.broadcast_id(**_arguments(messages.broadcast_id)) == expected


@pytest.mark.parametrize("index", [9, 10])
def test_broadcast_id__short_digest__is_refused(index):
    fields = list(CONDITIONS)
    fields[index] = b"short"
    arguments = _arguments(messages.broadcast_id)
    with pytest.raises(EncodingError):
        messages.broadcast_id(**{**arguments, "conditions": fields})
    with pytest.raises(EncodingError):
        messages.broadcast_id(**{**arguments, "conditions": (*CONDITIONS[:11], (b"s",), b"p")})


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
        ("terms", (1, 2, 300, 200, 5_000, 900)),
        ("terms", (1, 2, 300, 200, 2**16, 900, 1)),
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
