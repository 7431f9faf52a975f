"""Open a bought data set: [k]H → manifest → companion and ciphertexts (protocol §2.5,
docs/formats.md §12).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.crypto import box, kdf
from offchain.crypto.curve import G1
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.errors import CryptoError, RecordError, StorageError
from offchain.member.data_sets import PublishedDataSet
from offchain.member.errors import DataSetInvalid, DataSetNotServed
from offchain.records import ciphertexts as ciphertext_file
from offchain.records import contexts, dataset, owners
from offchain.records.dataset import Companion, FileRef, Manifest
from offchain.storage import ContentStore
from offchain.storage.errors import ObjectMalformed, says_nothing

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenedDataSet:
    """A data set under its key: still encrypted rows, everything else in the clear.

    owners_file: the bytes that were published as its owners' list, None if nobody serves them.
    """

    published: PublishedDataSet
    manifest: Manifest
    companion: Companion
    ciphertext_bytes: bytes = field(repr=False)
    private_key: PaillierPrivateKey
    owners_file: bytes | None = field(default=None, repr=False)


def open_data_set(
    published: PublishedDataSet,
    group_secret: G1,
    *,
    gateway: ChainGateway,
    store: ContentStore,
    paillier_bits: int | None,
) -> OpenedDataSet:
    """Fetch and open manifest, companion and ciphertext file.

    Raises DataSetInvalid, naming what is wrong, and DataSetNotServed when bytes cannot be had;
    StoreUnavailable, and ObjectCorrupt of one's own store, as they are: nothing is known then.
    """
    where: dict[str, Any] = {
        "chain_id": gateway.chain_id,
        "data_sets": gateway.deployment.address("DataSetBook"),
        "data_set_id": published.data_set_id,
    }
    try:
        manifest = dataset.decode_manifest(
            box.open_sealed(
                kdf.manifest_key(group_secret, published.data_set_id),
                store.get(published.manifest_digest, max_bytes=published.manifest_length),
                context=contexts.manifest(**where),
            )
        )
        _require_same(manifest, published)
        _require_room(manifest)
        ciphertext_bytes = _fetch(store, manifest.ciphertexts)
        companion = dataset.decode_companion(
            box.open_sealed(
                kdf.companion_key(group_secret, published.data_set_id),
                _fetch(store, manifest.companion),
                context=contexts.companion(**where),
            ),
            max_rows=manifest.rows,
            listed=ciphertext_file.listed_rows(ciphertext_bytes),
        )
        private_key = PaillierPrivateKey.from_bytes(manifest.paillier_private, bits=paillier_bits)
    except (ObjectMalformed, CryptoError, RecordError) as error:
        raise DataSetInvalid(
            f"data set {published.data_set_id.hex()} does not open: {error}"
        ) from error
    except StorageError as error:
        if says_nothing(error):
            raise
        raise DataSetNotServed(
            f"data set {published.data_set_id.hex()} does not open: {error}"
        ) from error
    owners_file = _owners_file(store, published)
    return OpenedDataSet(published, manifest, companion, ciphertext_bytes, private_key, owners_file)


def _owners_file(store: ContentStore, published: PublishedDataSet) -> bytes | None:
    """Return the published owners' list: it only helps to name what is wrong in it."""
    try:
        length = owners.length_of(published.device_count)
        return store.get(published.owners_digest, max_bytes=length)
    except StorageError as error:
        _log.debug("no owners' list of %s: %s", published.data_set_id.hex(), error)
        return None


def _fetch(store: ContentStore, file: FileRef) -> bytes:
    # The audit checks the hash of the whole object, and names the rows that are wrong.
    return store.get(file.digest, max_bytes=file.length)


def _require_room(manifest: Manifest) -> None:
    """The rows are the seller's word, and what a small companion may unpack to."""
    if manifest.rows > manifest.ciphertexts.length // dataset.COMMITMENT_BYTES:
        raise DataSetInvalid(
            f"{manifest.rows} rows do not fit a ciphertext file of {manifest.ciphertexts.length} "
            f"bytes: each has {dataset.COMMITMENT_BYTES} bytes there"
        )


def _require_same(manifest: Manifest, published: PublishedDataSet) -> None:
    said = (
        manifest.data_set_id,
        manifest.processor,
        manifest.kind,
        manifest.from_s,
        manifest.to_s,
        manifest.rows,
    )
    registered = (
        published.data_set_id,
        published.processor,
        published.kind,
        published.window_from,
        published.window_to,
        published.row_count,
    )
    if said != registered:
        raise DataSetInvalid("the manifest describes another data set than the ledger")
