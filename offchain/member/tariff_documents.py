"""Tariffs and price series on their way into the book: checked, and as the contract takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from offchain.billing import price_series, tariff_document
from offchain.billing.book import tariff_span
from offchain.billing.components import Dynamic, Tariff
from offchain.billing.money import amount_text
from offchain.billing.price_series import PriceSeries
from offchain.billing.tariff_calendar import describe
from offchain.errors import DocumentMissing, TariffError
from offchain.member.tariff_book import MAX_DOCUMENT_BYTES, document_of
from offchain.records import canonical_json
from offchain.storage import ContentStore

_MAX_NAME_BYTES = 128  # TariffBook.LONGEST_NAME_BYTES
_Document = TypeVar("_Document", Tariff, PriceSeries)
_Entry = TypeVar("_Entry", tuple[bytes, int, int], tuple[bytes, int, int, int])


@dataclass(frozen=True, slots=True)
class Offer(Generic[_Document, _Entry]):
    """A document and its canonical bytes; `entry` is the contract's struct, and `begins` says for
    people from when on it holds.
    """

    document: _Document
    data: bytes
    entry: _Entry
    begins: str

    @property
    def begins_at(self) -> int:
        """The first instant at which it holds, unix seconds."""
        return self.entry[1]


TariffOffer = Offer[Tariff, tuple[bytes, int, int]]
SeriesOffer = Offer[PriceSeries, tuple[bytes, int, int, int]]


def tariff_offer(data: bytes) -> TariffOffer:
    """Read a tariff from JSON of any layout. Raises TariffError, also for what no chain can say."""
    tariff = tariff_document.parse(data)
    start, end = tariff_span(tariff)
    if start < 0:
        raise TariffError(
            f"valid_from: {tariff.valid_from} begins before 1970, and a chain's times do not"
        )
    begins = f"its first day, {tariff.valid_from} in {tariff.time_zone}, begins at {_utc(start)}"
    entry = (bytes.fromhex(tariff.digest), start, end)
    return Offer(tariff, _canonical(data, tariff_document.MAX_BYTES), entry, begins)


def series_offer(data: bytes) -> SeriesOffer:
    """Read a price series from JSON of any layout. Raises TariffError, also for one that is too
    large to be published in one piece.
    """
    series = price_series.parse(data)
    canonical = _canonical(data, price_series.MAX_BYTES)
    if len(canonical) > MAX_DOCUMENT_BYTES:
        raise TariffError(
            f"the series has {len(canonical)} bytes, at most {MAX_DOCUMENT_BYTES} can be "
            "published in one piece; make shorter ones of it"
        )
    entry = (bytes.fromhex(series.digest), series.start, series.end, series.resolution_s)
    return Offer(series, canonical, entry, f"its first price begins at {_utc(series.start)}")


def put_listed_series(store: ContentStore, tariff: Tariff, given: Sequence[bytes]) -> None:
    """Put the price series that a tariff lists by digest into the store, and see that it has them.

    `given` are those at hand, JSON of any layout. Raises TariffError for one that it does not list,
    and for one that nobody has.
    """
    offers = {one.document.digest: one for one in map(series_offer, given)}
    for digest in _listed(tariff):
        if digest in offers:
            store.put(offers.pop(digest).data, lasting=True)
            continue
        try:
            price_series.decode(document_of(store, digest))
        except DocumentMissing as missing:
            raise TariffError(
                f"the tariff lists the price series {digest}, which the content store does not "
                f"give ({missing}); give its file with --series"
            ) from missing
    if offers:
        raise TariffError(
            f"the tariff does not list the price series {', '.join(sorted(offers))}; one that it "
            "takes by name is published by itself"
        )


def require_name(name: str, what: str) -> str:
    """Return a product's or series' name as the book takes it. Raises TariffError."""
    if not 1 <= len(name.encode()) <= _MAX_NAME_BYTES:
        raise TariffError(f"the name of {what} has 1 to {_MAX_NAME_BYTES} bytes, not {name!r}")
    return name


def require_own_name(series: PriceSeries, name: str) -> None:
    """Raise TariffError where a series is to be published under a name that is not its own: who
    works the bill out from files would look for the other.
    """
    if series.name != name:
        raise TariffError(
            f"the series calls itself {series.name!r}, not {name!r}; publish it under that name, "
            "or make it anew with the other: dmsm tariff prices … --name"
        )


def describe_document(store: ContentStore, digest: bytes) -> tuple[bytes, list[str]]:
    """Return a document of the store and the lines that say to people what it is.

    Raises DocumentMissing, and TariffError for what is neither tariff nor price series.
    """
    data = document_of(store, digest.hex())
    try:
        return data, list(describe(tariff_document.decode(data)))
    except TariffError as no_tariff:
        try:
            series = price_series.decode(data)
        except TariffError as no_series:
            raise TariffError(f"{no_tariff}; and {no_series}") from no_series
    return data, [
        f"price series {series.name}  ({series.currency}, {series.resolution_s} s)",
        f"digest     {series.digest}",
        f"prices     {len(series.prices)}, {_utc(series.start)} to {_utc(series.end)}",
        f"lowest     {amount_text(min(series.prices))} {series.currency} a kWh",
        f"highest    {amount_text(max(series.prices))} {series.currency} a kWh",
    ]


def _listed(tariff: Tariff) -> list[str]:
    components = (*tariff.imports, *tariff.exports)
    dynamic = [one for one in components if isinstance(one, Dynamic)]
    return sorted({digest for one in dynamic for digest in one.series})


def _canonical(data: bytes, max_bytes: int) -> bytes:
    return canonical_json.dumps(canonical_json.parse(data, max_bytes=max_bytes))


def _utc(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
