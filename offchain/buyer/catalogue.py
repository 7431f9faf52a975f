"""What is for sale now, by whom and on what record: from the chain alone, before any broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.buyer.history import SellingHistory, history_of
from offchain.chain.gateway import ChainGateway
from offchain.index.asked import data_sets as asked
from offchain.index.asked import members
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.types import SECONDS_PER_DAY, Account, Role


@dataclass(frozen=True, slots=True)
class ForSale:
    """A data set on sale; the window is [window_from, window_to) in unix seconds.

    meters: of how many devices it holds readings. asked_wei: the last price asked for it, or by its
    node for another; None if the node never answered a broadcast. sold_times: how often it was
    sold. credit: the node's, now.
    """

    data_set_id: bytes
    processor: Account
    region_id: bytes
    window_from: int
    window_to: int
    kind: int
    rows: int
    meters: int
    sale_until: int
    asked_wei: int | None
    sold_times: int
    credit: int
    history: SellingHistory

    @property
    def days(self) -> int:
        """Return how many UTC days its window has."""
        return (self.window_to - self.window_from) // SECONDS_PER_DAY


def catalogue(
    gateway: ChainGateway,
    index: ChainIndex,
    *,
    regions: Sequence[bytes] = (),
    window_from: int = 0,
    window_to: int = 2**40,
    kind: int | None = None,
) -> list[ForSale]:
    """Return what may be selected now, as the newest block has it: of some regions, that overlaps a
    window, of a kind; by the node's credit from high to low, then oldest first.
    """
    newest = index.follower.catch_up()
    active = {one["account"] for one in members.active(index, Role.PROCESSOR, newest)}
    told = [
        one
        for one in asked.on_sale(index, newest, now=gateway.now())
        if one["processor"] in active  # who was revoked is selected by nobody
        and (not regions or one["region_id"] in regions)
        and one["window_from"] < window_to
        and window_from < one["window_to"]
        and kind in (None, one["kind"])
    ]
    sellers = list(dict.fromkeys(one["processor"] for one in told))
    credits = gateway.call_many([("CreditBook", "creditOf", (one,)) for one in sellers], "latest")
    credit = dict(zip(sellers, map(int, credits), strict=True))
    histories = {one: history_of(index, Account(one), newest) for one in sellers}
    found = [
        _for_sale(index, one, newest, credit[one["processor"]], histories[one["processor"]])
        for one in told
    ]
    return sorted(found, key=lambda one: -one.credit)


def _for_sale(
    index: ChainIndex, told: Row, newest: int, credit: int, history: SellingHistory
) -> ForSale:
    data_set_id, processor = told["data_set_id"], told["processor"]
    offers = asked.offers_of(index, processor, newest)
    of_this = [one for one in offers if one["data_set_id"] == data_set_id]
    standing = of_this or offers
    return ForSale(
        data_set_id=data_set_id,
        processor=processor,
        region_id=told["region_id"],
        window_from=told["window_from"],
        window_to=told["window_to"],
        kind=told["kind"],
        rows=told["row_count"],
        meters=told["device_count"],
        sale_until=told["sale_until"],
        asked_wei=standing[-1]["price_wei"] if standing else None,
        sold_times=sum(map(asked.is_sale, asked.locks_on(index, data_set_id, newest))),
        credit=credit,
        history=history,
    )
