"""Data sets: as they were published, checked by themselves; and, as the contract says, until when
each is for sale and what it has earned its owners.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from offchain.chain.gateway import BlockId, ChainGateway
from offchain.chain.pairing import configured_pairing
from offchain.crypto import messages, sharing
from offchain.crypto.curve import G1, G2
from offchain.errors import CryptoError
from offchain.index.asked import data_sets as asked
from offchain.index.asked.rows import LogPlace, Row
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import DataSetInvalid
from offchain.member.registration import NO_ADDRESS
from offchain.types import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What is published of a data set, as `IDataSetBook.Publication` has it, in its order.

    The window is [window_from, window_to) in unix seconds, both UTC midnights; `sale_until` is
    exclusive.
    """

    window_from: int
    window_to: int
    sale_until: int
    kind: int
    row_count: int
    device_count: int
    manifest_length: int
    readings_root: bytes
    manifest_digest: bytes
    owners_root: bytes
    owners_digest: bytes
    key_commitment: G2

    def words(self) -> tuple[Any, ...]:
        """Return it as it is signed and sent."""
        *others, key_commitment = (getattr(self, one.name) for one in fields(Publication))
        return (*others, key_commitment.words())


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDataSet(Publication):
    """A published data set. `sale_until` is what was published: it may have been retired since.

    place: of the event that published it; a reorganisation may move it, and it is the same still.
    """

    data_set_id: bytes
    processor: Account
    region_id: bytes
    key_possession: G1
    place: LogPlace = field(compare=False)

    def is_proven(self, gateway: ChainGateway) -> bool:
        """Whether the id commits to the key, and the key signed every field for this processor: so
        nobody who tells of it can lie.
        """
        if self.data_set_id != data_set_id_of(gateway, self.key_commitment):
            return False
        message = messages.data_key_message(
            chain_id=gateway.chain_id,
            data_sets=gateway.deployment.address("DataSetBook"),
            processor=self.processor,
            data_set_id=self.data_set_id,
            publication_digest=messages.publication_digest(self.words()),
        )
        return sharing.verify_data_key(
            self.key_commitment,
            message,
            self.key_possession,
            pairing_check=configured_pairing(gateway),
        )


@dataclass(frozen=True, slots=True)
class Sale:
    """What a buyer asks about a data set first; it is on sale while now < sale_until."""

    processor: Account
    window_from: int
    window_to: int
    kind: int
    sale_until: int

    def overlaps(self, window_from: int, window_to: int) -> int:
        """Return how many seconds it shares with a window, 0 if none."""
        return max(0, min(self.window_to, window_to) - max(self.window_from, window_from))


@dataclass(frozen=True, slots=True)
class Earnings:
    """What a data set has earned its owners: a row in all, and what is still to be drawn."""

    per_row_wei: int
    pot_wei: int
    row_count: int
    device_count: int
    owners_root: bytes


def data_set_id_of(gateway: ChainGateway, key_commitment: G2) -> bytes:
    """Return the id of the data set with this key."""
    return messages.data_set_id(
        chain_id=gateway.chain_id,
        data_sets=gateway.deployment.address("DataSetBook"),
        key_commitment=key_commitment,
    )


def sale_of(gateway: ChainGateway, data_set_id: bytes, *, block: BlockId = "latest") -> Sale | None:
    """Return a data set's sale as of a block, None if no such data set was published by then."""
    value = gateway.call("DataSetBook", "offerOf", data_set_id, block=block)
    if value.processor == NO_ADDRESS:
        return None
    return Sale(value.processor, value.windowFrom, value.windowTo, value.kind, value.saleUntil)


def earnings_of(
    gateway: ChainGateway, data_set_id: bytes, *, block: BlockId = "latest"
) -> Earnings:
    """Return what a data set has earned as of a block; all zero if it is unknown."""
    value = gateway.call("DataSetBook", "earningsOf", data_set_id, block=block)
    return Earnings(
        value.perRowWei,
        value.potWei,
        value.rowCount,
        value.deviceCount,
        bytes(value.ownersRoot),
    )


def published_in(row: Row) -> PublishedDataSet:
    """Return a published data set as the tables tell it, not checked yet. Raises CryptoError."""
    return PublishedDataSet(
        data_set_id=row["data_set_id"],
        processor=row["processor"],
        region_id=row["region_id"],
        window_from=row["window_from"],
        window_to=row["window_to"],
        sale_until=row["published_until"],
        kind=row["kind"],
        row_count=row["row_count"],
        device_count=row["device_count"],
        manifest_length=row["manifest_length"],
        readings_root=row["readings_root"],
        manifest_digest=row["manifest_digest"],
        owners_root=row["owners_root"],
        owners_digest=row["owners_digest"],
        key_commitment=G2.from_bytes(row["key_commitment"]),
        key_possession=G1.from_bytes(row["key_possession"]),
        place=LogPlace(row["began_block"], row["began_log"]),
    )


def data_set_of(
    gateway: ChainGateway, index: ChainIndex, data_set_id: bytes, *, block: int | None = None
) -> PublishedDataSet:
    """Return a data set as it was published by a block of the tables, the newest if None.

    Raises DataSetInvalid if there is none of that id, or what is told of it is not what its key
    signed: then who told it lied.
    """
    newest = index.follower.catch_up()
    row = asked.data_set(index, data_set_id, newest if block is None else block)
    if row is None:
        raise DataSetInvalid(f"no data set {data_set_id.hex()} is published")
    try:
        published = published_in(row)
    except CryptoError as error:
        raise DataSetInvalid(_untrue(data_set_id)) from error
    if not published.is_proven(gateway):
        raise DataSetInvalid(_untrue(data_set_id))
    return published


def _untrue(data_set_id: bytes) -> str:
    return (
        f"what the chain node told of data set {data_set_id.hex()} is not what its key signed; ask "
        "another node, with an index of its own"
    )
