"""The owners' list of a data set: how many of its readings each device has (docs/formats.md §12).

It is public: by a leaf of its tree an owner stops a sale, and draws what its readings earned.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from offchain.crypto import merkle
from offchain.errors import FormatError
from offchain.records import fields
from offchain.types import Account, to_account

MAX_DEVICES = 65_535  # what a data set's device count has room for
_MAGIC = b"DMSMOW01"
_HEAD = struct.Struct(">8sI")
_ENTRY = struct.Struct(">20sI")
_LEAF_ROWS_BYTES = 12


@dataclass(frozen=True, slots=True)
class OwnedRows:
    """A device, and how many of a data set's readings are its own."""

    device: Account
    rows: int


@dataclass(frozen=True, slots=True)
class OwnersLeaf:
    """An entry with its place and its RFC 9162 proof, as `IDataSetBook.OwnersLeaf` has it."""

    device: Account
    rows: int
    index: int
    proof: tuple[bytes, ...]

    def words(self) -> tuple[object, ...]:
        """Return it as a contract takes it."""
        return self.device, self.rows, self.index, list(self.proof)


def length_of(device_count: int) -> int:
    """Return how many bytes the list of so many devices has."""
    return _HEAD.size + device_count * _ENTRY.size


def encode(owned: Sequence[OwnedRows]) -> bytes:
    """Encode an owners' list. Raises FormatError unless it is one: 1 to 65,535 devices, strictly
    ascending by account, each with a row at least.
    """
    _check(owned)
    entries = (_ENTRY.pack(bytes.fromhex(one.device[2:]), one.rows) for one in owned)
    return _HEAD.pack(_MAGIC, len(owned)) + b"".join(entries)


def decode(data: bytes) -> tuple[OwnedRows, ...]:
    """Decode an owners' list, every byte of it. Raises FormatError."""
    if not isinstance(data, bytes) or len(data) < _HEAD.size:
        raise FormatError("an owners' list is cut off")
    magic, count = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise FormatError("these bytes are no owners' list of version 1")
    if len(data) != length_of(count):
        raise FormatError(f"an owners' list of {count} devices has {length_of(count)} bytes")
    entries = _ENTRY.iter_unpack(data[_HEAD.size :])
    owned = tuple(OwnedRows(to_account(device), rows) for device, rows in entries)
    _check(owned)
    return owned


def leaf(one: OwnedRows) -> bytes:
    """Return the word that is hashed into the tree: device (20 bytes) ‖ rows (12 bytes)."""
    return bytes.fromhex(one.device[2:]) + one.rows.to_bytes(_LEAF_ROWS_BYTES, "big")


def root(owned: Sequence[OwnedRows]) -> bytes:
    """Return the Merkle root of an owners' list. Raises FormatError unless it is one."""
    _check(owned)
    return merkle.root([leaf(one) for one in owned])


def prove(owned: Sequence[OwnedRows], device: Account) -> OwnersLeaf | None:
    """Return a device's entry with its proof, None if it is not in the list."""
    for index, one in enumerate(owned):
        if one.device == device:
            proof = merkle.prove([leaf(each) for each in owned], index)
            return OwnersLeaf(device, one.rows, index, tuple(proof))
    return None


def _check(owned: Sequence[OwnedRows]) -> None:
    fields.integer(len(owned), "the number of devices", low=1, high=MAX_DEVICES)
    for one in owned:
        fields.normal_account(one.device, "device")
        fields.integer(one.rows, "rows", low=1, high=fields.UINT32)
    if any(after.device.lower() <= before.device.lower() for before, after in pairwise(owned)):
        raise FormatError("the devices of an owners' list ascend by account, each once")
