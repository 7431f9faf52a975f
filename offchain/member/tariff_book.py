"""The region's prices as the chain has them: the entries, held against the contract, and the
documents, held against their digests (protocol §3).

The entries come from the tables, as far back as they are asked for: no archive of states is needed.
The contract has one word for all of them, so that a list which lacks one, or has one more, shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from functools import partial
from typing import Any

from eth_hash.auto import keccak

from offchain.billing.book import Book, Booked, BookEntry, BookSeries, look_up
from offchain.billing.registers import Span
from offchain.chain.errors import NodeRefused
from offchain.chain.gateway import ChainReader
from offchain.errors import DocumentMissing, StorageError, TariffError
from offchain.index.asked import members as asked_members
from offchain.index.asked import tariffs as asked
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.member.errors import BookUnlike
from offchain.member.registration import region_name
from offchain.storage import ContentStore
from offchain.storage.errors import ObjectMalformed, ObjectTooLarge

HeadQuestion = tuple[str, str, bytes, bytes]  # the call that says a head

MAX_DOCUMENT_BYTES = 2**18  # one block of a content store: its digest is then the document's


class TariffBook:
    """Read a region's book as a member. `store` is where the documents are."""

    def __init__(self, gateway: ChainReader, index: ChainIndex, store: ContentStore) -> None:
        self._gateway, self._index, self._store = gateway, index, store
        self._known: Mapping[HeadQuestion, Any] = {}  # the contract's words
        self._known_at = -1

    def knowing(self, heads: Mapping[HeadQuestion, Any], *, block: int) -> TariffBook:
        """Return this book with answers to `questions_of` that are of a block or a later one: for
        one piece of work. What they do not confirm is asked again.
        """
        other = copy(self)
        other._known, other._known_at = dict(heads), block
        return other

    def questions_of(self, processor: str) -> list[HeadQuestion]:
        """Return the calls whose results `knowing` takes: one for each product and price series of
        a processor's region that the tables know, the latest first.
        """
        newest = self._index.newest()
        told = asked_members.member(self._index, processor, newest)
        if told is None:
            return []
        region_id = told["region_id"]
        products = asked.products_of(self._index, region_id, newest)
        series = asked.series_names_of(self._index, region_id, newest)
        return [
            *(_head_question(region_id, one) for one in products),
            *(_series_head_question(region_id, one) for one in series),
        ]

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
        if as_of_block > self._index.newest():
            self._caught_up(as_of_block)

        def series_of(name: str) -> Sequence[BookSeries]:
            return self._series(region_id, name, as_of_block)

        return Book(
            region=region_name(region_id),
            product=product,
            as_of_block=as_of_block,
            entries=self._entries(region_id, product, as_of_block),
            series_of=series_of,
            document_of=partial(document_of, self._store),
        )

    def _entries(self, region_id: bytes, product: str, as_of_block: int) -> list[BookEntry]:
        key = name_key(product)
        rows = self._confirmed(
            _head_question(region_id, key),
            lambda block: asked.entries_of(self._index, region_id, key, block),
            tariff_head,
            f"the product {product!r}",
            as_of_block,
        )
        return [entry_of(row) for row in rows if row["block"] <= as_of_block]

    def _series(self, region_id: bytes, name: str, as_of_block: int) -> list[BookSeries]:
        key = name_key(name)
        rows = self._confirmed(
            _series_head_question(region_id, key),
            lambda block: asked.series_of(self._index, region_id, key, block),
            series_head,
            f"the price series {name!r}",
            as_of_block,
        )
        return [series_of(row) for row in rows if row["block"] <= as_of_block]

    def _confirmed(
        self,
        question: HeadQuestion,
        listed: Callable[[int], list[Row]],
        head_of: Callable[[Sequence[Row]], bytes],
        what: str,
        as_of_block: int,
    ) -> list[Row]:
        """Return the list that the tables have by now, once the contract's word for it is the same.

        Where it is not, the tables may be of blocks that were taken off: they are brought up to
        date, and the word is asked for again. Raises BookUnlike, IndexBehind.
        """
        newest = self._index.newest()
        rows = listed(newest)
        ours = head_of(rows)
        if as_of_block <= self._known_at and self._known.get(question) == ours:
            return rows
        with suppress(NodeRefused):  # the tables are ahead of the chain node
            if self._head(question, newest) == ours:
                return rows
        newest = self._caught_up(as_of_block)
        rows = listed(newest)
        if self._head(question, newest) != head_of(rows):
            raise BookUnlike(what, newest)
        return rows

    def _caught_up(self, as_of_block: int) -> int:
        newest = self._index.follower.catch_up()
        if as_of_block > newest:
            raise IndexBehind(newest, as_of_block)
        return newest

    def _head(self, question: HeadQuestion, block: int) -> bytes:
        return bytes(self._gateway.call(*question, block=block))


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


def _head_question(region_id: bytes, product: bytes) -> HeadQuestion:
    return "TariffBook", "headOf", region_id, product


def _series_head_question(region_id: bytes, name: bytes) -> HeadQuestion:
    return "TariffBook", "seriesHeadOf", region_id, name
