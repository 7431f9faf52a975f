"""Each decoder: what it reads, and that whatever else JSON allows is one error and no other."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.chain import answers, questions
from offchain.chain.answers import AnswerUnreadable
from offchain.chain.errors import NodeRefused

HASH, OTHER, ADDRESS = "0x" + "aB" * 32, "0x" + "cd" * 32, "0x" + "1f" * 20
LOG = {
    "address": ADDRESS,
    "topics": [HASH],
    "data": "0x01",
    "blockNumber": "0x7",
    "blockHash": HASH,
    "logIndex": "0x0",
    "transactionHash": OTHER,
}
RECEIPT = {
    "transactionHash": OTHER,
    "from": ADDRESS,
    "blockNumber": "0x7",
    "blockHash": HASH,
    "gasUsed": "0x5208",
    "effectiveGasPrice": "0x1",
    "status": "0x1",
    "logs": [LOG],
}
HEADER = {
    "number": "0x7",
    "hash": HASH,
    "parentHash": OTHER,
    "timestamp": "0x10",
    "gasLimit": "0x64",
    "gasUsed": "0x0",
}
TRANSACTION = {"hash": HASH, "from": ADDRESS, "to": None, "value": "0x0", "input": "0x"}
SOUND: dict[str, tuple[Callable[[object], Any], Any]] = {
    "quantity": (answers.quantity, "0x" + "f" * 64),
    "count": (answers.count, "0x7fffffffffffffff"),
    "moment": (answers.moment, "0x3afff4417f"),
    "data": (answers.data, "0x0102"),
    "word": (answers.word, HASH),
    "hash_text": (answers.hash_text, HASH),
    "account": (answers.account, ADDRESS),
    "text": (answers.text, "said"),
    "header": (answers.header, HEADER),
    "pending_header": (answers.pending_header, HEADER | {"hash": None}),
    "fee_head": (answers.fee_head, HEADER),
    "log": (answers.log, LOG),
    "logs": (answers.list_of(answers.log), [LOG, LOG]),
    "receipt": (answers.receipt, RECEIPT),
    "receipt_if_mined": (answers.receipt_if_mined, RECEIPT),
    "transaction": (answers.transaction, TRANSACTION),
    "transactions": (answers.transactions, {"transactions": [TRANSACTION]}),
    "clique_signers": (questions.clique_signers().read, [ADDRESS]),
    "waiting_count": (questions.waiting_count().read, {"pending": "0x1"}),
    "hashes_in": (questions.hashes_in(HASH).read, {"transactions": [HASH]}),
    "pending_number": (questions.pending_number().read, {"number": "0x1"}),
}
# What no decoder takes where a member is due, whatever its type.
WRONG: list[Any] = [True, 1, 1.5, 10**30, [[]], {"a": {}}, "0xg", "12", "0X1", " 0x1", "0x1\n", "é"]


@pytest.mark.parametrize(("decode", "answer"), SOUND.values(), ids=SOUND)
def test_decode__sound__is_read(decode: Any, answer: Any) -> None:
    decode(answer)


@pytest.mark.parametrize("wrong", [None, "0x", {}, [], *WRONG], ids=repr)
@pytest.mark.parametrize("name", SOUND)
def test_decode__anything_else__is_unreadable_or_empty(name: str, wrong: Any) -> None:
    """`null` and `[]` are answers where there may be nothing, `0x` is no bytes."""
    decode, _ = SOUND[name]
    empty: dict[str, list[Any]] = {
        "data": ["0x"],
        "logs": [[]],
        "receipt_if_mined": [None],
        "clique_signers": [[]],
        "hashes_in": [None],
        "pending_number": [None, {}, {"a": {}}],
        "text": ["0x", *(one for one in WRONG if isinstance(one, str))],
    }
    if wrong in empty.get(name, []) and not isinstance(wrong, bool):
        decode(wrong)
    else:
        with pytest.raises(AnswerUnreadable):
            decode(wrong)


MEMBERS = [(name, member) for name in ("header", "log", "receipt") for member in SOUND[name][1]] + [
    ("fee_head", "gasLimit"),
    ("fee_head", "hash"),
    ("transaction", "input"),
]
UNREAD = {("header", "gasLimit"), ("header", "gasUsed")}


@pytest.mark.parametrize(("name", "member"), [one for one in MEMBERS if one not in UNREAD])
def test_decode__given_a_member_missing_or_wrong__names_it(name: str, member: str) -> None:
    decode, sound = SOUND[name]
    lacking = {key: value for key, value in sound.items() if key != member}
    for bad in [lacking, *(sound | {member: value} for value in [None, {}, *WRONG])]:
        with pytest.raises(AnswerUnreadable, match=f"^{member}: "):
            decode(bad)


@pytest.mark.parametrize(
    ("decode", "answer"),
    [
        (answers.quantity, "0x" + "1" * 65),
        (answers.count, "0x8000000000000000"),
        (answers.moment, "0x3afff44180"),
        (answers.data, "0x123"),
        (answers.data, "0x01 02"),
        (answers.word, HASH[:-2]),
        (answers.word, HASH + "00"),
        (answers.account, HASH),
        (answers.receipt, RECEIPT | {"status": "0x2"}),
        (answers.receipt, RECEIPT | {"logs": [LOG, LOG | {"topics": ["0x00"]}]}),
    ],
)
def test_decode__out_of_range_or_of_another_length__is_unreadable(decode: Any, answer: Any) -> None:
    with pytest.raises(AnswerUnreadable):
        decode(answer)


def test_header__mined__has_its_values() -> None:
    block = answers.header(HEADER)
    assert (block.number, block.hash.hex(), block.parent_hash.hex(), block.timestamp) == (
        7,
        "ab" * 32,
        "cd" * 32,
        16,
    )


def test_pending_header__as_geth_gives_it__has_no_hash() -> None:
    assert answers.pending_header(HEADER | {"hash": None}).hash == b""
    with pytest.raises(AnswerUnreadable, match=r"^hash: "):
        answers.header(HEADER | {"hash": None})


def test_receipt__read__has_text_in_lower_case_and_addresses_checksummed() -> None:
    found = answers.receipt(RECEIPT | {"transactionHash": HASH})
    assert found.tx_hash == HASH.lower() and found.sender == answers.account(ADDRESS)
    assert found.success and found.logs[0].topics == (bytes.fromhex("ab" * 32),)


def test_receipt_if_mined__of_a_transaction_that_waits__is_none() -> None:
    assert answers.receipt_if_mined(RECEIPT | {"blockNumber": None}) is None


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"error": None},
        {"result": "0x1", "error": {"code": 1, "message": "both"}},
        {"error": {"code": True, "message": "no"}},
        {"error": {"code": 1, "message": None}},
    ],
)
def test_result_or_refusal__neither_one_nor_the_other__is_unreadable(answer: Any) -> None:
    with pytest.raises(AnswerUnreadable):
        answers.result_or_refusal("x", answer, answers.quantity)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.sampled_from(["0x", "0x0", HASH, ADDRESS, "0x" + "f" * 64]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from([*LOG, *RECEIPT, *HEADER]) | st.text(), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_decode__given_any_json__is_read_or_unreadable(value: Any) -> None:
    for decode, _ in SOUND.values():
        try:
            decode(value)
        except AnswerUnreadable as error:
            str(error).encode()


@given(st.sampled_from(sorted(SOUND)), st.data())
def test_decode__given_a_sound_answer_altered_anywhere__is_read_or_unreadable(
    name: str, data: st.DataObject
) -> None:
    decode, sound = SOUND[name]
    altered = json.loads(json.dumps(sound))
    place = altered
    while isinstance(place, dict | list) and place:
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(list(keys)))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(JSON)
            break
        place = place[key]
    try:
        decode(altered)
    except AnswerUnreadable as error:
        str(error).encode()


@given(st.dictionaries(st.sampled_from(["id", "error", "result", "jsonrpc"]), JSON))
def test_result_or_refusal__given_any_object__is_one_of_three(answer: dict[str, Any]) -> None:
    try:
        found = answers.result_or_refusal("x", answer, answers.anything)
    except AnswerUnreadable:
        return
    if isinstance(found, NodeRefused):
        str(found).encode()
