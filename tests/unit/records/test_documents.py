"""Requests, answers, reports, data set files, sharing: round trips and hostile input."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import bls, box
from offchain.crypto.curve import G1_GENERATOR
from offchain.crypto.messages import Role as Tag
from offchain.crypto.secret import SecretBytes
from offchain.errors import FormatError, RebuildError
from offchain.records import (
    answer,
    batch,
    canonical_json,
    ciphertexts,
    dataset,
    envelope,
    inflate,
    packed,
    report,
    request,
    sharing,
    signing,
)
from offchain.records import reading as record_codec
from offchain.types import NO_FLAGS, Status, Verdict, day_of, to_account

from .samples import (
    CHAIN_ID,
    DEVICE,
    LEDGER,
    MIDNIGHT,
    OTHER_DEVICE,
    OWNER,
    PROCESSOR,
    nonce_key,
    readings,
)

ROWS = readings(48)
COLUMNS = ("times_s", "powers_w", "temperatures_dc", "flags")
KEYS = {day_of(one.time_s): nonce_key(day_of(one.time_s)) for one in ROWS}
RUNS = batch.cut(ROWS)
SIGNATURE = bls.sign(bls.BlsSecretKey(7), b"root", role=Tag.ROOT)
ACCOUNT_KEY = SecretBytes(b"\x11" * 32)
SIGNER = to_account("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")

REQUEST = request.RequestText(
    identity="häuser",
    salt=b"s" * 32,
    devices=(DEVICE, OTHER_DEVICE),
    from_s=MIDNIGHT,
    to_s=MIDNIGHT + 86_400,
    time_zone="Europe/Amsterdam",
    product="standard",
)
OPENING = answer.AnchoredReading(
    record=record_codec.encode(ROWS[23]),
    batch=batch.make(RUNS[0]),
    proof=tuple(batch.prove(RUNS[0], 24)),
)
AFTER = batch.cut(readings(72))[2]
CLOSING = answer.AnchoredReading(
    record=record_codec.encode(AFTER[0]),
    batch=batch.make(AFTER),
    proof=tuple(batch.prove(AFTER, 49)),
)
DEVICE_ANSWER = answer.DeviceAnswer(
    packed=packed.of(RUNS[1]),
    batches=((25, 24),),
    nonce_keys=KEYS,
    opening=OPENING,
    closing=CLOSING,
)
BILL = {"v": 2, "currency": "USD", "total": -4, "lines": [{"wh": 10, "amount": 3}], "taxes": []}
ADVICE = {"v": 2, "shift": {"wh": 9, "saves": 1}, "standing": None}
ANSWER = answer.Answer(
    lock_id=b"l" * 32,
    nonce=b"n" * 32,
    signed_at=MIDNIGHT,
    as_of_block=77,
    devices=(DEVICE_ANSWER,),
    kind="bill",
    result=BILL,
)
REPORT = report.StatusReport(
    device=DEVICE,
    seq=4,
    time_s=MIDNIGHT,
    power_w=-5,
    temperature_dc=-31,
    status=Status.TOO_LOW,
    injected=False,
    text="low",
    signature=b"s" * 65,
)
COMPANION = dataset.Companion(
    devices=(
        dataset.CompanionDevice(
            packed=packed.of(ROWS, with_registers=False),
            first_import_wh=ROWS[0].import_wh,
            first_export_wh=ROWS[0].export_wh,
            batches=tuple(batch.make(run) for run in RUNS),
            nonce_keys=KEYS,
        ),
    ),
    aggregate_signature=SIGNATURE,
)
FILE = dataset.FileRef(digest=b"d" * 32, length=5, sha256=b"h" * 32)
MANIFEST = dataset.Manifest(
    data_set_id=b"i" * 32,
    processor=PROCESSOR,
    kind=1,
    from_s=MIDNIGHT,
    to_s=MIDNIGHT + 2 * 86_400,
    rows=48,
    paillier_private=b"DMQ1 key",
    ciphertexts=FILE,
    companion=FILE,
)
SELECTION = sharing.SelectionText(
    broadcast_id=b"b" * 32, data_set_id=b"i" * 32, members=(DEVICE, OWNER)
)
SHARE = sharing.ShareMessage(lock_id=b"l" * 32, index=3, share=G1_GENERATOR)
ID_OPENING = sharing.IdOpening(identity="s", salt=b"s" * 32)
OPENINGS = {PROCESSOR: b"sealed", OWNER: b"other"}


def decode_companion(data):
    return dataset.decode_companion(data, max_rows=48)


CODECS = {
    "request": (request.encode, request.decode, REQUEST),
    "bill": (answer.encode, answer.decode, ANSWER),
    "advice": (
        answer.encode,
        answer.decode,
        replace(ANSWER, kind="advice", result=ADVICE, devices=()),
    ),
    "report": (report.encode, report.decode, REPORT),
    "sealed report": (report.encode, report.decode, replace(REPORT, nonce=b"n" * 32)),
    "trial report": (report.encode, report.decode, replace(REPORT, seq=None, injected=True)),
    "manifest": (dataset.encode_manifest, dataset.decode_manifest, MANIFEST),
    "companion": (dataset.encode_companion, decode_companion, COMPANION),
    "selection": (sharing.encode_selection, sharing.decode_selection, SELECTION),
    "share": (sharing.encode_share, sharing.decode_share, SHARE),
    "id opening": (sharing.encode_opening, sharing.decode_opening, ID_OPENING),
    "openings": (sharing.encode_openings, sharing.decode_openings, OPENINGS),
}
JSON_CODECS = {name: codec for name, codec in CODECS.items() if name != "companion"}


@pytest.mark.parametrize("name", CODECS)
def test_decode__given_encoded_document__gives_it_back(name):
    encode, decode, value = CODECS[name]
    assert decode(encode(value)) == value


@pytest.mark.parametrize("name", JSON_CODECS)
def test_decode__given_any_member_missing_or_added__refuses(name):
    encode, decode, value = CODECS[name]
    obj = json.loads(encode(value))
    for member in obj.keys() - {"nonce"} if name == "sealed report" else obj:
        with pytest.raises(FormatError):
            decode(canonical_json.dumps({key: obj[key] for key in obj if key != member}))
    with pytest.raises(FormatError):
        decode(canonical_json.dumps(obj | {"extra": 1}))


@pytest.mark.parametrize("name", JSON_CODECS)
@pytest.mark.parametrize("junk", [None, -1, 2**255, "zz", [], {}, [[]], True, "00" * 40])
def test_decode__given_any_member_replaced_by_junk__refuses_or_reads_it(name, junk):
    """Whatever a hostile peer puts in place of a member, nothing but FormatError is raised."""
    encode, decode, value = CODECS[name]
    obj = json.loads(encode(value))
    for member in obj:
        data = canonical_json.dumps(obj | {member: junk})
        try:
            again = encode(decode(data))
        except FormatError:
            continue
        assert again == data  # what is accepted is canonical


@given(data=st.binary(max_size=200), name=st.sampled_from(sorted(CODECS)))
def test_decode__given_random_bytes__raises_format_error(data, name):
    with pytest.raises(FormatError):
        CODECS[name][1](data)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_decode__given_flipped_byte__refuses_or_is_another_canonical_document(data):
    encode, decode, value = CODECS[data.draw(st.sampled_from(sorted(JSON_CODECS)))]
    good = encode(value)
    index = data.draw(st.integers(0, len(good) - 1))
    bad = good[:index] + bytes([good[index] ^ data.draw(st.integers(1, 255))]) + good[index + 1 :]
    try:
        assert encode(decode(bad)) == bad
    except FormatError:
        return


@pytest.mark.parametrize(
    "change",
    [
        {"from_s": -1},
        {"to_s": 2**32},
        {"time_zone": ""},
        {"product": "x" * 129},
        {"to_s": MIDNIGHT},
        {"devices": ()},
        {"devices": (DEVICE, DEVICE)},
        {"identity": ""},
        {"identity": "x" * 65},
        {"salt": b"s"},
    ],
)
def test_encode_request__given_unfit_field__refuses(change):
    with pytest.raises(FormatError):
        request.encode(replace(REQUEST, **change))


def test_repr__given_request_and_openings__does_not_show_the_identity():
    assert "häuser" not in repr(REQUEST) and "salt" not in repr(ID_OPENING)


@pytest.mark.parametrize(
    "change",
    [
        {"batches": ((25, 23),)},
        {"batches": ()},
        {"nonce_keys": {1: b"short"}},
        {"opening": replace(OPENING, proof=(b"x",))},
        {"opening": replace(OPENING, record=b"x" * 103)},
        {"closing": replace(CLOSING, proof=(b"x",))},
        {"closing": replace(CLOSING, proof=(bytes(32),) * 18)},
        {"closing": replace(CLOSING, record=b"x" * 103)},
        {"closing": replace(CLOSING, batch=replace(CLOSING.batch, count=65_537))},
        {"closing": replace(CLOSING, batch=replace(CLOSING.batch, from_seq=0))},
    ],
)
def test_encode_answer__given_unfit_device__refuses(change):
    with pytest.raises(FormatError):
        answer.encode(replace(ANSWER, devices=(replace(DEVICE_ANSWER, **change),)))


@pytest.mark.parametrize("as_of_block", [-1, 2**64, True, None, "7", 7.0])
def test_decode_answer__given_unfit_block__refuses(as_of_block):
    obj = json.loads(answer.encode(ANSWER)) | {"as_of_block": as_of_block}
    with pytest.raises(FormatError):
        answer.decode(json.dumps(obj, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize("name", ["opening", "closing"])
@pytest.mark.parametrize("member", ["record", "from_seq", "count", "root", "proof"])
@pytest.mark.parametrize("junk", [None, -1, 2**255, "zz", [], {}, [[]], True, "00" * 40])
def test_decode_answer__given_junk_in_an_anchored_reading__refuses_or_reads_it(name, member, junk):
    obj = json.loads(answer.encode(ANSWER))
    obj["devices"][0][name][member] = junk
    data = canonical_json.dumps(obj)
    try:
        assert answer.encode(answer.decode(data)) == data
    except FormatError:
        return
    assert (member, junk) == ("proof", [])  # whether a path is right is the audit's to say


@pytest.mark.parametrize("name", ["opening", "closing"])
@pytest.mark.parametrize("junk", [{}, [], False, 0, "", {"record": ""}])
def test_decode_answer__given_no_anchored_reading__refuses(name, junk):
    obj = json.loads(answer.encode(ANSWER))
    obj["devices"][0][name] = junk
    with pytest.raises(FormatError):
        answer.decode(canonical_json.dumps(obj))
    obj["devices"][0][name] = None
    assert getattr(answer.decode(canonical_json.dumps(obj)).devices[0], name) is None


def test_encode_answer__given_a_device_twice__refuses():
    with pytest.raises(FormatError, match="once"):
        answer.encode(replace(ANSWER, devices=(DEVICE_ANSWER, DEVICE_ANSWER)))


def test_encode_answer__given_too_many_readings__refuses_the_size():
    rows = [
        replace(one, power_w=pow(3, i, 2**31 - 1))
        for i, one in enumerate(readings(9_000, step_s=1))
    ]
    big = answer.DeviceAnswer(
        packed=packed.of(rows), batches=((1, 9_000),), nonce_keys=KEYS, opening=None, closing=None
    )
    with pytest.raises(FormatError, match="31232"):
        answer.encode(replace(ANSWER, devices=(big,)))


def test_decode_answer__given_small_columns_of_many_rows__bounds_their_sum():
    """Equal steps compress to nothing: 30 KiB of devices could claim millions of rows."""
    rows = packed.of(readings(40_000, step_s=1))
    flat = replace(rows, powers_w=(0,) * 40_000, temperatures_dc=(0,) * 40_000)
    flat = replace(flat, flags=(NO_FLAGS,) * 40_000)

    def device(account, count):
        columns = replace(
            flat,
            device=account,
            registers=packed.Registers(imports_wh=(5,) * count, exports_wh=(6,) * count),
            **{name: getattr(flat, name)[:count] for name in COLUMNS},
        )
        return replace(DEVICE_ANSWER, packed=columns, batches=((1, count),), opening=None)

    def two(count):
        devices = (device(DEVICE, 40_000), device(OTHER_DEVICE, count))
        devices = tuple(replace(one, closing=None) for one in devices)
        return replace(ANSWER, devices=devices)

    assert answer.decode(answer.encode(two(25_536))) == two(25_536)
    with pytest.raises(FormatError, match="count"):
        answer.encode(two(25_537))
    third = replace(device(OWNER, 1), closing=None)
    full = two(25_536)
    with pytest.raises(FormatError, match="65536 readings"):
        answer.encode(replace(full, devices=(*full.devices, third)))


def test_decode_reply__given_encoded_reply__gives_answer_and_signature():
    data = answer.encode(ANSWER)
    assert answer.decode_reply(answer.encode_reply(data, SIGNATURE)) == (data, SIGNATURE)
    with pytest.raises(FormatError):
        answer.decode_reply(SIGNATURE.to_bytes())
    with pytest.raises(FormatError):
        answer.decode_reply(b"\1" * 64 + data)
    with pytest.raises(FormatError, match="31232"):
        answer.decode_reply(SIGNATURE.to_bytes() + bytes(answer.MAX_ANSWER_BYTES + 1))


def test_rebuild_device__given_companion_and_values__gives_every_record_back():
    values = dataset.interval_values(ROWS)
    (device,) = decode_companion(dataset.encode_companion(COMPANION)).devices
    assert dataset.rebuild_device(device, values, chain_id=CHAIN_ID) == ROWS


@pytest.mark.parametrize(
    "values", [[], [(0, 0)] * 47, [(1, 0)] + [(0, 0)] * 47, [(0, 1)] + [(0, 0)] * 47]
)
def test_rebuild_device__given_other_values__refuses(values):
    with pytest.raises(RebuildError):
        dataset.rebuild_device(COMPANION.devices[0], values, chain_id=CHAIN_ID)


@pytest.mark.parametrize("step", [-1, 2**20])
@pytest.mark.parametrize("register", ["import", "export"])
def test_interval_values__given_step_that_fits_no_slot__names_it(register, step):
    name = f"{register}_wh"
    rows = [ROWS[0], replace(ROWS[1], **{name: getattr(ROWS[0], name) + step})]
    with pytest.raises(
        FormatError, match=f"its {register} register (falls|steps by 2\\^20 Wh or more) to"
    ):
        dataset.interval_values(rows)
    rows[1] = replace(ROWS[1], **{name: getattr(ROWS[0], name) + 2**20 - 1})
    assert 2**20 - 1 in dataset.interval_values(rows)[1]


def test_decode_companion__given_devices_out_of_order_or_twice__refuses():
    for devices in (COMPANION.devices * 2, ()):
        with pytest.raises(FormatError):
            decode_companion(dataset.encode_companion(replace(COMPANION, devices=devices)))


def test_decode_companion__given_bomb__stops_at_its_cap():
    with pytest.raises(FormatError, match="more than"):
        decode_companion(inflate.deflate(bytes(10**6)))


def test_decode_companion__given_more_rows_than_announced__refuses():
    data = dataset.encode_companion(COMPANION)
    with pytest.raises(FormatError, match="count"):
        dataset.decode_companion(data, max_rows=47)


def test_decode_companion__given_other_rows_than_listed__refuses_before_unpacking():
    obj = json.loads(inflate.inflate(dataset.encode_companion(COMPANION), max_bytes=10**6))
    obj["devices"][0]["packed"]["columns"] = "AAAA"  # what no zlib stream begins with
    spoilt = inflate.deflate(canonical_json.dumps(obj))
    listed = [(DEVICE, 48)]
    whole = dataset.encode_companion(COMPANION)
    assert dataset.decode_companion(whole, max_rows=48, listed=listed) == COMPANION

    with pytest.raises(FormatError, match="damaged"):
        dataset.decode_companion(spoilt, max_rows=48, listed=listed)
    for other in ([], [(DEVICE, 47)], [(OTHER_DEVICE, 48)], [*listed, (OTHER_DEVICE, 1)]):
        with pytest.raises(FormatError, match="list other devices or rows"):
            dataset.decode_companion(spoilt, max_rows=48, listed=other)


# ---- ciphertext file

MODULUS = b"\xff" * 64  # 512 bits: 12 slots, 6 rows
CIPHERTEXT_FILE = ciphertexts.CiphertextFile(
    modulus=MODULUS,
    devices=(
        ciphertexts.DeviceCiphertexts(
            device=DEVICE,
            rows=7,
            ciphertexts=(b"a" * 128, b"b" * 128),
            commitments=(b"c" * 32,) * 7,
        ),
        ciphertexts.DeviceCiphertexts(
            device=OTHER_DEVICE, rows=1, ciphertexts=(b"e" * 128,), commitments=(b"f" * 32,)
        ),
    ),
)
FILE_BYTES = ciphertexts.encode_ciphertexts(CIPHERTEXT_FILE)


def test_decode_ciphertexts__given_encoded_file__gives_it_back():
    assert ciphertexts.decode_ciphertexts(FILE_BYTES) == CIPHERTEXT_FILE
    assert FILE_BYTES[:10] == b"DMSMCT01\x00\x40"
    assert FILE_BYTES[74:78] == b"\x00\x00\x00\x02" and FILE_BYTES[78:98] == b"\xd1" * 20


def test_decode_ciphertexts__given_every_cut__refuses():
    for length in range(len(FILE_BYTES)):
        with pytest.raises(FormatError):
            ciphertexts.decode_ciphertexts(FILE_BYTES[:length])
    with pytest.raises(FormatError):
        ciphertexts.decode_ciphertexts(FILE_BYTES + b"\0")


def test_listed_rows__given_file__are_its_devices_rows():
    assert ciphertexts.listed_rows(FILE_BYTES) == [(DEVICE, 7), (OTHER_DEVICE, 1)]
    for bad in (*(FILE_BYTES[:length] for length in range(len(FILE_BYTES))), FILE_BYTES + b"\0"):
        with pytest.raises(FormatError):
            ciphertexts.listed_rows(bad)


@given(index=st.integers(0, 105), flip=st.integers(1, 255))
def test_decode_ciphertexts__given_changed_header__refuses_or_is_another_file(index, flip):
    bad = FILE_BYTES[:index] + bytes([FILE_BYTES[index] ^ flip]) + FILE_BYTES[index + 1 :]
    try:
        assert ciphertexts.encode_ciphertexts(ciphertexts.decode_ciphertexts(bad)) == bad
    except FormatError:
        return


@pytest.mark.parametrize("claim", [b"\xff\xff\xff\xff", b"\x00\x10\x00\x00"])
def test_decode_ciphertexts__given_huge_counts__refuses_without_building_them(claim):
    for at in (74, 98, 102):
        with pytest.raises(FormatError):
            ciphertexts.decode_ciphertexts(FILE_BYTES[:at] + claim + FILE_BYTES[at + 4 :])


def test_encode_ciphertexts__given_devices_out_of_order__refuses():
    swapped = replace(CIPHERTEXT_FILE, devices=CIPHERTEXT_FILE.devices[::-1])
    with pytest.raises(FormatError, match="ascend"):
        ciphertexts.encode_ciphertexts(swapped)


# ---- reports


def test_verify_report__given_signed_report__holds_for_its_owner_alone():
    place = {"chain_id": CHAIN_ID, "data_ledger": LEDGER, "owner": OWNER}
    signed = report.sign(replace(REPORT, device=SIGNER), private_key=ACCOUNT_KEY, **place)
    assert report.verify_report(report.decode(report.encode(signed)), **place)
    for change in (
        {"power_w": 6},
        {"status": Status.TOO_HIGH},
        {"text": "x"},
        {"seq": 5},
        {"nonce": b"n" * 32},
        {"device": DEVICE},
        {"signature": b""},
        {"status": Status.NONE},
    ):
        assert not report.verify_report(replace(signed, **change), **place)
    for change in ({"owner": DEVICE}, {"chain_id": 1}, {"data_ledger": OWNER}):
        assert not report.verify_report(signed, **(place | change))


def test_sealed_commitment__given_report_without_nonce__refuses():
    with pytest.raises(FormatError, match="nonce"):
        report.sealed_commitment(report.encode(REPORT))
    assert len(report.sealed_commitment(report.encode(replace(REPORT, nonce=bytes(32))))) == 32


@pytest.mark.parametrize(
    ("verdict", "temperature_dc", "injected", "said"),
    [
        (
            Verdict(Status.TOO_HIGH, False),
            -5,
            False,
            "The power of 7 W is too high; the temperature is at -0.5 °C.",
        ),
        (
            Verdict(Status.SHUT_DOWN, True),
            412,
            True,
            "Trial report: The device has been shut down (7 W); "
            "the temperature is too high at 41.2 °C.",
        ),
    ],
)
def test_sentence__given_verdict__says_it(verdict, temperature_dc, injected, said):
    assert (
        report.sentence(verdict, power_w=7, temperature_dc=temperature_dc, injected=injected)
        == said
    )


@pytest.mark.parametrize(
    ("status", "power_w", "said"),
    [
        (Status.IN_OPERATION, 2_500, "The device is in operation at 2500 W"),
        (Status.IN_OPERATION, -2_500, "The device is in operation, feeding in at 2500 W"),
        (Status.TOO_HIGH, -2_500, "The feed-in of 2500 W is too high"),
        (Status.TOO_LOW, -5, "The feed-in of 5 W is too low"),
    ],
)
def test_sentence__of_a_meter_that_feeds_in__says_so(status, power_w, said):
    verdict = Verdict(status, False)
    text = report.sentence(verdict, power_w=power_w, temperature_dc=None, injected=False)
    assert text == f"{said}; the temperature was not measured."


def test_decode_report__given_no_temperature__reads_none():
    unmeasured = replace(REPORT, temperature_dc=None)
    assert b'"temperature_dc":null' in report.encode(unmeasured)
    assert report.decode(report.encode(unmeasured)) == unmeasured
    with pytest.raises(FormatError, match="temperature_dc"):
        report.encode(replace(REPORT, temperature_dc=-32_768))


# ---- HTTP bodies

ENVELOPE = envelope.Envelope(seq=1, day=17_000, box=b"box", signature=b"s" * 65)
BODIES = [
    envelope.DayKeys(device=DEVICE, day=17_000, sealed=b"sealed", signature=b"s" * 65),
    envelope.Envelopes(device=DEVICE, envelopes=(ENVELOPE, replace(ENVELOPE, seq=2))),
    envelope.BatchNotice(batch=batch.make(RUNS[0]), signature=SIGNATURE),
    envelope.SealedReport(device=DEVICE, sealed=b"sealed", signature=b"s" * 65),
    sharing.ShareDelivery(lock_id=b"l" * 32, sender=OWNER, sealed=b"x", signature=b"s" * 65),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_from_json__given_body__is_strict(body):
    obj = body.to_json()
    assert type(body).from_json(obj) == body
    for member in obj:
        for junk in (None, -1, 2**70, [], {}, "!", "000"):
            with pytest.raises(FormatError):
                type(body).from_json(obj | {member: junk})
        with pytest.raises(FormatError):
            type(body).from_json({key: obj[key] for key in obj if key != member})
    with pytest.raises(FormatError):
        type(body).from_json([])


@pytest.mark.parametrize("seqs", [(2, 1), (1, 1)])
def test_from_json__given_envelopes_that_do_not_ascend__refuses(seqs):
    body = envelope.Envelopes(
        device=DEVICE, envelopes=tuple(replace(ENVELOPE, seq=seq) for seq in seqs)
    )
    with pytest.raises(FormatError):
        envelope.Envelopes.from_json(body.to_json())


def test_share_digest__given_other_recipient__differs():
    fixed = {
        "chain_id": 1,
        "prepaid_lock": LEDGER,
        "sender": OWNER,
        "lock_id": b"l" * 32,
        "sealed": b"x",
    }
    assert signing.share_digest(recipient=DEVICE, **fixed) != signing.share_digest(
        recipient=OTHER_DEVICE, **fixed
    )


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("ciphertexts", dataset.MAX_CIPHERTEXT_BYTES),
        ("companion", dataset.MAX_COMPANION_BYTES + box.OVERHEAD),
    ],
)
def test_decode_manifest__given_a_file_beyond_all_files__is_refused(name: str, most: int) -> None:
    def with_length(length: int) -> bytes:
        return dataset.encode_manifest(replace(MANIFEST, **{name: replace(FILE, length=length)}))

    assert getattr(dataset.decode_manifest(with_length(most)), name).length == most
    with pytest.raises(FormatError, match="length"):
        dataset.decode_manifest(with_length(most + 1))
