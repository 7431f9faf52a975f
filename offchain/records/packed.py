"""Packed readings: constant fields once, then compressed columns (docs/formats.md §10, §12).

Nonces are left out: with a day's nonce key every `m` is rebuilt bit for bit.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.crypto.kdf import reading_nonce
from offchain.errors import FormatError, RebuildError
from offchain.records import batch, fields, inflate, varint
from offchain.records.reading import check_sample
from offchain.types import Account, MeterSample, Reading, day_of

MAX_ROWS = 65_536
_NAMES = "device first_seq count columns"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Packed:
    """Consecutive readings of one device as columns; `energies_wh` is None where it is left out."""

    device: Account
    first_seq: int
    times_s: tuple[int, ...]
    energies_wh: tuple[int, ...] | None
    powers_w: tuple[int, ...]
    temperatures_dc: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of readings."""
        return len(self.times_s)

    @property
    def next_seq(self) -> int:
        """The seq after the last reading."""
        return self.first_seq + self.count


def of(readings: Sequence[Reading], *, with_energy: bool = True) -> Packed:
    """Pack one or more consecutive readings of one device. Raises FormatError for others."""
    if not batch.cut(readings):
        raise FormatError("there are no readings to pack")
    return Packed(
        device=readings[0].device,
        first_seq=readings[0].seq,
        times_s=tuple(reading.time_s for reading in readings),
        energies_wh=tuple(reading.energy_wh for reading in readings) if with_energy else None,
        powers_w=tuple(reading.power_w for reading in readings),
        temperatures_dc=tuple(reading.temperature_dc for reading in readings),
    )


def to_json(packed: Packed) -> fields.Json:
    """Return the JSON object of packed readings."""
    energies = [] if packed.energies_wh is None else [packed.energies_wh]
    columns = [packed.times_s, *energies, packed.powers_w, packed.temperatures_dc]
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


def from_json(value: object, *, with_energy: bool, max_rows: int = MAX_ROWS) -> Packed:
    """Read packed readings of 1 to `max_rows` rows.

    Ranges, rising times and a register that never falls are checked. Raises FormatError.
    """
    obj = fields.members(value, _NAMES, what="packed readings")
    rows = fields.integer(obj["count"], "count", low=1, high=max_rows)
    width = 4 if with_energy else 3
    room = width * rows * varint.MAX_BYTES
    compressed = fields.from_base64(obj["columns"], "columns", max_bytes=room + 64)
    plain = inflate.inflate(compressed, max_bytes=room)
    columns = varint.decode_columns(plain, columns=width, rows=rows)
    packed = Packed(
        device=fields.account(obj["device"], "device"),
        first_seq=fields.integer(obj["first_seq"], "first_seq", low=1),
        times_s=tuple(columns[0]),
        energies_wh=tuple(columns[1]) if with_energy else None,
        powers_w=tuple(columns[-2]),
        temperatures_dc=tuple(columns[-1]),
    )
    _check(packed)
    return packed


def rebuild(
    packed: Packed,
    *,
    chain_id: int,
    nonce_keys: Mapping[int, bytes],
    energies_wh: Sequence[int] | None = None,
) -> list[Reading]:
    """Rebuild every reading bit for bit from the nonce keys of its days.

    `energies_wh` gives the registers where the columns leave them out. Raises RebuildError when a
    day's key is missing, or registers are missing, double, or of another number.
    """
    registers = packed.energies_wh if energies_wh is None else tuple(energies_wh)
    if (
        registers is None
        or len(registers) != packed.count
        or (energies_wh is not None and packed.energies_wh is not None)
    ):
        raise RebuildError("the registers must be given exactly once, one for each reading")
    missing = {day_of(time_s) for time_s in packed.times_s} - nonce_keys.keys()
    if missing:
        raise RebuildError(f"no nonce key was disclosed for the UTC days {sorted(missing)}")
    return [
        Reading(
            chain_id=chain_id,
            device=packed.device,
            seq=seq,
            time_s=time_s,
            energy_wh=energy_wh,
            power_w=power_w,
            temperature_dc=temperature_dc,
            nonce=reading_nonce(nonce_keys[day_of(time_s)], seq),
        )
        for seq, (time_s, energy_wh, power_w, temperature_dc) in enumerate(
            zip(packed.times_s, registers, packed.powers_w, packed.temperatures_dc, strict=True),
            start=packed.first_seq,
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


def _check(packed: Packed) -> None:
    fields.integer(packed.next_seq, "the seq after the last reading")
    energies = packed.energies_wh or (0,) * packed.count
    for pick in (min, max):
        check_sample(
            MeterSample(
                time_s=pick(packed.times_s),
                energy_wh=pick(energies),
                power_w=pick(packed.powers_w),
                temperature_dc=pick(packed.temperatures_dc),
            )
        )
    pairs = zip(packed.times_s, packed.times_s[1:], strict=False)
    if any(after <= before for before, after in pairs):
        raise FormatError("the times of packed readings must rise")
    if any(after < before for before, after in itertools.pairwise(energies)):
        raise FormatError("the register of packed readings must not fall")
