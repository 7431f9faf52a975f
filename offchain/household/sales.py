"""What is sold of a household's readings: to whom, what for, at what price, what its part is, and
what it can stop (protocol §2.5).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.chain.facts import ContractRevert, Receipt
from offchain.chain.gateway import ChainGateway
from offchain.errors import CryptoError
from offchain.index.asked import data_sets as asked
from offchain.index.asked import market as asked_market
from offchain.index.asked import members as asked_members
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.member.broadcast import purpose_text
from offchain.member.data_sets import PublishedDataSet, published_in
from offchain.member.errors import DataSetInvalid
from offchain.member.keys import MemberKeys
from offchain.member.names import PublicNames
from offchain.member.owners_lists import owned_rows
from offchain.member.roles import LockState
from offchain.records import owners
from offchain.records.owners import OwnersLeaf
from offchain.storage import ContentStore
from offchain.types import Account

MOST_DRAWS = 64  # of one `drawMany`
_log = logging.getLogger(__name__)
_NOT_ON_SALE = "DataSetBook_NotOnSale"


@dataclass(frozen=True, slots=True)
class OwnSale:
    """A lock on a data set with own readings. `part_wei`: what it brings, or brought, this
    household, if it settles; rounded down to whole wei a row.
    """

    lock_id: bytes
    buyer: Account
    purpose: str
    state: LockState
    price_wei: int
    part_wei: int
    is_ended: bool

    @property
    def is_sold(self) -> bool:
        """Whether the price was paid to the node and to the owners."""
        return self.state is LockState.SETTLED


@dataclass(frozen=True, slots=True)
class OwnDataSet:
    """A data set that holds readings of own devices, as the newest block has it.

    leaves: own devices' entries, with proofs. earned_wei: what own rows have earned in all;
    to_draw_wei: what of it was not drawn yet.
    """

    published: PublishedDataSet
    sale_until: int
    is_on_sale: bool
    leaves: tuple[OwnersLeaf, ...]
    earned_wei: int
    drawn_wei: int
    to_draw_wei: int
    sales: tuple[OwnSale, ...]

    @property
    def own_rows(self) -> int:
        """Return how many of the rows are own."""
        return sum(one.rows for one in self.leaves)

    def leaf_of(self, device: str) -> OwnersLeaf | None:
        """Return an own device's entry, None if it is not in it."""
        return next((one for one in self.leaves if one.device == device), None)


@dataclass(frozen=True, slots=True)
class UnknownDataSet:
    """A data set of which it cannot be said whether own readings are in it."""

    data_set_id: bytes
    processor: Account
    is_on_sale: bool
    why: str


@dataclass(frozen=True, slots=True)
class SeenSales:
    """All data sets with own readings, oldest first, and those that cannot be looked at."""

    data_sets: tuple[OwnDataSet, ...]
    unknown: tuple[UnknownDataSet, ...]

    @property
    def to_draw_wei(self) -> int:
        """Return what can be drawn in all."""
        return sum(one.to_draw_wei for one in self.data_sets)


@dataclass(frozen=True, slots=True)
class SaleEnd:
    """What became of a data set's sale after a withdrawal. `is_ended`: nobody can select it."""

    data_set_id: bytes
    is_ended: bool
    why: str


class Sales:
    """See and draw what own readings earn, and end sales that one withdrew from."""

    def __init__(
        self, *, gateway: ChainGateway, index: ChainIndex, store: ContentStore, keys: MemberKeys
    ) -> None:
        self._gateway, self._index, self._store, self._keys = gateway, index, store, keys

    def seen(self, *, everywhere: bool = False) -> SeenSales:
        """Return what is or was for sale of the readings of all devices that are or were own.

        `everywhere`: also of what other regions' nodes published, which an honest one never does;
        then the list of every data set on the chain is fetched.
        """
        newest = self._index.follower.catch_up()
        devices = asked_members.ever_owned(self._index, self._keys.address, newest)
        regions = {
            told["region_id"]
            for device in devices
            if (told := asked_members.member(self._index, device, newest)) is not None
        }
        found, unknown, now = list[OwnDataSet](), list[UnknownDataSet](), self._gateway.now()
        for told in asked.all_of_them(self._index, newest):
            if not everywhere and told["region_id"] not in regions:
                continue
            try:
                one = self._own(told, devices, newest, now)
            except (DataSetInvalid, CryptoError) as error:
                is_on_sale = told["sale_until"] > now
                unknown.append(
                    UnknownDataSet(told["data_set_id"], told["processor"], is_on_sale, str(error))
                )
                continue
            if one is not None:
                found.append(one)
        return SeenSales(tuple(found), tuple(unknown))

    def draw(self, seen: SeenSales | None = None) -> tuple[int, list[Receipt]]:
        """Make what own readings have earned withdrawable; return how much it was.

        What was drawn already gives nothing, whoever drew it. `seen`: as `seen` returned it.
        """
        seen = self.seen() if seen is None else seen
        due = [(one.published.data_set_id, leaf) for one in seen.data_sets for leaf in one.leaves]
        ids = {one.published.data_set_id for one in seen.data_sets if one.to_draw_wei}
        draws = [(data_set_id, leaf.words()) for data_set_id, leaf in due if data_set_id in ids]
        receipts, drawn_wei = list[Receipt](), 0
        for start in range(0, len(draws), MOST_DRAWS):
            some = draws[start : start + MOST_DRAWS]
            receipt = self._gateway.transact("DataSetBook", "drawMany", some)
            receipts.append(receipt)
            told = [one.args["amountWei"] for one in receipt.events if one.name == "Drawn"]
            drawn_wei += sum(told)
        return drawn_wei, receipts

    def end(self, device: str, *, everywhere: bool = False) -> list[SaleEnd]:
        """End the sale of every data set that holds a device from whose sale one withdrew; say of
        each what became of it. What was selected before goes on. `everywhere`: as `seen` has it.
        """
        seen, ends = self.seen(everywhere=everywhere), list[SaleEnd]()
        for one in seen.data_sets:
            leaf = one.leaf_of(device)
            if leaf is None:
                continue
            if one.is_on_sale:
                ends.append(self._end(one, leaf))
            ends += _going_on(one, PublicNames(self._index))
        ends += [
            SaleEnd(one.data_set_id, False, f"it may hold readings of yours: {one.why}")
            for one in seen.unknown
            if one.is_on_sale
        ]
        return ends

    # ---- inside

    def _own(self, told: Row, devices: Sequence[str], newest: int, now: int) -> OwnDataSet | None:
        published = published_in(told)
        if not published.is_proven(self._gateway):
            raise DataSetInvalid("what the chain node told of it is not what its key signed")
        owned = owned_rows(self._store, published)
        mine = {one.device for one in owned} & set(devices)
        leaves = [owners.prove(owned, Account(device)) for device in sorted(mine)]
        own = tuple(one for one in leaves if one is not None)
        if not own:
            return None
        draws = asked.draws_of(self._index, published.data_set_id, newest)
        drawn = {one["device"]: one["per_row_wei"] for one in draws}
        per_row_wei, rows = told["per_row_wei"], sum(one.rows for one in own)
        to_draw = (one.rows * (per_row_wei - drawn.get(one.device, 0)) for one in own)
        return OwnDataSet(
            published=published,
            sale_until=told["sale_until"],
            is_on_sale=told["sale_until"] > now,
            leaves=own,
            earned_wei=rows * per_row_wei,
            drawn_wei=sum(one["amount_wei"] for one in draws if one["device"] in mine),
            to_draw_wei=min(sum(to_draw), told["pot_wei"]),
            sales=self._sales(published, rows, newest),
        )

    def _sales(self, published: PublishedDataSet, rows: int, newest: int) -> tuple[OwnSale, ...]:
        found = []
        for lock in asked.locks_on(self._index, published.data_set_id, newest):
            broadcast = asked_market.broadcast(self._index, lock["broadcast_id"], newest)
            owners_wei = lock["price_wei"] * lock["owners_bps"] // 10_000
            found.append(
                OwnSale(
                    lock_id=lock["lock_id"],
                    buyer=Account(lock["payer"]),
                    purpose="" if broadcast is None else purpose_text(broadcast["purpose"]),
                    state=LockState(lock["state"]),
                    price_wei=lock["price_wei"],
                    part_wei=owners_wei // published.row_count * rows,
                    is_ended=lock["is_ended"],
                )
            )
        return tuple(found)

    def _end(self, one: OwnDataSet, leaf: OwnersLeaf) -> SaleEnd:
        data_set_id = one.published.data_set_id
        try:
            self._gateway.transact("DataSetBook", "retireFor", data_set_id, leaf.words())
        except ContractRevert as revert:
            if revert.name == _NOT_ON_SALE:  # the node, or somebody else, was faster
                return SaleEnd(data_set_id, True, "its sale had been ended already")
            _log.debug("the sale goes on: %s", revert)
            return SaleEnd(data_set_id, False, revert.sentence)
        return SaleEnd(data_set_id, True, "its sale is ended: nobody can select it any more")


def _going_on(one: OwnDataSet, names: PublicNames) -> list[SaleEnd]:
    """Say which sales of a data set a withdrawal does not stop."""
    return [
        SaleEnd(
            one.published.data_set_id,
            False,
            f"the sale to {names.beside(sale.buyer)} ({sale.purpose}) goes on: it was selected "
            "before",
        )
        for sale in one.sales
        if not sale.is_ended
    ]
