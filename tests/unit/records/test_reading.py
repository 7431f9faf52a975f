"""The record m, its commitment, and batches of them."""

import hashlib
from dataclasses import replace

import pytest
from eth_abi import encode as abi
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from offchain.crypto import merkle
from offchain.errors import FormatError
from offchain.records import batch, reading
from offchain.types import NO_FLAGS, SECONDS_PER_DAY, Reading, ReadingFlag, to_account

from .samples import DEVICE, MIDNIGHT, OTHER_DEVICE, readings

any_reading = st.builds(
    Reading,
    chain_id=st.integers(1, 2**64 - 1),
    device=st.binary(min_size=20, max_size=20).map(to_account),
    seq=st.integers(1, 2**64 - 1),
    time_s=st.integers(1, 2**32 - 1),
    import_wh=st.integers(0, 2**53 - 1),
    export_wh=st.integers(0, 2**53 - 1),
    power_w=st.integers(-(2**31) + 1, 2**31 - 1),
    temperature_dc=st.none() | st.integers(-2732, 32767),
    flags=st.integers(0, 15).map(ReadingFlag),
    nonce=st.binary(min_size=32, max_size=32),
)


def test_encode__given_known_fields__gives_the_104_bytes_of_the_format():
    one = replace(readings(1)[0], power_w=-5, temperature_dc=-2732, nonce=b"n" * 32)
    one = replace(one, flags=ReadingFlag.REGISTER_RESTARTED | ReadingFlag.ESTIMATED)
    expected = (
        b"DMSR\x02"
        + (31_337).to_bytes(8, "big")
        + b"\xd1" * 20
        + (1).to_bytes(8, "big")
        + MIDNIGHT.to_bytes(8, "big")
        + (1_000).to_bytes(8, "big")
        + (70).to_bytes(8, "big")
        + (2**32 - 5).to_bytes(4, "big")
        + (2**16 - 2732).to_bytes(2, "big")
        + b"\x09"
        + b"n" * 32
    )
    assert len(expected) == reading.RECORD_BYTES == 104
    assert reading.encode(one) == expected


def test_encode__given_no_temperature__writes_the_reserved_number():
    unmeasured = replace(readings(1)[0], temperature_dc=None)
    record = reading.encode(unmeasured)
    assert record[69:71] == b"\x80\x00"
    assert reading.decode(record) == unmeasured
    with pytest.raises(FormatError, match="temperature_dc"):
        reading.encode(replace(unmeasured, temperature_dc=-32_768))


@pytest.mark.parametrize("bit", range(8))
def test_decode__given_a_flag__takes_the_four_known_ones_alone(bit):
    record = reading.encode(replace(readings(1)[0], flags=NO_FLAGS))
    flagged = record[:71] + bytes([1 << bit]) + record[72:]
    if bit < 4:
        assert reading.decode(flagged).flags == 1 << bit
        assert reading.encode(reading.decode(flagged)) == flagged
    else:
        with pytest.raises(FormatError, match="flags"):
            reading.decode(flagged)


def test_names__of_flags__are_those_of_the_format():
    assert NO_FLAGS.names() == []
    known = ["register_restarted", "self_reported", "clock_uncertain", "estimated"]
    assert [ReadingFlag(1 << bit).names() for bit in range(4)] == [[name] for name in known]


@given(any_reading)
def test_decode__given_any_encoded_reading__gives_it_back(one):
    assert reading.decode(reading.encode(one)) == one


@given(st.binary(min_size=104, max_size=104))
def test_decode__given_104_random_bytes__refuses_them(data):
    with pytest.raises(FormatError):
        reading.decode(data)


@pytest.mark.parametrize(
    "change", ["short", "long", "empty", "magic", "version", "the form before", "text"]
)
def test_decode__given_other_bytes__refuses_them(change):
    good = reading.encode(readings(1)[0])
    bad = {
        "short": good[:-1],
        "long": good + b"\0",
        "empty": b"",
        "magic": b"X" + good[1:],
        "version": good[:4] + b"\x01" + good[5:],
        "the form before": good[:4] + b"\x01" + good[5:49] + good[57:71] + good[72:],
        "text": good.hex(),
    }[change]
    with pytest.raises(FormatError):
        reading.decode(bad)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chain_id", 0),
        ("seq", 0),
        ("seq", 2**64),
        ("time_s", 0),
        ("time_s", 2**32),
        ("import_wh", -1),
        ("import_wh", 2**53),
        ("import_wh", 1.5),
        ("import_wh", True),
        ("import_wh", None),
        ("export_wh", -1),
        ("export_wh", 2**53),
        ("export_wh", None),
        ("flags", 16),
        ("flags", -1),
        ("flags", None),
        ("power_w", 2**31),
        ("power_w", -(2**31)),
        ("temperature_dc", -2733),
        ("temperature_dc", 32768),
        ("nonce", b"x" * 31),
        ("device", "0x12"),
    ],
)
def test_encode__given_field_out_of_range__names_it(name, value):
    with pytest.raises(FormatError, match=name.removesuffix("_")):
        reading.encode(replace(readings(1)[0], **{name: value}))


def test_commitment__given_record__is_its_double_sha256():
    record = reading.encode(readings(1)[0])
    expected = hashlib.sha256(hashlib.sha256(record).digest()).digest()
    assert reading.commitment(record) == expected == reading.commitment_of(readings(1)[0])


def test_commitment__given_the_nonce_of_another_reading__differs_for_equal_values():
    first, second = (replace(one, seq=1) for one in readings(2)[:2])
    alike = replace(
        second,
        time_s=first.time_s,
        import_wh=first.import_wh,
        export_wh=first.export_wh,
        power_w=first.power_w,
        temperature_dc=first.temperature_dc,
    )
    assert reading.commitment_of(first) != reading.commitment_of(alike)


def test_commitment__given_low_entropy_values__is_not_found_without_the_nonce():
    """An adversary knows all but the register; the control shows that the search bites."""
    one = readings(1)[0]
    target = reading.commitment_of(one)

    def search(nonce: bytes) -> list[int]:
        guesses = (replace(one, import_wh=wh, nonce=nonce) for wh in range(900, 1_100))
        return [guess.import_wh for guess in guesses if reading.commitment_of(guess) == target]

    assert search(bytes(32)) == []
    assert search(one.nonce) == [one.import_wh]


def test_cut__given_run_over_midnight__never_crosses_it():
    rows = readings(30, from_s=MIDNIGHT + 20 * 3_600)
    runs = batch.cut(rows)
    assert [len(run) for run in runs] == [4, 24, 2]
    assert [one for run in runs for one in run] == rows
    for run in runs:
        assert len({one.time_s // SECONDS_PER_DAY for one in run}) == 1


def test_cut__given_max_count__fills_each_run():
    assert [len(run) for run in batch.cut(readings(24), max_count=10)] == [10, 10, 4]


@pytest.mark.parametrize(
    "other",
    [
        {"seq": 3},
        {"seq": 1},
        {"device": OTHER_DEVICE},
        {"chain_id": 1},
        {"time_s": MIDNIGHT},
    ],
)
def test_cut__given_readings_that_do_not_follow__refuses_them(other):
    first, second = readings(2)
    with pytest.raises(FormatError):
        batch.cut([first, replace(second, **other)])


def test_make__given_one_day__has_the_root_over_the_commitments():
    rows = readings(24, first_seq=7)
    made = batch.make(rows)
    assert (made.device, made.from_seq, made.count, made.next_seq) == (DEVICE, 7, 24, 31)
    assert made.root == merkle.root([reading.commitment_of(one) for one in rows])


@pytest.mark.parametrize("rows", [[], readings(25)])
def test_make__given_no_or_two_days__refuses(rows):
    with pytest.raises(FormatError):
        batch.make(rows)


def test_prove__given_each_reading__verifies_in_its_batch():
    rows = readings(24, first_seq=100)
    root = batch.make(rows).root
    for index, one in enumerate(rows):
        proof = batch.prove(rows, one.seq)
        leaf = reading.commitment_of(one)
        assert merkle.verify_inclusion(leaf, proof, index=index, size=24, root=root)


def test_anchor_hash__given_batch__is_the_ledgers_abi_hash():
    made = batch.make(readings(3, first_seq=5))
    expected = keccak(abi(["uint64", "uint32", "bytes32"], [5, 3, made.root]))
    assert batch.anchor_hash(made) == expected
