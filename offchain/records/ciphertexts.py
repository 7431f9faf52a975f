"""The ciphertext file of a data set (docs/formats.md §12).

"DMSMCT01" ‖ uint16 bytes of n ‖ n ‖ uint32 devices, then per device: account (20) ‖ uint32 rows ‖
uint32 ciphertexts ‖ ciphertexts (2·len n each) ‖ M' (32) per row.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise

from offchain.crypto.packing import slots_per_plaintext
from offchain.errors import FormatError
from offchain.records import fields
from offchain.records.dataset import (
    COMMITMENT_BYTES,
    MAX_CIPHERTEXT_BYTES,
    MAX_DEVICE_ROWS,
    MAX_DEVICES,
    VALUES_A_ROW,
)
from offchain.types import Account, to_account

MAGIC = b"DMSMCT01"
MIN_MODULUS_BYTES = 32  # smaller keys exist in tests only; real ones are checked by their owner
MAX_MODULUS_BYTES = 512
_HEAD = struct.Struct(">8sH")
_COUNT = struct.Struct(">I")
_DEVICE = struct.Struct(">20sII")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCiphertexts:
    """One device's packed row values, encrypted, and the commitment M' of every row."""

    device: Account
    rows: int
    ciphertexts: tuple[bytes, ...]
    commitments: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CiphertextFile:
    """The modulus n of the data set's own key, big-endian, and its devices by ascending account."""

    modulus: bytes
    devices: tuple[DeviceCiphertexts, ...]


def encode_ciphertexts(file: CiphertextFile) -> bytes:
    """Encode a ciphertext file. Raises FormatError for what `decode_ciphertexts` would refuse."""
    _check(file)
    parts = [_HEAD.pack(MAGIC, len(file.modulus)), file.modulus, _COUNT.pack(len(file.devices))]
    for device in file.devices:
        account = bytes.fromhex(device.device[2:])
        parts.append(_DEVICE.pack(account, device.rows, len(device.ciphertexts)))
        parts += device.ciphertexts
        parts += device.commitments
    data = b"".join(parts)
    if len(data) > MAX_CIPHERTEXT_BYTES:
        raise FormatError(
            f"a ciphertext file has at most {MAX_CIPHERTEXT_BYTES} bytes; sell less at once"
        )
    return data


def decode_ciphertexts(data: bytes) -> CiphertextFile:
    """Decode a ciphertext file, every byte of it. Raises FormatError."""
    if not isinstance(data, bytes) or len(data) > MAX_CIPHERTEXT_BYTES:
        raise FormatError(f"a ciphertext file has at most {MAX_CIPHERTEXT_BYTES} bytes")
    reader = _Reader(data)
    modulus, count = _head(reader)
    devices = tuple(_device(reader, 2 * len(modulus)) for _ in range(count))
    file = CiphertextFile(modulus=modulus, devices=devices)
    _check(file)
    _require_end(reader)
    return file


def listed_rows(data: bytes) -> list[tuple[Account, int]]:
    """Return the devices and their rows without building a row.

    Their ciphertexts and M' lie in these bytes to the last one. Raises FormatError.
    """
    reader = _Reader(data)
    modulus, count = _head(reader)
    listed = []
    for _ in range(count):
        account, rows, ciphertexts = _DEVICE.unpack(reader.take(_DEVICE.size))
        reader.skip(ciphertexts * 2 * len(modulus) + rows * COMMITMENT_BYTES)
        listed.append((to_account(account), rows))
    _require_end(reader)
    return listed


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def rest(self) -> int:
        return len(self._data) - self._at

    def skip(self, length: int) -> None:
        if length > self.rest:
            raise FormatError("a ciphertext file is cut off")
        self._at += length

    def take(self, length: int) -> bytes:
        self.skip(length)
        return self._data[self._at - length : self._at]

    def take_items(self, count: int, length: int) -> tuple[bytes, ...]:
        block = self.take(count * length)  # the length is checked before anything is built
        return tuple(block[at : at + length] for at in range(0, len(block), length))


def _head(reader: _Reader) -> tuple[bytes, int]:
    """Return the modulus and the number of devices."""
    magic, modulus_bytes = _HEAD.unpack(reader.take(_HEAD.size))
    if magic != MAGIC:
        raise FormatError("these bytes are no ciphertext file of version 1")
    modulus = _require_modulus(reader.take(modulus_bytes))
    (count,) = _COUNT.unpack(reader.take(_COUNT.size))
    return modulus, fields.integer(count, "the number of devices", low=1, high=MAX_DEVICES)


def _require_end(reader: _Reader) -> None:
    if reader.rest:
        raise FormatError(f"a ciphertext file is followed by {reader.rest} bytes")


def _device(reader: _Reader, ciphertext_bytes: int) -> DeviceCiphertexts:
    account, rows, count = _DEVICE.unpack(reader.take(_DEVICE.size))
    return DeviceCiphertexts(
        device=to_account(account),
        rows=rows,
        ciphertexts=reader.take_items(count, ciphertext_bytes),
        commitments=reader.take_items(rows, COMMITMENT_BYTES),
    )


def _require_modulus(modulus: bytes) -> bytes:
    fields.integer(len(modulus), "bytes of n", low=MIN_MODULUS_BYTES, high=MAX_MODULUS_BYTES)
    if modulus[0] == 0:
        raise FormatError("n is written without leading zeros")
    return modulus


def _check(file: CiphertextFile) -> None:
    _require_modulus(file.modulus)
    slots = slots_per_plaintext(int.from_bytes(file.modulus, "big").bit_length())
    fields.integer(len(file.devices), "the number of devices", low=1, high=MAX_DEVICES)
    for device in file.devices:
        _check_device(device, slots, 2 * len(file.modulus))
    if any(
        after.device.lower() <= before.device.lower() for before, after in pairwise(file.devices)
    ):
        raise FormatError("the devices of a ciphertext file ascend by account")


def _check_device(device: DeviceCiphertexts, slots: int, ciphertext_bytes: int) -> None:
    fields.normal_account(device.device, "device")
    fields.integer(device.rows, "rows", low=1, high=MAX_DEVICE_ROWS)
    if len(device.ciphertexts) != -(-VALUES_A_ROW * device.rows // slots):
        raise FormatError(f"{device.rows} rows do not lie in {len(device.ciphertexts)} ciphertexts")
    if len(device.commitments) != device.rows:
        raise FormatError("there is one commitment a row")
    for ciphertext in device.ciphertexts:
        fields.exact(ciphertext, "a ciphertext", length=ciphertext_bytes)
    for commitment in device.commitments:
        fields.exact(commitment, "a commitment", length=COMMITMENT_BYTES)
