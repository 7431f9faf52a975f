"""Data sets as the chain stores them."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import BlockId, ChainGateway
from offchain.member.errors import DataSetInvalid
from offchain.member.registration import NO_ADDRESS
from offchain.types import Account


@dataclass(frozen=True, slots=True)
class PublishedDataSet:
    """A data set on the ledger; the window is [window_from, window_to) in unix seconds."""

    data_set_id: bytes
    processor: Account
    window_from: int
    window_to: int
    kind: int
    row_count: int
    manifest_length: int
    region_id: bytes
    readings_root: bytes
    manifest_digest: bytes
    key_hash: bytes

    def overlaps(self, window_from: int, window_to: int) -> int:
        """Return how many seconds it shares with a window, 0 if none."""
        return max(0, min(self.window_to, window_to) - max(self.window_from, window_from))


def find_data_set(
    gateway: ChainGateway, data_set_id: bytes, *, block: BlockId = "latest"
) -> PublishedDataSet | None:
    """Return the published data set as of a block, or None if the ledger has none of that id."""
    value = gateway.call("DataLedger", "dataSetOf", data_set_id, block=block)
    if value.processor == NO_ADDRESS:
        return None
    return PublishedDataSet(
        data_set_id=data_set_id,
        processor=value.processor,
        window_from=value.windowFrom,
        window_to=value.windowTo,
        kind=value.kind,
        row_count=value.rowCount,
        manifest_length=value.manifestLength,
        region_id=bytes(value.regionId),
        readings_root=bytes(value.readingsRoot),
        manifest_digest=bytes(value.manifestDigest),
        key_hash=bytes(value.keyHash),
    )


def data_set_of(
    gateway: ChainGateway, data_set_id: bytes, *, block: BlockId = "latest"
) -> PublishedDataSet:
    """Return the published data set. Raises DataSetInvalid if the ledger has none of that id."""
    found = find_data_set(gateway, data_set_id, block=block)
    if found is None:
        raise DataSetInvalid(f"no data set {data_set_id.hex()} is published")
    return found
