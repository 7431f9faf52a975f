"""The 104 bytes m of a reading and their commitment M' (paper §IV.A; docs/formats.md §7)."""

import struct

from offchain.crypto.commitment import sha256d
from offchain.errors import FormatError
from offchain.records import fields, temperature
from offchain.types import MeterSample, Reading, ReadingFlag, to_account

MAGIC = b"DMSR"
VERSION = 2
_LAYOUT = struct.Struct(">4sBQ20sQQQQihB32s")
RECORD_BYTES = _LAYOUT.size

MAX_TIME_S = 2**32 - 1
MAX_ENERGY_WH = 2**53 - 1
MAX_POWER_W = 2**31 - 1
MIN_TEMPERATURE_DC = -2732
MAX_TEMPERATURE_DC = 2**15 - 1
KNOWN_FLAGS = sum(ReadingFlag)


def check(reading: Reading) -> None:
    """Raise FormatError, naming the field, unless every field is in its range."""
    fields.integer(reading.chain_id, "chain_id", low=1)
    fields.normal_account(reading.device, "device")
    fields.integer(reading.seq, "seq", low=1)
    check_sample(reading)
    fields.exact(reading.nonce, "nonce", length=32)


def check_sample(sample: MeterSample | Reading) -> None:
    """Raise FormatError, naming the field, unless what a meter shows is in its ranges."""
    for name, low, high in (
        ("time_s", 1, MAX_TIME_S),
        ("import_wh", 0, MAX_ENERGY_WH),
        ("export_wh", 0, MAX_ENERGY_WH),
        ("power_w", -MAX_POWER_W, MAX_POWER_W),
        ("flags", 0, KNOWN_FLAGS),
    ):
        fields.integer(getattr(sample, name), name, low=low, high=high)
    temperature_in_range(sample.temperature_dc)


def temperature_in_range(value: object) -> int | None:
    """Return a temperature in 0.1 °C, or None for one that was not measured. Raises FormatError."""
    if value is None:
        return None
    low, high = MIN_TEMPERATURE_DC, MAX_TEMPERATURE_DC
    return fields.integer(value, "temperature_dc", low=low, high=high)


def encode(reading: Reading) -> bytes:
    """Encode a reading as its 104 bytes m. Raises FormatError for a field out of range."""
    check(reading)
    return _LAYOUT.pack(
        MAGIC,
        VERSION,
        reading.chain_id,
        bytes.fromhex(reading.device[2:]),
        reading.seq,
        reading.time_s,
        reading.import_wh,
        reading.export_wh,
        reading.power_w,
        temperature.to_number(reading.temperature_dc),
        reading.flags,
        reading.nonce,
    )


def decode(record: bytes) -> Reading:
    """Decode 104 canonical bytes m. Raises FormatError for anything that `encode` does not make."""
    magic, version, chain_id, device, seq, *measured, nonce = _LAYOUT.unpack(
        fields.exact(record, "a record", length=RECORD_BYTES)
    )
    if (magic, version) != (MAGIC, VERSION):
        raise FormatError(f"these bytes are no reading of version {VERSION}")
    time_s, import_wh, export_wh, power_w, number, flags = measured
    reading = Reading(
        chain_id=chain_id,
        device=to_account(device),
        seq=seq,
        time_s=time_s,
        import_wh=import_wh,
        export_wh=export_wh,
        power_w=power_w,
        temperature_dc=temperature.from_number(number),
        flags=ReadingFlag(flags),
        nonce=nonce,
    )
    check(reading)
    return reading


def commitment(record: bytes) -> bytes:
    """Return M' = SHA256(SHA256(m)), 32 bytes, of a record's 104 bytes."""
    return sha256d(fields.exact(record, "a record", length=RECORD_BYTES))


def commitment_of(reading: Reading) -> bytes:
    """Return M' of a reading."""
    return commitment(encode(reading))
