"""The 95 bytes m of a reading and their commitment M' (paper §IV.A; docs/formats.md §7)."""

import struct

from offchain.crypto.commitment import sha256d
from offchain.errors import FormatError
from offchain.records import fields
from offchain.types import Reading, to_account

MAGIC = b"DMSR\x01"
_LAYOUT = struct.Struct(">5sQ20sQQQih32s")
RECORD_BYTES = _LAYOUT.size

MAX_TIME_S = 2**32 - 1
MAX_ENERGY_WH = 2**53 - 1
MAX_POWER_W = 2**31 - 1
MIN_TEMPERATURE_DC = -2732
MAX_TEMPERATURE_DC = 2**15 - 1


def check(reading: Reading) -> None:
    """Raise FormatError, naming the field, unless every field is in its range."""
    fields.integer(reading.chain_id, "chain_id", low=1)
    fields.normal_account(reading.device, "device")
    fields.integer(reading.seq, "seq", low=1)
    check_sample(reading)
    fields.exact(reading.nonce, "nonce", length=32)


def check_sample(sample: object) -> None:
    """Raise FormatError, naming the field, unless the four measured fields are in their ranges."""
    for name, low, high in (
        ("time_s", 1, MAX_TIME_S),
        ("energy_wh", 0, MAX_ENERGY_WH),
        ("power_w", -MAX_POWER_W, MAX_POWER_W),
        ("temperature_dc", MIN_TEMPERATURE_DC, MAX_TEMPERATURE_DC),
    ):
        fields.integer(getattr(sample, name), name, low=low, high=high)


def encode(reading: Reading) -> bytes:
    """Encode a reading as its 95 canonical bytes m. Raises FormatError for a field out of range."""
    check(reading)
    return _LAYOUT.pack(
        MAGIC,
        reading.chain_id,
        bytes.fromhex(reading.device[2:]),
        reading.seq,
        reading.time_s,
        reading.energy_wh,
        reading.power_w,
        reading.temperature_dc,
        reading.nonce,
    )


def decode(record: bytes) -> Reading:
    """Decode 95 canonical bytes m. Raises FormatError for anything that `encode` does not make."""
    magic, chain_id, device, seq, time_s, energy_wh, power_w, temperature_dc, nonce = (
        _LAYOUT.unpack(fields.exact(record, "a record", length=RECORD_BYTES))
    )
    if magic != MAGIC:
        raise FormatError("these bytes are no reading of version 1")
    reading = Reading(
        chain_id=chain_id,
        device=to_account(device),
        seq=seq,
        time_s=time_s,
        energy_wh=energy_wh,
        power_w=power_w,
        temperature_dc=temperature_dc,
        nonce=nonce,
    )
    check(reading)
    return reading


def commitment(record: bytes) -> bytes:
    """Return M' = SHA256(SHA256(m)), 32 bytes, of a record's 95 bytes."""
    return sha256d(fields.exact(record, "a record", length=RECORD_BYTES))


def commitment_of(reading: Reading) -> bytes:
    """Return M' of a reading."""
    return commitment(encode(reading))
