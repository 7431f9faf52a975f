"""Evidence of a dispute: the document, and the object with a key for each judge."""

from dataclasses import replace

import pytest

from offchain.crypto import box
from offchain.crypto.curve import G1_GENERATOR
from offchain.errors import FormatError
from offchain.records import canonical_json, contexts, evidence
from offchain.records.evidence import AnswerEvidence, DataSetEvidence

from .samples import CHAIN_ID, DEVICE, OTHER_DEVICE, OWNER, PROCESSOR

ANSWER = AnswerEvidence(answer=b"r" * 768, request=b"m" * 512, claims=("result: wrong",))
DATA_SET = DataSetEvidence(secret=G1_GENERATOR)
KEYS = {PROCESSOR: b"k" * 866, OWNER: b"l" * 866}
BOX = bytes(box.OVERHEAD + 3)


@pytest.mark.parametrize(
    "document",
    [ANSWER, replace(ANSWER, answer=None), replace(ANSWER, request=None), DATA_SET,
     DataSetEvidence(secret=None, claims=("nobody",))],
)  # fmt: skip
def test_decode__given_encoded_document__gives_it_back(document: evidence.Evidence) -> None:
    assert evidence.decode(evidence.encode(document)) == document


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"kind": "grudge"},
        {"kind": "data_set"},
        {"answer": 7},
        {"answer": "===="},
        {"request": "AA"},
        {"answer": "A" * 1_372},
        {"claims": None},
        {"claims": ["x"] * 17},
        {"claims": ["x" * 257]},
        {"more": 1},
    ],
)
def test_decode__given_other_members__refuses(change: dict) -> None:
    value = canonical_json.loads(evidence.encode(ANSWER), max_bytes=4_096)

    with pytest.raises(FormatError):
        evidence.decode(canonical_json.dumps(value | change))


def test_decode__given_secret_off_the_curve_or_infinity__refuses() -> None:
    value = canonical_json.loads(evidence.encode(DATA_SET), max_bytes=4_096)

    for point in ("00" * 64, "01" * 64, 1, "zz"):
        with pytest.raises(FormatError):
            evidence.decode(canonical_json.dumps(value | {"secret": point}))


def test_fitting_claims__given_many_long_ones__fit_beside_the_largest_openings() -> None:
    claims = evidence.fitting_claims(['"ü\n' * 100] * 40)

    document = AnswerEvidence(answer=b"r" * 1_024, request=b"m" * 1_024, claims=claims)
    assert len(claims) >= 2
    assert evidence.decode(evidence.encode(document)) == document


def test_fitting_claims__given_few__keeps_them_all() -> None:
    assert evidence.fitting_claims(["one", "", "two"]) == ("one", "two")


def test_decode_sealed__given_two_judges__gives_keys_and_box_back() -> None:
    head = evidence.encode_keys(KEYS)

    found = evidence.decode_sealed(head + BOX)

    assert found.keys == KEYS and found.box == BOX
    assert list(found.keys) == sorted(KEYS, key=str.lower)


def test_encode_keys__given_32_judges_of_3072_bits__leaves_room_for_a_whole_document() -> None:
    judges = {"0x" + number.to_bytes(20, "big").hex(): b"k" * 866 for number in range(1, 33)}

    size = len(evidence.encode_keys(judges)) + box.OVERHEAD + evidence.MAX_DOCUMENT_BYTES

    assert size <= evidence.MAX_BYTES


@pytest.mark.parametrize("count", [0, 33])
def test_encode_keys__given_no_or_too_many_judges__refuses(count: int) -> None:
    judges = {"0x" + number.to_bytes(20, "big").hex(): b"k" for number in range(1, count + 1)}

    with pytest.raises(FormatError):
        evidence.encode_keys(judges)


def test_decode_sealed__given_malformed_objects__refuses() -> None:
    head = evidence.encode_keys(KEYS)
    entry = (len(head) - 9) // 2
    swapped = head[:9] + head[9 + entry :] + head[9 : 9 + entry]
    twice = head[:9] + head[9 : 9 + entry] * 2
    hostile = [
        b"",
        head,
        head + BOX[: box.OVERHEAD - 1],
        b"x" + head[1:] + BOX,
        head[:8] + b"\0" + head[9:] + BOX,
        head[:8] + b"\x21" + head[9:] + BOX,
        swapped + BOX,
        twice + BOX,
        head[:9] + bytes(22) + BOX,
        head + bytes(evidence.MAX_BYTES),
        "text",
    ]

    for data in hostile:
        with pytest.raises(FormatError):
            evidence.decode_sealed(data)


def test_evidence_contexts__any_field_changed__are_others() -> None:
    where = {"chain_id": CHAIN_ID, "prepaid_lock": PROCESSOR, "lock_id": bytes(32), "by": OWNER}
    others = [
        {"chain_id": CHAIN_ID + 1},
        {"prepaid_lock": DEVICE},
        {"lock_id": b"\1" * 32},
        {"by": DEVICE},
    ]
    base = {"keys_digest": b"d" * 32}, {"judge": DEVICE}
    boxes = [contexts.evidence(**where | one, **base[0]) for one in [{}, *others]]
    keys = [contexts.evidence_key(**where | one, **base[1]) for one in [{}, *others]]
    boxes.append(contexts.evidence(**where, keys_digest=b"e" * 32))
    keys.append(contexts.evidence_key(**where, judge=OTHER_DEVICE))

    assert len({*boxes, *keys}) == len(boxes) + len(keys)


def test_repr__of_evidence__shows_nothing_that_opens() -> None:
    shown = repr(ANSWER) + repr(DATA_SET)

    assert "rrr" not in shown and "result" not in shown and str(G1_GENERATOR) not in shown
