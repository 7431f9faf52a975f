"""The node's journal of the market: data sets for sale with their keys, and what was offered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from offchain.crypto.paillier import PaillierPrivateKey
from offchain.crypto.sharing import DataKey
from offchain.database import Store
from offchain.errors import StoreConflict
from offchain.node.tables import data_sets, ended_broadcasts, responses
from offchain.records import owners
from offchain.records.owners import OwnedRows
from offchain.types import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDataSet:
    """A data set with its secrets; `manifest` is the sealed bytes that are published, `owned` how
    many rows each device has; it is for sale until `sale_until` at most.
    """

    data_set_id: bytes
    data_key: DataKey
    paillier: PaillierPrivateKey
    from_s: int
    to_s: int
    rows: int
    readings_root: bytes
    manifest: bytes
    owned: tuple[OwnedRows, ...]
    sale_until: int
    price_wei: int
    published: bool

    @property
    def devices(self) -> list[Account]:
        """Return the devices whose readings are in it, by account."""
        return [one.device for one in self.owned]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """What was offered to a broadcast."""

    broadcast_id: bytes
    data_set_id: bytes
    price_wei: int


class DataSetTables(Store):
    """Data sets by their ids, and answers to broadcasts."""

    def put_data_set(
        self,
        *,
        data_set_id: bytes,
        data_key: DataKey,
        paillier: PaillierPrivateKey,
        from_s: int,
        to_s: int,
        rows: int,
        readings_root: bytes,
        manifest: bytes,
        owned: Sequence[OwnedRows],
        sale_until: int,
        price_wei: int,
    ) -> None:
        """Store a data set with its keys before it is published. Raises StoreConflict if known."""
        is_new = self._put_once(
            data_sets,
            data_set_id=data_set_id,
            data_key=data_key.to_bytes(),
            paillier=paillier.to_bytes(),
            from_s=from_s,
            to_s=to_s,
            row_count=rows,
            readings_root=readings_root,
            manifest=manifest,
            owners=owners.encode(owned),
            sale_until=sale_until,
            price_wei=str(price_wei),
            published=False,
        )
        if not is_new:
            raise StoreConflict("a data set of this id is stored already, with its own key")

    def drop_data_set(self, data_set_id: bytes) -> None:
        """Forget a data set that was never published, with its keys.

        Raises StoreConflict for an unknown or published one.
        """
        columns = data_sets.c
        self._change_one(
            data_sets.delete().where(
                columns.data_set_id == data_set_id, columns.published.is_(False)
            ),
            missing="no unpublished data set of this id is stored",
        )

    def set_published(self, data_set_id: bytes) -> None:
        """Note that a data set is on chain. Raises StoreConflict for an unknown one."""
        change = data_sets.update().where(data_sets.c.data_set_id == data_set_id)
        self._change_one(change.values(published=True), missing="no such data set is stored here")

    def data_set(self, data_set_id: bytes) -> StoredDataSet | None:
        """Return a data set by its id."""
        row = self._first(select(data_sets).where(data_sets.c.data_set_id == data_set_id))
        return None if row is None else _data_set(row)

    def data_sets(self) -> list[StoredDataSet]:
        """Return all data sets, oldest first."""
        query = select(data_sets).order_by(data_sets.c.position)
        return [_data_set(row) for row in self._all(query)]

    def put_response(self, broadcast_id: bytes, *, data_set_id: bytes, price_wei: int) -> None:
        """Note what a broadcast is answered with, before that is sent; it is answered once.

        The same again changes nothing. Raises StoreConflict for another offer.
        """
        self._put_once(
            responses,
            broadcast_id=broadcast_id,
            data_set_id=data_set_id,
            price_wei=str(price_wei),
        )
        wanted = StoredResponse(
            broadcast_id=broadcast_id, data_set_id=data_set_id, price_wei=price_wei
        )
        if self.response(broadcast_id) != wanted:
            raise StoreConflict("this broadcast was answered with another offer")

    def response(self, broadcast_id: bytes) -> StoredResponse | None:
        """Return what a broadcast was answered with."""
        row = self._first(select(responses).where(responses.c.broadcast_id == broadcast_id))
        if row is None:
            return None
        return StoredResponse(
            broadcast_id=broadcast_id, data_set_id=row.data_set_id, price_wei=int(row.price_wei)
        )

    def unended_responses(self) -> list[bytes]:
        """Return the broadcasts that were answered and not known to have ended, oldest first."""
        broadcast_id = responses.c.broadcast_id
        is_open = broadcast_id.not_in(select(ended_broadcasts.c.broadcast_id))
        query = select(broadcast_id).where(is_open).order_by(responses.c.position)
        return [row[0] for row in self._all(query)]

    def end_broadcast(self, broadcast_id: bytes) -> None:
        """Note that a broadcast has ended for this node; a repeat changes nothing."""
        self._put_once(ended_broadcasts, broadcast_id=broadcast_id)


def _data_set(row: Row[Any]) -> StoredDataSet:
    return StoredDataSet(
        data_set_id=row.data_set_id,
        data_key=DataKey.from_bytes(row.data_key),
        paillier=PaillierPrivateKey.from_bytes(row.paillier, bits=None),
        from_s=row.from_s,
        to_s=row.to_s,
        rows=row.row_count,
        readings_root=row.readings_root,
        manifest=row.manifest,
        owned=owners.decode(row.owners),
        sale_until=row.sale_until,
        price_wei=int(row.price_wei),
        published=row.published,
    )
