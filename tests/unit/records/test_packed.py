"""Packed readings: exact both ways, and no bomb."""

import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import FormatError, RebuildError
from offchain.records import fields, inflate, packed, varint
from offchain.types import ReadingFlag, day_of

from .samples import CHAIN_ID, MIDNIGHT, nonce_key, readings

ROWS = readings(60)
KEYS = {day_of(one.time_s): nonce_key(day_of(one.time_s)) for one in ROWS}


@given(
    st.lists(st.lists(st.integers(-(2**63), 2**63), min_size=3, max_size=3), min_size=1, max_size=4)
)
def test_decode_columns__given_encoded_columns__gives_them_back(columns):
    data = varint.encode_columns(columns)
    assert varint.decode_columns(data, columns=len(columns), rows=3) == columns


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\x00\x00", b"\x80\x00", b"\xff" * 11, b"\x01\x80"]
)
def test_decode_columns__given_other_bytes__refuses_them(data):
    with pytest.raises(FormatError):
        varint.decode_columns(data, columns=1, rows=1)


def test_encode_columns__given_difference_too_large__refuses_it():
    with pytest.raises(FormatError):
        varint.encode_columns([[2**80]])


@pytest.mark.parametrize("with_registers", [True, False])
def test_rebuild__given_packed_readings__gives_every_record_back(with_registers):
    whole = packed.of(ROWS)
    made = packed.from_json(
        packed.to_json(packed.of(ROWS, with_registers=with_registers)),
        with_registers=with_registers,
    )
    assert (made.registers is not None) is with_registers
    registers = None if with_registers else whole.registers
    assert packed.rebuild(made, chain_id=CHAIN_ID, nonce_keys=KEYS, registers=registers) == ROWS


def test_rebuild__given_registers_twice__refuses():
    whole = packed.of(ROWS)
    with pytest.raises(RebuildError, match="exactly once"):
        packed.rebuild(whole, chain_id=CHAIN_ID, nonce_keys=KEYS, registers=whole.registers)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**6),
            st.integers(0, 10**6),
            st.integers(0, 10**6),
            st.integers(-(2**31) + 1, 2**31 - 1),
            st.none() | st.integers(-2732, 32767),
            st.integers(0, 15).map(ReadingFlag),
        ),
        min_size=1,
        max_size=50,
    )
)
def test_rebuild__given_any_gaps_and_values__is_exact(steps):
    rows, time_s, register, fed_in = [], MIDNIGHT, 0, 0
    base = readings(1)[0]
    for seq, (gap, step, fed, power_w, temperature_dc, flags) in enumerate(steps, start=9):
        time_s, register, fed_in = time_s + gap, register + step, fed_in + fed
        rows.append(
            replace(
                base,
                seq=seq,
                time_s=time_s,
                import_wh=register,
                export_wh=fed_in,
                power_w=power_w,
                temperature_dc=temperature_dc,
                flags=flags,
            )
        )
    again = packed.from_json(packed.to_json(packed.of(rows)), with_registers=True)
    assert again == packed.of(rows)


def test_rebuild__given_missing_day__names_it():
    missing = min(KEYS)
    keys = {day: key for day, key in KEYS.items() if day != missing}
    with pytest.raises(RebuildError, match=str(missing)):
        packed.rebuild(packed.of(ROWS), chain_id=CHAIN_ID, nonce_keys=keys)


@pytest.mark.parametrize("rows", [(0, 0), (59, 59), (60, 59), (59, 60), (61, 61)])
def test_rebuild__given_registers_of_another_number__refuses(rows):
    imports, exports = rows
    with pytest.raises(RebuildError):
        packed.rebuild(
            packed.of(ROWS, with_registers=False),
            chain_id=CHAIN_ID,
            nonce_keys=KEYS,
            registers=packed.Registers(imports_wh=(1,) * imports, exports_wh=(1,) * exports),
        )


def test_of__given_no_readings__refuses():
    with pytest.raises(FormatError):
        packed.of([])


def columns_of(*columns: list[int]) -> str:
    return fields.to_base64(inflate.deflate(varint.encode_columns(columns)))


def test_none_of__in_json__is_read_back_where_none_is_allowed():
    none = packed.none_of(ROWS[0].device, 25)
    value = packed.to_json(none)
    assert packed.from_json(value, with_registers=True, min_rows=0) == none
    assert (none.count, none.next_seq) == (0, 25)
    assert packed.rebuild(none, chain_id=CHAIN_ID, nonce_keys={}) == []
    for change in ({}, {"first_seq": 0}, {"columns": columns_of([1], [1])}):
        with pytest.raises(FormatError):
            packed.from_json(value | change, with_registers=True, min_rows=min(1, 1 - len(change)))


GOOD = packed.to_json(packed.of(ROWS))


@pytest.mark.parametrize(
    "change",
    [
        {"count": 0},
        {"count": 59},
        {"count": 61},
        {"count": True},
        {"count": 2**40},
        {"first_seq": 0},
        {"first_seq": 2**64 - 1},
        {"device": "0x00"},
        {"columns": "!!!!"},
        {"columns": fields.to_base64(b"not zlib")},
        {"columns": fields.to_base64(inflate.deflate(b"") + b"x")},
        {"columns": fields.to_base64(inflate.deflate(bytes(240))[:-1])},
        {"extra": 1},
    ],
)
def test_from_json__given_changed_object__refuses_it(change):
    with pytest.raises(FormatError):
        packed.from_json(GOOD | change, with_registers=True)


@pytest.mark.parametrize(
    "columns",
    [
        ([5, 5], [1, 1], [1, 1], [0, 0], [0, 0], [0, 0]),
        ([5, 6], [2, 1], [1, 1], [0, 0], [0, 0], [0, 0]),
        ([5, 6], [1, 1], [2, 1], [0, 0], [0, 0], [0, 0]),
        ([0, 6], [1, 1], [1, 1], [0, 0], [0, 0], [0, 0]),
        ([5, 6], [1, 2**53], [1, 1], [0, 0], [0, 0], [0, 0]),
        ([5, 6], [1, 1], [1, 2**53], [0, 0], [0, 0], [0, 0]),
        ([5, 6], [-1, 1], [1, 1], [0, 0], [0, 0], [0, 0]),
        ([5, 6], [1, 1], [-1, 1], [0, 0], [0, 0], [0, 0]),
        ([5, 6], [1, 1], [1, 1], [0, 2**31], [0, 0], [0, 0]),
        ([5, 6], [1, 1], [1, 1], [0, 0], [0, -2733], [0, 0]),
        ([5, 6], [1, 1], [1, 1], [0, 0], [-32_768, -32_769], [0, 0]),
        ([5, 6], [1, 1], [1, 1], [0, 0], [-32_768, 32_768], [0, 0]),
        ([5, 6], [1, 1], [1, 1], [0, 0], [0, 0], [0, 16]),
        ([5, 6], [1, 1], [1, 1], [0, 0], [0, 0], [-1, 15]),
    ],
)
def test_from_json__given_values_that_no_meter_has__refuses_them(columns):
    with pytest.raises(FormatError):
        packed.from_json(GOOD | {"count": 2, "columns": columns_of(*columns)}, with_registers=True)


def test_from_json__given_bomb__stops_at_its_cap():
    bomb = fields.to_base64(zlib.compress(bytes(10**7), 9))
    with pytest.raises(FormatError, match="more than"):
        packed.from_json(GOOD | {"columns": bomb, "count": 1_000}, with_registers=True)


def test_inflate__given_exactly_the_cap__accepts():
    assert inflate.inflate(inflate.deflate(bytes(100)), max_bytes=100) == bytes(100)
    with pytest.raises(FormatError):
        inflate.inflate(inflate.deflate(bytes(101)), max_bytes=100)


@pytest.mark.parametrize(
    "batches", [[], [(1, 59)], [(1, 61)], [(2, 59)], [(1, 30), (32, 29)], [(31, 30), (1, 30)]]
)
def test_check_tiled__given_gap_or_overlap__refuses(batches):
    packed.check_tiled(packed.of(ROWS), [(1, 30), (31, 30)])
    with pytest.raises(FormatError):
        packed.check_tiled(packed.of(ROWS), batches)
