"""Packed readings: constant fields once, then compressed columns (docs/formats.md §10, §12).

Nonces are left out: with a day's nonce key every `m` is rebuilt bit for bit.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.crypto.kdf import reading_nonce
from offchain.errors import FormatError, RebuildError
from offchain.records import batch, fields, inflate, temperature, varint
from offchain.records.reading import KNOWN_FLAGS, check_sample
from offchain.types import Account, MeterSample, Reading, ReadingFlag, day_of

MAX_ROWS = 65_536
_NAMES = "device first_seq count columns"
_REGISTERS = 2


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Registers:
    """The two registers of consecutive readings, in Wh."""

    imports_wh: tuple[int, ...]
    exports_wh: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Packed:
    """Consecutive readings of one device as columns; `registers` is None where left out."""

    device: Account
    first_seq: int
    times_s: tuple[int, ...]
    registers: Registers | None
    powers_w: tuple[int, ...]
    temperatures_dc: tuple[int | None, ...]
    flags: tuple[ReadingFlag, ...]

    @property
    def count(self) -> int:
        """Number of readings."""
        return len(self.times_s)

    @property
    def next_seq(self) -> int:
        """The seq after the last reading."""
        return self.first_seq + self.count


def of(readings: Sequence[Reading], *, with_registers: bool = True) -> Packed:
    """Pack one or more consecutive readings of one device. Raises FormatError for others."""
    if not batch.cut(readings):
        raise FormatError("there are no readings to pack")
    registers = Registers(
        imports_wh=tuple(reading.import_wh for reading in readings),
        exports_wh=tuple(reading.export_wh for reading in readings),
    )
    return Packed(
        device=readings[0].device,
        first_seq=readings[0].seq,
        times_s=tuple(reading.time_s for reading in readings),
        registers=registers if with_registers else None,
        powers_w=tuple(reading.power_w for reading in readings),
        temperatures_dc=tuple(reading.temperature_dc for reading in readings),
        flags=tuple(reading.flags for reading in readings),
    )


def none_of(device: Account, next_seq: int) -> Packed:
    """Return packed readings without a row, where `next_seq` would be the first."""
    return Packed(
        device=device,
        first_seq=next_seq,
        times_s=(),
        registers=Registers(imports_wh=(), exports_wh=()),
        powers_w=(),
        temperatures_dc=(),
        flags=(),
    )


def to_json(packed: Packed) -> fields.Json:
    """Return the JSON object of packed readings."""
    shown = packed.registers
    columns: list[Sequence[int]] = [
        packed.times_s,
        *([] if shown is None else [shown.imports_wh, shown.exports_wh]),
        packed.powers_w,
        [temperature.to_number(one) for one in packed.temperatures_dc],
        packed.flags,
    ]
    return {
        "device": fields.from_account(packed.device),
        "first_seq": packed.first_seq,
        "count": packed.count,
        "columns": fields.to_base64(inflate.deflate(varint.encode_columns(columns))),
    }


def said_rows(value: object) -> tuple[Account, int]:
    """Return device and number of rows that packed readings claim; no column is unpacked.

    Raises FormatError.
    """
    obj = fields.members(value, _NAMES, what="packed readings")
    return fields.account(obj["device"], "device"), fields.integer(obj["count"], "count", low=1)


def from_json(
    value: object, *, with_registers: bool, min_rows: int = 1, max_rows: int = MAX_ROWS
) -> Packed:
    """Read packed readings of `min_rows` (1 or 0) to `max_rows` rows.

    Ranges, rising times and registers that never fall are checked. Raises FormatError.
    """
    obj = fields.members(value, _NAMES, what="packed readings")
    rows = fields.integer(obj["count"], "count", low=min_rows, high=max_rows)
    width = 4 + (_REGISTERS if with_registers else 0)
    room = width * rows * varint.MAX_BYTES
    compressed = fields.from_base64(obj["columns"], "columns", max_bytes=room + 64)
    plain = inflate.inflate(compressed, max_bytes=room)
    device = fields.account(obj["device"], "device")
    first_seq = fields.integer(obj["first_seq"], "first_seq", low=1)
    if rows == 0:
        return none_of(device, first_seq)
    times, *registers, powers, temperatures, flags = varint.decode_columns(
        plain, columns=width, rows=rows
    )
    for pick in (min, max):  # no bit lies between known ones: what is in the range is known
        fields.integer(pick(flags), "flags", high=KNOWN_FLAGS)
    packed = Packed(
        device=device,
        first_seq=first_seq,
        times_s=tuple(times),
        registers=_registers(registers),
        powers_w=tuple(powers),
        temperatures_dc=tuple(map(temperature.from_number, temperatures)),
        flags=tuple(map(ReadingFlag, flags)),
    )
    _check(packed)
    return packed


def rebuild(
    packed: Packed,
    *,
    chain_id: int,
    nonce_keys: Mapping[int, bytes],
    registers: Registers | None = None,
) -> list[Reading]:
    """Rebuild every reading bit for bit from the nonce keys of its days.

    `registers` are given where the columns leave them out. Raises RebuildError when a day's key is
    missing, or registers are missing, double, or of another number.
    """
    shown = packed.registers if registers is None else registers
    if (
        shown is None
        or {len(shown.imports_wh), len(shown.exports_wh)} != {packed.count}
        or (registers is not None and packed.registers is not None)
    ):
        raise RebuildError("the registers must be given exactly once, both for each reading")
    missing = {day_of(time_s) for time_s in packed.times_s} - nonce_keys.keys()
    if missing:
        raise RebuildError(f"no nonce key was disclosed for the UTC days {sorted(missing)}")
    columns = zip(
        packed.times_s,
        shown.imports_wh,
        shown.exports_wh,
        packed.powers_w,
        packed.temperatures_dc,
        packed.flags,
        strict=True,
    )
    return [
        Reading(
            chain_id=chain_id,
            device=packed.device,
            seq=seq,
            time_s=time_s,
            import_wh=import_wh,
            export_wh=export_wh,
            power_w=power_w,
            temperature_dc=temperature_dc,
            flags=flags,
            nonce=reading_nonce(nonce_keys[day_of(time_s)], seq),
        )
        for seq, (time_s, import_wh, export_wh, power_w, temperature_dc, flags) in enumerate(
            columns, start=packed.first_seq
        )
    ]


def check_tiled(packed: Packed, batches: Sequence[tuple[int, int]]) -> None:
    """Raise FormatError unless (from_seq, count) of the batches cover the readings exactly."""
    seq = packed.first_seq
    for from_seq, count in batches:
        if from_seq != seq:
            raise FormatError(f"a batch begins at {from_seq} where {seq} is expected")
        seq += count
    if seq != packed.next_seq:
        raise FormatError("the batches do not cover the readings exactly")


def _registers(columns: Sequence[Sequence[int]]) -> Registers | None:
    if not columns:
        return None
    imports, exports = columns
    return Registers(imports_wh=tuple(imports), exports_wh=tuple(exports))


def _check(packed: Packed) -> None:
    fields.integer(packed.next_seq, "the seq after the last reading")
    shown = packed.registers or Registers(imports_wh=(0,), exports_wh=(0,))
    measured = [one for one in packed.temperatures_dc if one is not None]
    for pick in (min, max):
        check_sample(
            MeterSample(
                time_s=pick(packed.times_s),
                import_wh=pick(shown.imports_wh),
                export_wh=pick(shown.exports_wh),
                power_w=pick(packed.powers_w),
                temperature_dc=pick(measured, default=None),
                flags=pick(packed.flags),
            )
        )
    if any(after <= before for before, after in itertools.pairwise(packed.times_s)):
        raise FormatError("the times of packed readings must rise")
    for register in (shown.imports_wh, shown.exports_wh):
        if any(after < before for before, after in itertools.pairwise(register)):
            raise FormatError("the registers of packed readings must not fall")
