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
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

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
_SAID_OF_ALL = ("block", "is_correction")
_Entry = TypeVar("_Entry", BookEntry, BookSeries)

MAX_DOCUMENT_BYTES = 2**18  # one block of a content store: its digest is then the document's


@dataclass(frozen=True, slots=True)
class BookList(Generic[_Entry]):
    """What the book lists under the hash of a name: tariffs of a product, or price series.

    `head_call` asks the contract for its word for a list; `said` are the columns that it hashes
    between an entry's digest and its block.
    """

    what: str
    entry: type[_Entry]
    head_call: str
    said: tuple[str, ...]
    rows_of: Callable[[ChainIndex, bytes, bytes, int], list[Row]]

    def question(self, region_id: bytes, key: bytes) -> HeadQuestion:
        """Return the call that asks for a list's head."""
        return "TariffBook", self.head_call, region_id, key

    def head(self, rows: Sequence[Row]) -> bytes:
        """Return the word that the contract has for these entries, in their order."""
        head = bytes(32)
        for row in rows:  # as `abi.encode` lays it out: a word a value (docs/formats.md §18)
            words = [row[name].to_bytes(32) for name in (*self.said, *_SAID_OF_ALL)]
            head = keccak(head + row["digest"] + b"".join(words))
        return head

    def entry_of(self, row: Row) -> _Entry:
        """Return an entry out of the tables."""
        said = {name: row[name] for name in (*self.said, *_SAID_OF_ALL)}
        if said.get("valid_to") == 0:
            said["valid_to"] = None
        return self.entry(digest=row["digest"].hex(), **said)


TARIFFS = BookList(
    what="the product",
    entry=BookEntry,
    head_call="headOf",
    said=("valid_from", "valid_to", "appended_at"),
    rows_of=asked.entries_of,
)
SERIES = BookList(
    what="the price series",
    entry=BookSeries,
    head_call="seriesHeadOf",
    said=("starts_at", "ends_at", "resolution_s", "published_at"),
    rows_of=asked.series_of,
)


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
            *(TARIFFS.question(region_id, one) for one in products),
            *(SERIES.question(region_id, one) for one in series),
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

        def listed(kind: BookList[_Entry], name: str) -> list[_Entry]:
            rows = self._confirmed(kind, region_id, name, as_of_block)
            return [kind.entry_of(row) for row in rows if row["block"] <= as_of_block]

        return Book(
            region=region_name(region_id),
            product=product,
            as_of_block=as_of_block,
            entries=listed(TARIFFS, product),
            series_of=partial(listed, SERIES),
            document_of=partial(document_of, self._store),
        )

    def _confirmed(
        self, kind: BookList[Any], region_id: bytes, name: str, as_of_block: int
    ) -> list[Row]:
        """Return the list that the tables have by now, once the contract's word for it is the same.

        Where it is not, the tables may be of blocks that were taken off: they are brought up to
        date, and the word is asked for again. Raises BookUnlike, IndexBehind.
        """
        key, newest = name_key(name), self._index.newest()
        question = kind.question(region_id, key)
        rows = kind.rows_of(self._index, region_id, key, newest)
        ours = kind.head(rows)
        if as_of_block <= self._known_at and self._known.get(question) == ours:
            return rows
        with suppress(NodeRefused):  # the tables are ahead of the chain node
            if self._head(question, newest) == ours:
                return rows
        newest = self._caught_up(as_of_block)
        rows = kind.rows_of(self._index, region_id, key, newest)
        if self._head(question, newest) != kind.head(rows):
            raise BookUnlike(f"{kind.what} {name!r}", newest)
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
