"""The files of a data set: what a buyer needs to rebuild every reading (docs/formats.md §12).

The ciphertext file is in `offchain.records.ciphertexts`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.crypto import box
from offchain.crypto.curve import G1
from offchain.errors import FormatError, RebuildError
from offchain.records import batch as batch_codec
from offchain.records import canonical_json, fields, inflate, packed, reading
from offchain.records.points import point
from offchain.records.reading import MAX_TIME_S
from offchain.types import SECONDS_PER_DAY, Account, Batch, Reading

KIND_FULL_READINGS = 1
MAX_COMPANION_BYTES = 2**26
MAX_CIPHERTEXT_BYTES = 2**28
MAX_COMPANION_JSON_BYTES = 2**27
_JSON_RATIO = 6  # keys and roots are random: honest companions unpack to three times their size
_FREE_JSON_BYTES = 2**16
MAX_MANIFEST_BYTES = 16_384
MAX_DEVICES = 10_000
MAX_DEVICE_ROWS = 2**20
COMMITMENT_BYTES = 32  # M' of each row in the ciphertext file
MAX_PAILLIER_KEY_BYTES = 1_100
VALUES_A_ROW = 2  # import and export
_VALUE_LIMIT = 2**20
_DEVICE_NAMES = "packed first_import_wh first_export_wh batches nonce_keys"

RowValues = tuple[int, int]  # import and export of the interval that ends with a row, in Wh


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CompanionDevice:
    """All of one device's readings but energies and nonces; batches cover them exactly."""

    packed: packed.Packed
    first_import_wh: int
    first_export_wh: int
    batches: tuple[Batch, ...]
    nonce_keys: dict[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """The devices by ascending account, and the aggregate of their signatures of batch roots."""

    devices: tuple[CompanionDevice, ...]
    aggregate_signature: G1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    """A stored file: content identifier's digest, length, and SHA-256 of the whole object."""

    digest: bytes
    length: int
    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Manifest:
    """What opens a data set: its Paillier private key and its files. Not shown by repr."""

    data_set_id: bytes
    processor: Account
    kind: int
    from_s: int
    to_s: int
    rows: int
    paillier_private: bytes
    ciphertexts: FileRef
    companion: FileRef


def interval_values(readings: Sequence[Reading]) -> list[RowValues]:
    """Return the row values of one device: registers less the previous row's, 0 for the first row.

    Raises FormatError for a register that falls or steps by 2^20 Wh or more.
    """
    values = [(0, 0)] if readings else []
    for before, after in itertools.pairwise(readings):
        row = (after.import_wh - before.import_wh, after.export_wh - before.export_wh)
        for name, step_wh in zip(("import", "export"), row, strict=True):
            if not 0 <= step_wh < _VALUE_LIMIT:
                # No energy is named: who is left out for this is named in logs.
                how = "falls" if step_wh < 0 else "steps by 2^20 Wh or more"
                raise FormatError(f"its {name} register {how} to reading {after.seq}")
        values.append(row)
    return values


def registers(device: CompanionDevice, values: Sequence[RowValues]) -> packed.Registers:
    """Return the registers of consecutive rows from the first ones and the row values."""
    imports, exports = ([row[column] for row in values] for column in range(VALUES_A_ROW))
    return packed.Registers(
        imports_wh=_summed(device.first_import_wh, imports),
        exports_wh=_summed(device.first_export_wh, exports),
    )


def rebuild_device(
    device: CompanionDevice, values: Sequence[RowValues], *, chain_id: int
) -> list[Reading]:
    """Rebuild a device's readings from its companion and the decrypted row values.

    Raises RebuildError when rows or nonce keys are missing, or the first values are not 0.
    """
    if len(values) != device.packed.count or values[0] != (0, 0):
        raise RebuildError(
            f"expected {device.packed.count} row values, the first 0, for {device.packed.device}"
        )
    return packed.rebuild(
        device.packed,
        chain_id=chain_id,
        nonce_keys=device.nonce_keys,
        registers=registers(device, values),
    )


def encode_companion(companion: Companion) -> bytes:
    """Encode and compress a companion file (not yet boxed). Raises FormatError."""
    obj = {
        "v": 1,
        "devices": [_device_to_json(device) for device in companion.devices],
        "aggregate_signature": companion.aggregate_signature.to_bytes().hex(),
    }
    return inflate.deflate(canonical_json.dumps(obj))


def decode_companion(
    data: bytes, *, max_rows: int, listed: Sequence[tuple[Account, int]] | None = None
) -> Companion:
    """Decode a companion file (out of its box) of at most `max_rows` readings in all.

    listed: the devices and their rows as the ciphertext file has them, with 32 bytes a row; others
    are refused before a column is unpacked, so that a small file costs no more than was fetched.
    None: not compared. Raises FormatError.
    """
    if len(data) > MAX_COMPANION_BYTES:
        raise FormatError(f"a companion file has at most {MAX_COMPANION_BYTES} bytes")
    max_json_bytes = min(MAX_COMPANION_JSON_BYTES, _FREE_JSON_BYTES + _JSON_RATIO * len(data))
    plain = inflate.inflate(data, max_bytes=max_json_bytes)
    value = canonical_json.loads(plain, max_bytes=max_json_bytes)
    obj = fields.versioned(value, "devices aggregate_signature", what="a companion file")
    items = fields.sequence(obj["devices"], "devices", min_items=1, max_items=MAX_DEVICES)
    if listed is not None:
        _require_listed(items, listed)
    devices: list[CompanionDevice] = []
    for item in items:
        devices.append(_device_from_json(item, max_rows))
        max_rows -= devices[-1].packed.count
    accounts = [device.packed.device.lower() for device in devices]
    if sorted(set(accounts)) != accounts:
        raise FormatError("the devices of a companion file ascend by account")
    return Companion(
        devices=tuple(devices),
        aggregate_signature=point(obj["aggregate_signature"], "aggregate_signature"),
    )


def encode_manifest(manifest: Manifest) -> bytes:
    """Encode a manifest (not yet boxed); raises FormatError for what `decode_manifest` refuses."""
    obj = {
        "v": 1,
        "data_set": manifest.data_set_id.hex(),
        "processor": fields.from_account(manifest.processor),
        "kind": manifest.kind,
        "window": [manifest.from_s, manifest.to_s],
        "rows": manifest.rows,
        "paillier_private": manifest.paillier_private.hex(),
        "files": {
            "ciphertexts": _file_to_json(manifest.ciphertexts),
            "companion": _file_to_json(manifest.companion),
        },
    }
    data = canonical_json.dumps(obj)
    decode_manifest(data)
    return data


def decode_manifest(data: bytes) -> Manifest:
    """Decode a manifest (out of its box). Raises FormatError."""
    names = "data_set processor kind window rows paillier_private files"
    value = canonical_json.loads(data, max_bytes=MAX_MANIFEST_BYTES)
    obj = fields.versioned(value, names, what="a manifest")
    from_s, to_s = _window(*fields.sequence(obj["window"], "window", min_items=2, max_items=2))
    files = fields.members(obj["files"], "ciphertexts companion", what="files")
    return Manifest(
        data_set_id=fields.from_hex(obj["data_set"], "data_set", length=32),
        processor=fields.account(obj["processor"], "processor"),
        kind=fields.integer(obj["kind"], "kind", low=1, high=2**16 - 1),
        from_s=from_s,
        to_s=to_s,
        rows=fields.integer(obj["rows"], "rows", low=1, high=fields.UINT32),
        paillier_private=fields.from_hex(
            obj["paillier_private"], "paillier_private", max_bytes=MAX_PAILLIER_KEY_BYTES
        ),
        ciphertexts=_file_from_json(files["ciphertexts"], MAX_CIPHERTEXT_BYTES),
        companion=_file_from_json(files["companion"], MAX_COMPANION_BYTES + box.OVERHEAD),
    )


def _summed(first_wh: int, steps_wh: Sequence[int]) -> tuple[int, ...]:
    return tuple(itertools.accumulate(steps_wh, initial=first_wh))[1:]


def _device_to_json(device: CompanionDevice) -> fields.Json:
    return {
        "packed": packed.to_json(device.packed),
        "first_import_wh": device.first_import_wh,
        "first_export_wh": device.first_export_wh,
        "batches": [[batch.from_seq, batch.count, batch.root.hex()] for batch in device.batches],
        "nonce_keys": fields.from_days(device.nonce_keys),
    }


def _require_listed(items: Sequence[object], listed: Sequence[tuple[Account, int]]) -> None:
    said = []
    for item in items:
        obj = fields.members(item, _DEVICE_NAMES, what="a device of a companion file")
        said.append(packed.said_rows(obj["packed"]))
    if said != list(listed):
        raise FormatError("ciphertexts and companion list other devices or rows")


def _device_from_json(value: object, max_rows: int) -> CompanionDevice:
    obj = fields.members(value, _DEVICE_NAMES, what="a device of a companion file")
    columns = packed.from_json(
        obj["packed"], with_registers=False, max_rows=min(max_rows, MAX_DEVICE_ROWS)
    )
    items = fields.sequence(obj["batches"], "batches", max_items=columns.count)
    batches = tuple(_batch(item, columns.device) for item in items)
    packed.check_tiled(columns, [(batch.from_seq, batch.count) for batch in batches])
    return CompanionDevice(
        packed=columns,
        first_import_wh=_register(obj, "first_import_wh"),
        first_export_wh=_register(obj, "first_export_wh"),
        batches=batches,
        nonce_keys=fields.days(obj["nonce_keys"], "nonce_keys", max_items=columns.count),
    )


def _register(obj: fields.Json, name: str) -> int:
    return fields.integer(obj[name], name, high=reading.MAX_ENERGY_WH)


def _batch(value: object, device: Account) -> Batch:
    from_seq, count, root = fields.sequence(value, "a batch", min_items=3, max_items=3)
    return Batch(
        device=device,
        from_seq=fields.integer(from_seq, "from_seq", low=1),
        count=fields.integer(count, "count", low=1, high=batch_codec.MAX_COUNT),
        root=fields.from_hex(root, "root", length=32),
    )


def _file_to_json(file: FileRef) -> fields.Json:
    return {"digest": file.digest.hex(), "length": file.length, "sha256": file.sha256.hex()}


def _file_from_json(value: object, max_bytes: int) -> FileRef:
    # Whoever fetches the file sets this much memory aside on its seller's word.
    obj = fields.members(value, "digest length sha256", what="a file of a manifest")
    return FileRef(
        digest=fields.from_hex(obj["digest"], "digest", length=32),
        length=fields.integer(obj["length"], "length", low=1, high=max_bytes),
        sha256=fields.from_hex(obj["sha256"], "sha256", length=32),
    )


def _window(from_value: object, to_value: object) -> tuple[int, int]:
    """Return a window of whole UTC days, its end exclusive. Raises FormatError."""
    from_s = fields.integer(from_value, "from", high=MAX_TIME_S)
    to_s = fields.integer(to_value, "to", low=from_s + 1, high=MAX_TIME_S + SECONDS_PER_DAY)
    if from_s % SECONDS_PER_DAY or to_s % SECONDS_PER_DAY:
        raise FormatError("a window is whole UTC days: from and to are multiples of 86,400")
    return from_s, to_s
