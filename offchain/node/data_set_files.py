"""The files of a data set: Paillier ciphertexts with M', the companion, the manifest
(docs/formats.md §12).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.crypto import bls, box, kdf, merkle, paillier, sharing
from offchain.crypto.packed_ciphertext import encrypt_values
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.crypto.sharing import DataKey
from offchain.node.windows import HeldWindow
from offchain.records import ciphertexts as ciphertext_file
from offchain.records import contexts, dataset, owners, packed
from offchain.records.ciphertexts import CiphertextFile, DeviceCiphertexts
from offchain.records.dataset import Companion, CompanionDevice, FileRef, Manifest
from offchain.records.owners import OwnedRows
from offchain.records.reading import commitment_of
from offchain.storage import Cid
from offchain.types import Account


@dataclass(frozen=True)
class BuiltDataSet:
    """A data set ready to be stored and published. All files are what lies in the store, byte for
    byte: `manifest` and `companion` are sealed, `owners` is the public owners' list.
    """

    rows: int
    readings_root: bytes
    manifest: bytes
    ciphertexts: bytes
    companion: bytes
    owners: bytes

    @property
    def files(self) -> list[bytes]:
        """Return all files, the manifest last: who finds it finds what it names."""
        return [self.ciphertexts, self.companion, self.owners, self.manifest]


def build_data_set(
    windows: Sequence[HeldWindow],
    *,
    data_set_id: bytes,
    processor: Account,
    window: tuple[int, int],
    data_key: DataKey,
    paillier_key: PaillierPrivateKey,
    gateway: ChainGateway,
) -> BuiltDataSet:
    """Encrypt and seal the files of a data set; nothing is stored.

    `windows` are in ascending order of device accounts.
    """
    where: dict[str, Any] = {
        "chain_id": gateway.chain_id,
        "data_sets": gateway.deployment.address("DataSetBook"),
        "data_set_id": data_set_id,
    }
    secret = sharing.group_secret(data_key)
    commitments = [commitment_of(reading) for one in windows for reading in one.readings]
    companion = box.seal(
        kdf.companion_key(secret, data_set_id),
        dataset.encode_companion(_companion(windows)),
        context=contexts.companion(**where),
    )
    ciphertexts = ciphertext_file.encode_ciphertexts(_ciphertext_file(windows, paillier_key))
    manifest = Manifest(
        data_set_id=data_set_id,
        processor=processor,
        kind=dataset.KIND_FULL_READINGS,
        from_s=window[0],
        to_s=window[1],
        rows=len(commitments),
        paillier_private=paillier_key.to_bytes(),
        ciphertexts=_reference(ciphertexts),
        companion=_reference(companion),
    )
    sealed = box.seal(
        kdf.manifest_key(secret, data_set_id),
        dataset.encode_manifest(manifest),
        context=contexts.manifest(**where),
    )
    return BuiltDataSet(
        rows=len(commitments),
        readings_root=merkle.root(commitments),
        manifest=sealed,
        ciphertexts=ciphertexts,
        companion=companion,
        owners=owners.encode([OwnedRows(one.device, len(one.readings)) for one in windows]),
    )


def _companion(windows: Sequence[HeldWindow]) -> Companion:
    devices = tuple(
        CompanionDevice(
            packed=packed.of(one.readings, with_registers=False),
            first_import_wh=one.readings[0].import_wh,
            first_export_wh=one.readings[0].export_wh,
            batches=tuple(stored.batch for stored in one.batches),
            nonce_keys=one.nonce_keys,
        )
        for one in windows
    )
    signatures = [stored.signature for one in windows for stored in one.batches]
    return Companion(devices=devices, aggregate_signature=bls.aggregate(signatures))


def _ciphertext_file(windows: Sequence[HeldWindow], key: PaillierPrivateKey) -> CiphertextFile:
    return CiphertextFile(
        modulus=key.public_key.n_bytes(),
        devices=tuple(_device_ciphertexts(one, key) for one in windows),
    )


def _device_ciphertexts(window: HeldWindow, key: PaillierPrivateKey) -> DeviceCiphertexts:
    values = dataset.interval_values(window.readings)
    return DeviceCiphertexts(
        device=window.device,
        rows=len(values),
        ciphertexts=tuple(
            paillier.ciphertext_to_bytes(key.public_key, packed.ciphertext)
            for packed in encrypt_values(key, chain.from_iterable(values))
        ),
        commitments=tuple(commitment_of(reading) for reading in window.readings),
    )


def _reference(data: bytes) -> FileRef:
    digest = Cid.of_object(data).digest
    return FileRef(digest=digest, length=len(data), sha256=hashlib.sha256(data).digest())
