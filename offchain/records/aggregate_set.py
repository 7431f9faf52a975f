"""An aggregate set: whose energies, encrypted under which key, for which slots
(docs/formats.md §14).

    rows   "DMSMAG01" ‖ uint16 bytes of n ‖ uint32 homes ‖ uint16 ciphertexts a home, then per
           home: owner (20) ‖ uint8 devices ‖ device (20) each ‖ ciphertexts (2·len n each)
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from eth_hash.auto import keccak

from offchain.crypto.encoding import address_bytes, address_word, exact_bytes, word
from offchain.crypto.modulus import MAX_BITS
from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.records.aggregate_key import LEAST_HOMES, MAX_HOMES
from offchain.records.contexts import tag_hash
from offchain.records.signing import SIGNATURE_BYTES
from offchain.types import Account, to_account

AGGREGATION_PURPOSE = keccak(b"DMSM-V1-aggregation")
MAX_SET_BYTES = 2_048
MAX_ANNOUNCEMENT_BYTES = 1_024
MAX_ROWS_BYTES = 2**28
MAX_DEVICES = 255
_MAGIC = b"DMSMAG01"
_HEAD = struct.Struct(">8sHIH")
_ADDRESS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateSet:
    """The set as it is announced, by digests of its parts in the content store.

    Window [from_s, to_s) of whole UTC days. block: where the consents were read.
    rows_sha256 is of the whole rows file, rows_digest its content identifier's.
    """

    key_digest: bytes
    from_s: int
    to_s: int
    block: int
    homes: int
    rows_digest: bytes
    rows_length: int
    rows_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeRow:
    """One home: its owner, the devices whose energies are added, and the packed ciphertexts."""

    owner: Account
    devices: tuple[Account, ...]
    ciphertexts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """The processor's signed word that a set is its own and the only one of its slots."""

    chain_id: int
    data_ledger: Account
    processor: Account
    set_digest: bytes
    signature: bytes

    def digest(self) -> bytes:
        """Return what the processor signs."""
        head = tag_hash(b"DMSM-V1-aggregate-set") + word(self.chain_id)
        parties = address_word(self.data_ledger) + address_word(self.processor)
        return keccak(head + parties + exact_bytes(self.set_digest, 32, name="a set digest"))


def encode_aggregate_set(one: AggregateSet) -> bytes:
    """Encode a set. Raises FormatError for what decoding would refuse."""
    rows = {
        "digest": one.rows_digest.hex(),
        "length": one.rows_length,
        "sha256": one.rows_sha256.hex(),
    }
    obj = {"v": 1, "key": one.key_digest.hex(), "from": one.from_s, "to": one.to_s}
    data = canonical_json.dumps(obj | {"block": one.block, "homes": one.homes, "rows": rows})
    decode_aggregate_set(data)
    return data


def decode_aggregate_set(data: bytes) -> AggregateSet:
    """Decode a set. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_SET_BYTES)
    obj = fields.versioned(value, "key from to block homes rows", what="an aggregate set")
    rows = fields.members(obj["rows"], "digest length sha256", what="the rows of a set")
    return AggregateSet(
        key_digest=fields.from_hex(obj["key"], "key", length=32),
        from_s=fields.integer(obj["from"], "from"),
        to_s=fields.integer(obj["to"], "to"),
        block=fields.integer(obj["block"], "block"),
        homes=fields.integer(obj["homes"], "homes", low=LEAST_HOMES, high=MAX_HOMES),
        rows_digest=fields.from_hex(rows["digest"], "digest", length=32),
        rows_length=fields.integer(rows["length"], "length", low=1, high=MAX_ROWS_BYTES),
        rows_sha256=fields.from_hex(rows["sha256"], "sha256", length=32),
    )


def encode_announcement(one: Announcement) -> bytes:
    """Encode an announcement. Raises FormatError for what decoding would refuse."""
    obj = {
        "v": 1,
        "chain_id": one.chain_id,
        "data_ledger": fields.from_account(one.data_ledger),
        "processor": fields.from_account(one.processor),
        "set": one.set_digest.hex(),
        "signature": one.signature.hex(),
    }
    data = canonical_json.dumps(obj)
    decode_announcement(data)
    return data


def decode_announcement(data: bytes) -> Announcement:
    """Decode an announcement; its signature is not checked here. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_ANNOUNCEMENT_BYTES)
    names = "chain_id data_ledger processor set signature"
    obj = fields.versioned(value, names, what="an announcement")
    return Announcement(
        chain_id=fields.integer(obj["chain_id"], "chain_id"),
        data_ledger=fields.account(obj["data_ledger"], "data_ledger"),
        processor=fields.account(obj["processor"], "processor"),
        set_digest=fields.from_hex(obj["set"], "set", length=32),
        signature=fields.from_hex(obj["signature"], "signature", length=SIGNATURE_BYTES),
    )


def encode_rows(rows: Sequence[HomeRow], *, modulus_bytes: int) -> bytes:
    """Encode the homes, ascending by owner. Raises FormatError for what decoding would refuse."""
    ciphertexts = len(rows[0].ciphertexts) if rows else 0
    parts = [_HEAD.pack(_MAGIC, modulus_bytes, len(rows), ciphertexts)]
    for row in rows:
        accounts = [row.owner, *row.devices]
        owner, *devices = (address_bytes(account) for account in accounts)
        if not 1 <= len(devices) <= MAX_DEVICES or len(row.ciphertexts) != ciphertexts:
            raise FormatError("a home has 1..255 devices, and as many ciphertexts as the others")
        parts += [owner, bytes([len(devices)]), *devices, *row.ciphertexts]
    data = b"".join(parts)
    if len(data) > MAX_ROWS_BYTES:
        raise FormatError(f"the rows of a set have at most {MAX_ROWS_BYTES} bytes; take fewer days")
    decode_rows(data, modulus_bytes=modulus_bytes)
    return data


def decode_rows(data: bytes, *, modulus_bytes: int) -> tuple[HomeRow, ...]:
    """Decode the homes, every byte: owners ascend, no device stands twice. Raises FormatError."""
    if not isinstance(data, bytes) or not _HEAD.size <= len(data) <= MAX_ROWS_BYTES:
        raise FormatError(f"the rows of a set have at most {MAX_ROWS_BYTES} bytes")
    magic, width, homes, ciphertexts = _HEAD.unpack_from(data)
    if (magic, width) != (_MAGIC, modulus_bytes) or not 0 < width <= MAX_BITS // 8:
        raise FormatError("these bytes are no rows of version 1 under a key of this width")
    fields.integer(homes, "the number of homes", low=1, high=MAX_HOMES)
    fields.integer(ciphertexts, "ciphertexts a home", low=1)
    rows, at = [], _HEAD.size
    for _ in range(homes):
        row, at = _read_row(data, at, ciphertexts, 2 * width)
        rows.append(row)
    if at != len(data):
        raise FormatError(f"the rows of a set are followed by {len(data) - at} bytes")
    _require_distinct(rows)
    return tuple(rows)


def _read_row(data: bytes, at: int, ciphertexts: int, width: int) -> tuple[HomeRow, int]:
    head = data[at : at + _ADDRESS + 1]
    devices = head[-1] if len(head) == _ADDRESS + 1 else 0
    middle = at + _ADDRESS + 1 + devices * _ADDRESS
    end = middle + ciphertexts * width
    if not devices or end > len(data):
        raise FormatError("the rows of a set are cut off, or a home has no device")
    accounts = range(at + _ADDRESS + 1, middle, _ADDRESS)
    row = HomeRow(
        owner=to_account(head[:_ADDRESS]),
        devices=tuple(to_account(data[one : one + _ADDRESS]) for one in accounts),
        ciphertexts=tuple(data[one : one + width] for one in range(middle, end, width)),
    )
    return row, end


def _require_distinct(rows: Sequence[HomeRow]) -> None:
    if any(a.owner.lower() >= b.owner.lower() for a, b in pairwise(rows)):
        raise FormatError("the homes of a set ascend by owner, each once")
    devices = [device for row in rows for device in row.devices]
    if len(set(devices)) != len(devices):
        raise FormatError("a device stands in a set once")
