"""Columns of integers as zig-zag LEB128 varints of first differences (docs/formats.md §10)."""

from collections.abc import Sequence

from offchain.errors import FormatError

MAX_BYTES = 10  # a difference of two 64-bit values and its sign
_MAX_BITS = 66


def encode_columns(columns: Sequence[Sequence[int]]) -> bytes:
    """Encode columns one after another; the first difference of each is its first value."""
    out = bytearray()
    for column in columns:
        before = 0
        for value in column:
            _append(out, value - before)
            before = value
    return bytes(out)


def decode_columns(data: bytes, *, columns: int, rows: int) -> list[list[int]]:
    """Decode exactly `columns` columns of `rows` values. Raises FormatError for anything else."""
    if rows < 1 or not columns * rows <= len(data) <= columns * rows * MAX_BYTES:
        raise FormatError(f"{len(data)} bytes do not hold {columns} columns of {rows} rows")
    differences = _varints(data, columns * rows)
    decoded = []
    for start in range(0, columns * rows, rows):
        value, column = 0, []
        for difference in differences[start : start + rows]:
            value += difference
            column.append(value)
        decoded.append(column)
    return decoded


def _append(out: bytearray, difference: int) -> None:
    if difference.bit_length() > _MAX_BITS - 2:
        raise FormatError("a difference does not fit a varint of 10 bytes")
    rest = 2 * difference if difference >= 0 else -2 * difference - 1
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)


def _varints(data: bytes, count: int) -> list[int]:
    values: list[int] = []
    rest = shift = 0
    for byte in data:
        rest |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            if shift >= 7 * MAX_BYTES:
                raise FormatError("a varint is longer than 10 bytes")
            continue
        if byte == 0 and shift:
            raise FormatError("a varint has more bytes than it needs")
        values.append(rest >> 1 if rest & 1 == 0 else -(rest + 1 >> 1))
        rest = shift = 0
    if shift or len(values) != count:
        raise FormatError(f"expected exactly {count} varints, found {len(values)}")
    return values
