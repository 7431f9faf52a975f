"""The region's prices as the chain has them: the entries, held against the contract, and the
documents, held against their digests (protocol §3).

The entries come from the tables, as far back as they are asked for: no archive of states is needed.
The contract has one word for all of them, so that a list which lacks one, or has one more, shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial

from eth_hash.auto import keccak

from offchain.billing.book import Book, Booked, BookEntry, BookSeries, look_up
from offchain.billing.registers import Span
from offchain.chain.gateway import ChainReader
from offchain.errors import DocumentMissing, StorageError, TariffError
from offchain.index.asked import tariffs as asked
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.member.errors import BookUnlike
from offchain.member.registration import region_name
from offchain.storage import ContentStore
from offchain.storage.errors import ObjectMalformed, ObjectTooLarge

MAX_DOCUMENT_BYTES = 2**18  # one block of a content store: its digest is then the document's


class TariffBook:
    """Read a region's book as a member. `store` is where the documents are."""

    def __init__(self, gateway: ChainReader, index: ChainIndex, store: ContentStore) -> None:
        self._gateway, self._index, self._store = gateway, index, store

    def look_up(self, region_id: bytes, product: str, window: Span, *, as_of_block: int) -> Booked:
        """Find what holds in a window, unix seconds, by what the book said as of a block.

        Later entries, corrections among them, change nothing in it. Raises as `at` and as
        `offchain.billing.book.look_up`.
        """
        return look_up(self.at(region_id, product, as_of_block=as_of_block), window)

    def at(self, region_id: bytes, product: str, *, as_of_block: int) -> Book:
        """Return what the book said of a product as of a block, whole and in order.

        Raises BookUnlike where the tables' list is not the contract's, IndexBehind also where the
        chain has no such block yet.
        """
        newest = self._index.follower.catch_up()
        if as_of_block > newest:
            raise IndexBehind(newest, as_of_block)

        def series_of(name: str) -> Sequence[BookSeries]:
            return self._series(region_id, name, newest, as_of_block)

        return Book(
            region=region_name(region_id),
            product=product,
            as_of_block=as_of_block,
            entries=self._entries(region_id, product, newest, as_of_block),
            series_of=series_of,
            document_of=partial(document_of, self._store),
        )

    def _entries(
        self, region_id: bytes, product: str, newest: int, as_of_block: int
    ) -> list[BookEntry]:
        key = name_key(product)
        rows = asked.entries_of(self._index, region_id, key, newest)
        head = bytes(self._gateway.call("TariffBook", "headOf", region_id, key, block=newest))
        _require_head(head, tariff_head(rows), f"the product {product!r}", newest)
        return [entry_of(row) for row in rows if row["block"] <= as_of_block]

    def _series(
        self, region_id: bytes, name: str, newest: int, as_of_block: int
    ) -> list[BookSeries]:
        key = name_key(name)
        rows = asked.series_of(self._index, region_id, key, newest)
        head = bytes(self._gateway.call("TariffBook", "seriesHeadOf", region_id, key, block=newest))
        _require_head(head, series_head(rows), f"the price series {name!r}", newest)
        return [series_of(row) for row in rows if row["block"] <= as_of_block]


def document_of(store: ContentStore, digest: str) -> bytes:
    """Return the bytes with a digest (hex). Raises DocumentMissing, and TariffError where what has
    this digest is no document.
    """
    try:
        data = store.get(bytes.fromhex(digest), max_bytes=MAX_DOCUMENT_BYTES)
    except (ObjectTooLarge, ObjectMalformed) as error:
        raise TariffError(f"no document has this digest: {error}") from error
    except StorageError as error:
        raise DocumentMissing(digest, str(error)) from error
    if hashlib.sha256(data).hexdigest() != digest:  # an index of blocks has this digest
        raise TariffError("no document has this digest: it is that of a list of blocks")
    return data


def name_key(name: str) -> bytes:
    """Return what a product or a price series of this name is found by on chain."""
    return keccak(name.encode())


def tariff_head(rows: Sequence[Row]) -> bytes:
    """Return the word that the contract has for these tariffs, in their order."""
    head = bytes(32)
    for row in rows:
        head = _after(head, row, (row["valid_from"], row["valid_to"], row["appended_at"]))
    return head


def series_head(rows: Sequence[Row]) -> bytes:
    """Return the word that the contract has for these price series, in their order."""
    head = bytes(32)
    for row in rows:
        slots = (row["starts_at"], row["ends_at"], row["resolution_s"])
        head = _after(head, row, (*slots, row["published_at"]))
    return head


def entry_of(row: Row) -> BookEntry:
    """Return an entry out of the tables."""
    return BookEntry(
        digest=row["digest"].hex(),
        valid_from=row["valid_from"],
        valid_to=row["valid_to"] or None,
        appended_at=row["appended_at"],
        block=row["block"],
        is_correction=row["is_correction"],
    )


def series_of(row: Row) -> BookSeries:
    """Return a published series out of the tables."""
    return BookSeries(
        digest=row["digest"].hex(),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        resolution_s=row["resolution_s"],
        published_at=row["published_at"],
        block=row["block"],
        is_correction=row["is_correction"],
    )


def _after(head: bytes, row: Row, said: tuple[int, ...]) -> bytes:
    """As `abi.encode` lays it out: each value is one word (docs/formats.md §18)."""
    words = b"".join(one.to_bytes(32) for one in (*said, row["block"], row["is_correction"]))
    return keccak(head + row["digest"] + words)


def _require_head(head: bytes, ours: bytes, what: str, block: int) -> None:
    if head != ours:
        raise BookUnlike(what, block)
