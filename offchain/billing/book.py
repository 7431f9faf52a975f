"""The chain's book of tariffs: which documents hold on which local day, and which entries are void.

Pure: what the book said as of a block comes in, and where documents are got (docs/formats.md §17).
Node, audit and judges ask the same, so that the same book gives all of them the same bill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from offchain.billing import price_series, tariff_document
from offchain.billing.components import Dynamic, Tariff
from offchain.billing.price_series import PriceSeries
from offchain.billing.registers import Span
from offchain.billing.series_at_hand import SeriesAtHand, fits
from offchain.billing.spans import carve
from offchain.billing.window import require_window
from offchain.billing.zones import LocalDay, zone
from offchain.errors import BillingError, DocumentMissing, TariffError

FOR_EVER = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class BookEntry:
    """A tariff as it was appended: the document's digest in hex, instants in unix seconds.

    `valid_to` None: no end yet. `is_correction`: it had begun, and the consortium voted for it.
    """

    digest: str
    valid_from: int
    valid_to: int | None
    appended_at: int
    block: int
    is_correction: bool

    @property
    def span(self) -> Span:
        """The instants [start, end) that it is said to be valid at."""
        return self.valid_from, FOR_EVER if self.valid_to is None else self.valid_to


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSeries:
    """A price series as it was published."""

    digest: str
    starts_at: int
    ends_at: int
    resolution_s: int
    published_at: int
    block: int
    is_correction: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What the book said of a product of a region as of a block, in the order of the chain.

    `series_of` gives the series published under a name in that region up to that block.
    `document_of` gives the bytes with a digest (hex): DocumentMissing where they cannot be had, so
    that nothing follows; TariffError where no document can have that digest.
    """

    region: str
    product: str
    as_of_block: int
    entries: Sequence[BookEntry]
    series_of: Callable[[str], Sequence[BookSeries]]
    document_of: Callable[[str], bytes]

    def __str__(self) -> str:
        return f"the product {self.product!r} of {self.region} as of block {self.as_of_block}"


@dataclass(frozen=True, slots=True)
class Held:
    """A tariff that holds in [start, end), and the entry by which it does."""

    start: int
    end: int
    tariff: Tariff
    entry: BookEntry


@dataclass(frozen=True, slots=True)
class Void:
    """An entry that was passed over, and why."""

    entry: BookEntry | BookSeries
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """What holds in a window by the book, in order of time, and what was passed over on the way.

    With `series` it is all that `offchain.billing.making.bill_under` needs.
    """

    book: Book
    window: Span
    held: tuple[Held, ...]
    void: tuple[Void, ...]
    series: SeriesAtHand

    @property
    def tariffs(self) -> list[Tariff]:
        """Return the tariffs that hold anywhere, by first instant. BillingError for none."""
        if not self.held:
            raise BillingError(f"there is no tariff: {self._hole(self.window[0])}")
        return list({one.tariff.digest: one.tariff for one in self.held}.values())

    def on(self, day: LocalDay) -> Tariff:
        """Return the tariff that holds on a local day. Raises BillingError naming the day."""
        instant = max(day.start, self.window[0])
        for one in self.held:
            if one.start <= instant < one.end:
                return one.tariff
        raise BillingError(f"there is no tariff on {day.date}: {self._hole(instant)}")

    def days(self) -> Iterator[tuple[date, Tariff | None]]:
        """Yield each local day of the window and the tariff that holds on it, None for none.

        Raises BillingError where no tariff says whose days they are.
        """
        tariffs = self.tariffs
        for day in zone(tariffs[0].time_zone).days_between(*self.window):
            try:
                yield day.date, self.on(day)
            except BillingError:
                yield day.date, None

    def _hole(self, instant: int) -> str:
        passed = "; ".join(f"{one.entry.digest[:8]}… is void, {one.why}" for one in self.void)
        return f"{self.book} has none for {_utc(instant)}" + (f" ({passed})" if passed else "")


def look_up(book: Book, window: Span) -> Booked:
    """Find what holds in [start, end), unix seconds, and the price series that it needs there.

    Of the entries valid on a day the latest holds: each was appended before any of its days began,
    as the contract sees to, or is a correction, which holds whenever it was appended. An entry
    whose instants are not the local midnights of its document is void. Only documents that decide
    something are read. Raises DocumentMissing naming one that cannot be had, TariffError for a
    series that a tariff names by a digest of no series, BillingError for a window without end.
    """
    window = require_window(*window)
    documents = _Documents(book)
    free, held = [window], []
    for entry in reversed(book.entries):
        taken, left = carve(free, entry.span)
        if taken and (tariff := documents.tariff(entry)) is not None:
            held += [Held(start, end, tariff, entry) for start, end in taken]
            free = left
        if not free:
            break
    held.sort(key=lambda one: one.start)
    series = _series(book, held, documents)
    return Booked(
        book=book, window=window, held=tuple(held), void=tuple(documents.void), series=series
    )


@dataclass(frozen=True, slots=True)
class CalendarLine:
    """An entry for people: its tariff, or the fault why it has none; and where it holds.

    What cannot be had now is taken to hold: nobody can say that it is void.
    """

    entry: BookEntry
    tariff: Tariff | None
    fault: str | None
    holds: tuple[Span, ...]


def calendar(book: Book) -> list[CalendarLine]:
    """Return all entries of a book in their order, each with the spans in which it holds."""
    documents, free, lines = _Documents(book), [(0, FOR_EVER)], []
    for entry in reversed(book.entries):
        tariff, fault, taken = None, None, list[Span]()
        try:
            tariff = documents.tariff(entry)
        except DocumentMissing as missing:
            fault = str(missing)
        if tariff is None and fault is None:
            fault = documents.why(entry)
        else:
            taken, free = carve(free, entry.span)
        lines.append(CalendarLine(entry, tariff, fault, tuple(sorted(taken))))
    return lines[::-1]


def tariff_span(tariff: Tariff) -> Span:
    """Return the local midnights of a tariff's first day and of the day after its last, the second
    0 where it has no end: what the chain must say of it.
    """
    local = zone(tariff.time_zone)
    end = 0 if tariff.valid_to is None else local.day_start(tariff.valid_to)
    return local.day_start(tariff.valid_from), end


def _series(book: Book, held: Sequence[Held], documents: _Documents) -> SeriesAtHand:
    by_digest: dict[str, PriceSeries] = {}
    published: dict[str, Sequence[BookSeries]] = {}
    chosen: dict[str, dict[int, PriceSeries]] = {}
    for one in held:
        for component in (*one.tariff.imports, *one.tariff.exports):
            if not isinstance(component, Dynamic):
                continue
            for digest in component.series:
                by_digest[digest] = documents.named_series(digest)
            if (name := component.series_name) is None:
                continue
            if name not in published:
                published[name], chosen[name] = book.series_of(name), {}
            free, places = [(one.start, one.end)], chosen[name]
            for place, entry in enumerate(published[name]):
                taken, left = carve(free, (entry.starts_at, entry.ends_at))
                if not taken:
                    continue
                series = documents.series_for(entry, component, one.tariff)
                if series is not None:
                    places[place], free = series, left
    by_name = {name: [places[i] for i in sorted(places)] for name, places in chosen.items()}
    return SeriesAtHand(by_digest, by_name)


class _Documents:
    """Reads documents, each once, and notes what is void."""

    def __init__(self, book: Book) -> None:
        self._bytes_of = book.document_of
        self._void: dict[tuple[BookEntry | BookSeries, str], Void] = {}
        self._series: dict[BookSeries, PriceSeries | None] = {}
        self._named: dict[str, PriceSeries] = {}

    @property
    def void(self) -> list[Void]:
        return list(self._void.values())

    def why(self, entry: BookEntry) -> str | None:
        return next((one.why for one in self.void if one.entry == entry), None)

    def pass_over(self, entry: BookEntry | BookSeries, why: str) -> None:
        self._void.setdefault((entry, why), Void(entry, why))

    def tariff(self, entry: BookEntry) -> Tariff | None:
        """Return the tariff of an entry, None where the entry is void."""
        try:
            tariff = tariff_document.decode(self._bytes_of(entry.digest))
        except TariffError as error:
            self.pass_over(entry, str(error))
            return None
        said = entry.valid_from, entry.valid_to or 0
        if said == tariff_span(tariff):
            return tariff
        until = "open end" if entry.valid_to is None else f"to {_utc(entry.valid_to)}"
        last = "open end" if tariff.valid_to is None else f"to {tariff.valid_to}"
        self.pass_over(
            entry,
            f"the chain says {_utc(entry.valid_from)} {until}, and its document "
            f"{tariff.valid_from} {last}, local days of {tariff.time_zone}",
        )
        return None

    def series_for(
        self, entry: BookSeries, component: Dynamic, tariff: Tariff
    ) -> PriceSeries | None:
        """Return the series of an entry, None where it is void, or not fit for a component."""
        needs = f"{component.name!r} of {tariff.name!r} needs"
        if entry.resolution_s != component.resolution_s:
            self.pass_over(
                entry, f"it has {entry.resolution_s} s, {needs} {component.resolution_s} s"
            )
            return None
        if entry not in self._series:
            self._series[entry] = self._read(entry)
        series = self._series[entry]
        if series is not None and not fits(series, component, tariff):
            self.pass_over(entry, f"it is in {series.currency}, {needs} {tariff.currency}")
            return None
        return series

    def named_series(self, digest: str) -> PriceSeries:
        """Return a series that a tariff names by its digest. Raises TariffError for no series."""
        if digest not in self._named:
            try:
                self._named[digest] = price_series.decode(self._bytes_of(digest))
            except TariffError as error:
                raise TariffError(f"the tariff names the series {digest}: {error}") from error
        return self._named[digest]

    def _read(self, entry: BookSeries) -> PriceSeries | None:
        try:
            series = price_series.decode(self._bytes_of(entry.digest))
        except TariffError as error:
            self.pass_over(entry, str(error))
            return None
        said = (entry.starts_at, entry.ends_at, entry.resolution_s)
        if said == (series.start, series.end, series.resolution_s):
            return series
        self.pass_over(
            entry,
            f"the chain says {_utc(entry.starts_at)} to {_utc(entry.ends_at)} in "
            f"{entry.resolution_s} s, and its document {_utc(series.start)} to "
            f"{_utc(series.end)} in {series.resolution_s} s",
        )
        return None


def _utc(instant: int) -> str:
    try:
        return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):  # the chain takes instants that no calendar has
        return f"unix {instant}"
