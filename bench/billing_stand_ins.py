"""The chain and its book of prices for `bench.billing_audit`: asking them costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.billing_inputs import SPOT, months, richest, spot_prices
from offchain.billing import book
from offchain.billing.book import Book, Booked, BookEntry, BookSeries
from offchain.billing.registers import Span
from offchain.index.errors import IndexBehind
from offchain.member.tariff_documents import series_offer, tariff_offer
from offchain.records import batch as batches
from offchain.types import Batch

CHAIN_ID, BLOCK, REGION, PRODUCT = 31337, 1, bytes(32), "richest"


class Anchored:
    """A chain on which these batches are anchored: what node and audit ask of it, at no cost."""

    chain_id, confirmations = CHAIN_ID, 0

    def __init__(self, made: Sequence[Batch]) -> None:
        self._anchors = {one.from_seq: batches.anchor_hash(one) for one in made}
        self._next_seq = made[-1].next_seq

    def final(self, depth: int | None = None) -> int:
        return BLOCK

    def call_many(self, calls: Sequence[Any], block: object = None) -> list[bytes]:
        return [self._anchors.get(seq, bytes(32)) for _, _, (_, seq) in calls]

    def call(self, contract: str, function: str, *args: object, block: object = None) -> Any:
        return self._next_seq if function == "nextSeqOf" else ((0, REGION), 0)


class NoTables:
    """The chain in tables is not asked: in which blocks a lock's steps stand stays unknown."""

    @property
    def follower(self) -> Any:
        raise IndexBehind(0, BLOCK)


class Shelf:
    """The book of one product and of a price series a month, with the documents at hand."""

    def __init__(self) -> None:
        tariff = tariff_offer(richest({"name": SPOT}))
        series = [series_offer(spot_prices(month)) for month in months()]
        documents = {one.document.digest: one.data for one in (tariff, *series)}
        entry = BookEntry(
            digest=tariff.document.digest,
            valid_from=tariff.begins_at,
            valid_to=None,
            appended_at=0,
            block=0,
            is_correction=False,
        )
        published = [
            BookSeries(
                digest=one.digest,
                starts_at=one.start,
                ends_at=one.end,
                resolution_s=one.resolution_s,
                published_at=0,
                block=0,
                is_correction=False,
            )
            for one in (offer.document for offer in series)
        ]
        self._book = Book(
            region="bench",
            product=PRODUCT,
            as_of_block=BLOCK,
            entries=[entry],
            series_of=lambda _: published,
            document_of=documents.__getitem__,
        )

    def look_up(self, region_id: bytes, product: str, window: Span, *, as_of_block: int) -> Booked:
        return book.look_up(self._book, window)
