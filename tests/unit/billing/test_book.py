"""The chain's book: which document holds when, which entries are void, and what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.billing import tariff_document
from offchain.billing.book import (
    FOR_EVER,
    Book,
    Booked,
    BookEntry,
    BookSeries,
    calendar,
    look_up,
    tariff_span,
)
from offchain.billing.components import Tariff
from offchain.billing.making import bill_under
from offchain.billing.price_series import PriceSeries
from offchain.billing.price_series import encode as encode_series
from offchain.billing.zones import zone
from offchain.errors import BillingError, DocumentMissing, TariffError
from offchain.records import canonical_json
from tests.unit.billing.world import Json, at, bill, document, flat, household, regular, series

ZONE = "Europe/Amsterdam"
DAY, HOUR = 86_400, 3_600


class Shelf:
    """A content store and a book: what is put, appended and published here."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.read: list[str] = []
        self.entries: list[BookEntry] = []
        self.series: dict[str, list[BookSeries]] = {}

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.documents[digest] = data
        return digest

    def tariff(self, value: Json) -> Tariff:
        data = canonical_json.dumps(value)
        self.put(data)
        return tariff_document.decode(data)

    def append(self, value: Json, *, appended_at: int = 0, **otherwise: Any) -> BookEntry:
        """Append a document; `otherwise` is what the entry says that is not the document's."""
        tariff = self.tariff(value)
        start, end = tariff_span(tariff)
        entry = BookEntry(
            digest=tariff.digest,
            valid_from=start,
            valid_to=end or None,
            appended_at=appended_at,
            block=len(self.entries),
            is_correction=start <= appended_at,
        )
        self.entries.append(replace(entry, **otherwise))
        return self.entries[-1]

    def publish(self, name: str, one: PriceSeries, **otherwise: Any) -> BookSeries:
        data = encode_series(
            name=one.name,
            currency=one.currency,
            resolution_s=one.resolution_s,
            start=one.start,
            prices=one.prices,
        )
        said = BookSeries(
            digest=self.put(data),
            starts_at=one.start,
            ends_at=one.end,
            resolution_s=one.resolution_s,
            published_at=0,
            block=0,
            is_correction=False,
        )
        self.series.setdefault(name, []).append(replace(said, **otherwise))
        return self.series[name][-1]

    def document_of(self, digest: str) -> bytes:
        self.read.append(digest)
        if digest not in self.documents:
            raise DocumentMissing(digest, "nobody has it")
        return self.documents[digest]

    def look_up(self, first: str, last: str, zone_name: str = ZONE) -> Booked:
        return look_up(self.book(), (at(zone_name, first), at(zone_name, last)))

    def book(self) -> Book:
        return Book(
            region="north",
            product="household",
            as_of_block=77,
            entries=self.entries,
            series_of=lambda name: self.series.get(name, ()),
            document_of=self.document_of,
        )


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def named(name: str, first: str, last: str | None = None, **members: Any) -> Json:
    """A tariff of this name, valid on local days [first, last)."""
    return document(name=name, valid_from=first, valid_to=last, **members)


def dynamic(of: Any, resolution_s: int = HOUR) -> Json:
    return {
        "kind": "dynamic",
        "name": "energy",
        "resolution_s": resolution_s,
        "factor_ppm": 1_000_000,
        "adder": 0,
        "series": of,
    }


def names_by_day(booked: Booked) -> list[str | None]:
    return [None if tariff is None else tariff.name for _, tariff in booked.days()]


# ---- which holds


def test_look_up__given_an_open_end_and_a_successor__the_successor_holds_from_its_first_day(
    shelf: Shelf,
) -> None:
    shelf.append(named("old", "2024-01-01"))
    shelf.append(named("new", "2024-03-30", "2024-04-01"))
    booked = shelf.look_up("2024-03-29", "2024-04-02")
    assert names_by_day(booked) == ["old", "new", "new", "old"]
    assert [(one.start, one.end) for one in booked.held] == [
        (at(ZONE, "2024-03-29"), at(ZONE, "2024-03-30")),
        (at(ZONE, "2024-03-30"), at(ZONE, "2024-04-01")),  # 47 hours: the clocks go forward
        (at(ZONE, "2024-04-01"), at(ZONE, "2024-04-02")),
    ]
    assert booked.void == ()


def test_look_up__given_two_for_a_day__the_one_appended_later_holds(shelf: Shelf) -> None:
    shelf.append(named("first", "2024-01-01", "2024-02-01"))
    shelf.append(named("second", "2024-01-01", "2024-02-01"))
    assert names_by_day(shelf.look_up("2024-01-30", "2024-02-02")) == ["second", "second", None]


def test_look_up__given_a_correction__it_holds_for_its_days_until_a_later_entry(
    shelf: Shelf,
) -> None:
    start = at(ZONE, "2024-01-10")
    shelf.append(named("said", "2024-01-01"))
    shelf.append(named("corrected", "2024-01-03"), appended_at=start)
    assert shelf.entries[-1].is_correction
    days = ("2024-01-02", "2024-01-14")
    before = replace(shelf.book(), entries=shelf.entries[:1])
    window = (at(ZONE, days[0]), at(ZONE, days[1]))
    assert names_by_day(look_up(before, window)) == ["said"] * 12  # as of an earlier block
    assert names_by_day(shelf.look_up(*days)) == ["said"] + ["corrected"] * 11
    shelf.append(named("next", "2024-01-12"), appended_at=start + 1)
    expected = ["said"] + ["corrected"] * 9 + ["next"] * 2
    assert names_by_day(shelf.look_up(*days)) == expected


def test_look_up__given_holes__names_the_day_when_it_is_asked(shelf: Shelf) -> None:
    shelf.append(named("late", "2024-01-02", "2024-01-03"))
    booked = shelf.look_up("2024-01-01", "2024-01-04")
    assert names_by_day(booked) == [None, "late", None]
    home = household(regular(at(ZONE, "2024-01-01"), at(ZONE, "2024-01-04"), HOUR))
    with pytest.raises(BillingError) as caught:
        bill_under(home, booked, booked.series, window=booked.window)
    assert str(caught.value) == (
        "there is no tariff on 2024-01-01: the product 'household' of north as of block 77 has "
        "none for 2023-12-31T23:00:00Z"
    )


def test_look_up__given_an_empty_book__says_so_when_it_is_asked(shelf: Shelf) -> None:
    booked = shelf.look_up("2024-01-01", "2024-01-02")
    with pytest.raises(BillingError, match="there is no tariff: the product 'household' of north"):
        assert booked.tariffs
    with pytest.raises(BillingError, match="end after it begins"):
        look_up(shelf.book(), (5, 5))


def test_look_up__given_a_cut_day__the_entry_of_that_day_holds(shelf: Shelf) -> None:
    shelf.append(named("old", "2024-01-01", "2024-01-03"))
    shelf.append(named("new", "2024-01-03"))
    noon = at(ZONE, "2024-01-02") + DAY // 2
    booked = look_up(shelf.book(), (noon, noon + DAY))
    assert names_by_day(booked) == ["old", "new"]


# ---- what is void


@pytest.mark.parametrize(
    "otherwise, why",
    [
        (
            {"valid_from": 1_704_063_600 + 1},
            "the chain says 2023-12-31T23:00:01Z open end, and its document 2024-01-01 open end, "
            "local days of Europe/Amsterdam",
        ),
        (
            {"valid_to": 2**40 - 1},
            "the chain says 2023-12-31T23:00:00Z to unix 1099511627775, and its document "
            "2024-01-01 open end, local days of Europe/Amsterdam",
        ),
    ],
)
def test_look_up__given_other_instants_than_the_document__is_void_and_passed_over(
    shelf: Shelf, otherwise: dict[str, int], why: str
) -> None:
    shelf.append(named("good", "2023-01-01"))
    entry = shelf.append(named("bad", "2024-01-01"), **otherwise)
    booked = shelf.look_up("2024-02-01", "2024-02-03")
    assert names_by_day(booked) == ["good", "good"]
    assert [(one.entry, one.why) for one in booked.void] == [(entry, why)]


def test_look_up__given_no_tariff_under_a_digest__is_void_and_told_of_in_a_hole(
    shelf: Shelf,
) -> None:
    entry = shelf.append(named("good", "2024-01-01"))
    shelf.entries[0] = replace(entry, digest=shelf.put(b"something else"))
    booked = shelf.look_up("2024-01-01", "2024-01-02")
    assert [one.entry for one in booked.void] == shelf.entries
    with pytest.raises(BillingError, match=r"has none for .* \([0-9a-f]{8}… is void, this is no"):
        assert booked.tariffs


def test_look_up__given_a_document_of_another_layout__is_void(shelf: Shelf) -> None:
    entry = shelf.append(named("good", "2024-01-01"))
    pretty = shelf.documents[entry.digest].replace(b",", b", ")
    shelf.entries[0] = replace(entry, digest=shelf.put(pretty))
    assert len(shelf.look_up("2024-01-01", "2024-01-02").void) == 1


@pytest.mark.parametrize("zone_name", ["America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
def test_tariff_span__of_the_first_and_last_dates__has_instants(
    shelf: Shelf, zone_name: str
) -> None:
    value = named("long", "0003-01-01", "9997-12-31", time_zone=zone_name)
    start, end = tariff_span(shelf.tariff(value))
    local = zone(zone_name)
    assert (start, end) == (local.day_start(date(3, 1, 1)), local.day_start(date(9997, 12, 31)))
    for years in (("0002-12-31", "9997-12-31"), ("0003-01-01", "9998-01-01")):
        with pytest.raises(TariffError, match="must be a date"):
            shelf.tariff(named("longer", *years, time_zone=zone_name))


# ---- documents


def test_look_up__reads_only_the_documents_that_decide(shelf: Shelf) -> None:
    shelf.append(named("replaced", "2024-01-01", "2024-02-01"))
    shelf.append(named("elsewhere", "2025-01-01", "2025-02-01"))
    holds = shelf.append(named("holds", "2024-01-01"))
    shelf.append(named("not yet", "2024-06-01"))
    shelf.look_up("2024-01-05", "2024-01-06")
    assert shelf.read == [holds.digest]


def test_look_up__given_a_missing_document__names_it(shelf: Shelf) -> None:
    entry = shelf.append(named("lost", "2024-01-01"))
    del shelf.documents[entry.digest]
    with pytest.raises(DocumentMissing, match=f"{entry.digest}.* cannot be had: nobody has it"):
        shelf.look_up("2024-01-05", "2024-01-06")


def test_calendar__of_a_book__says_where_each_entry_holds_and_what_is_wrong(
    shelf: Shelf,
) -> None:
    first, second = at(ZONE, "2024-01-01"), at(ZONE, "2024-02-01")
    shelf.append(named("base", "2024-01-01"))
    shelf.append(named("void", "2024-01-10"), valid_from=first + 1)
    lost = shelf.append(named("lost", "2024-02-01", "2024-03-01"))
    shelf.append(named("covered", "2024-04-01", "2024-05-01"))
    shelf.append(named("over it", "2024-04-01", "2024-05-01"))
    del shelf.documents[lost.digest]
    lines = calendar(shelf.book())
    assert [line.entry for line in lines] == shelf.entries
    names = [line.tariff.name if line.tariff else None for line in lines]
    assert names == ["base", None, None, "covered", "over it"]
    march, april, may = (at(ZONE, f"2024-0{month}-01") for month in (3, 4, 5))
    assert [line.holds for line in lines] == [
        ((first, second), (march, april), (may, FOR_EVER)),
        (),
        ((second, march),),  # nobody can say that it is void
        (),
        ((april, may),),
    ]
    assert [line.fault and line.fault[:30] for line in lines] == [
        None,
        "the chain says 2023-12-31T23:0",
        "the tariff or price series " + lost.digest[:3],
        None,
        None,
    ]


# ---- price series


def test_look_up__given_series_by_name__the_first_published_gives_the_price(
    shelf: Shelf,
) -> None:
    start = at(ZONE, "2024-01-01")
    shelf.append(named("spot", "2024-01-01", **{"import": [dynamic({"name": "NL"})]}))
    first = shelf.publish("NL", series(start + 2 * HOUR, [3_000] * 4))
    second = shelf.publish("NL", series(start, [1_000] * 24))
    shelf.publish("NL", series(start, [9_000] * 24))  # everything is held before
    shelf.publish("other", series(start, [7_000] * 24))
    booked = shelf.look_up("2024-01-01", "2024-01-02")
    home = household(regular(start, start + DAY, HOUR, lambda _: 1_000))
    made = bill_under(home, booked, booked.series, window=booked.window)
    assert made.lines[0].amount == 20 * 1_000 + 4 * 3_000
    assert made.series == (second.digest, first.digest)
    assert len(shelf.read) == 3  # the tariff and two series
    assert booked.void == ()


def test_look_up__given_void_and_unfit_series__passes_over_them(shelf: Shelf) -> None:
    start = at(ZONE, "2024-01-01")
    shelf.append(named("spot", "2024-01-01", **{"import": [dynamic({"name": "NL"})]}))
    shifted = shelf.publish("NL", series(start, [1] * 24), starts_at=start - HOUR)
    quarters = shelf.publish("NL", series(start, [2] * 96, resolution_s=900))
    dollars = shelf.publish("NL", series(start, [3] * 24, currency="USD"))
    shelf.publish("NL", series(start, [4_000] * 24))
    booked = shelf.look_up("2024-01-01", "2024-01-02")
    home = household(regular(start, start + DAY, HOUR, lambda _: 1_000))
    made = bill_under(home, booked, booked.series, window=booked.window)
    assert made.lines[0].amount == 24 * 4_000
    assert [(one.entry, one.why) for one in booked.void] == [
        (
            shifted,
            "the chain says 2023-12-31T22:00:00Z to 2024-01-01T23:00:00Z in 3600 s, and its "
            "document 2023-12-31T23:00:00Z to 2024-01-01T23:00:00Z in 3600 s",
        ),
        (quarters, "it has 900 s, 'energy' of 'spot' needs 3600 s"),
        (dollars, "it is in USD, 'energy' of 'spot' needs EUR"),
    ]
    assert quarters.digest not in shelf.read


def test_look_up__given_two_resolutions_under_one_name__each_tariff_takes_its_own(
    shelf: Shelf,
) -> None:
    noon = at(ZONE, "2024-01-02")
    shelf.append(named("hours", "2024-01-01", **{"import": [dynamic({"name": "NL"})]}))
    shelf.append(named("quarters", "2024-01-02", **{"import": [dynamic({"name": "NL"}, 900)]}))
    shelf.publish("NL", series(noon - DAY, [1_000] * 48))
    shelf.publish("NL", series(noon - DAY, [2_000] * 192, resolution_s=900))
    booked = shelf.look_up("2024-01-01", "2024-01-03")
    home = household(regular(noon - DAY, noon + DAY, HOUR, lambda _: 1_000))
    made = bill_under(home, booked, booked.series, window=booked.window)
    assert [line.amount for line in made.lines] == [24_000, 48_000]


def test_look_up__given_no_series_for_an_instant__the_bill_names_it(shelf: Shelf) -> None:
    start = at(ZONE, "2024-01-01")
    shelf.append(named("spot", "2024-01-01", **{"import": [dynamic({"name": "NL"})]}))
    shelf.publish("NL", series(start, [1] * 23))
    booked = shelf.look_up("2024-01-01", "2024-01-02")
    home = household(regular(start, start + DAY, HOUR))
    with pytest.raises(BillingError, match=f"for the instant {start + 23 * HOUR}"):
        bill_under(home, booked, booked.series, window=booked.window)


def test_look_up__given_series_by_digest__reads_them_or_says_what_is_missing(
    shelf: Shelf,
) -> None:
    start = at(ZONE, "2024-01-01")
    spot = shelf.publish("not asked for", series(start, [1_000] * 24))
    shelf.append(named("listed", "2024-01-01", **{"import": [dynamic([spot.digest])]}))
    # One that is published under the name of the same text is no series of that name.
    named_too = dynamic({"name": "spot"})
    shelf.append(named("both", "2024-01-02", **{"import": [dynamic([spot.digest]), named_too]}))
    home = household(regular(start, start + 2 * DAY, HOUR, lambda _: 1_000))
    booked = shelf.look_up("2024-01-01", "2024-01-02")
    made = bill_under(home, booked, booked.series, window=booked.window)
    assert made.lines[0].amount == 24_000
    booked = shelf.look_up("2024-01-02", "2024-01-03")
    with pytest.raises(BillingError, match="no price series at hand"):
        bill_under(home, booked, booked.series, window=booked.window)
    shelf.documents[spot.digest] = b"spoilt"
    with pytest.raises(TariffError, match=f"names the series {spot.digest}: this is no price"):
        shelf.look_up("2024-01-01", "2024-01-02")
    del shelf.documents[spot.digest]
    with pytest.raises(DocumentMissing, match=spot.digest):
        shelf.look_up("2024-01-01", "2024-01-02")


def test_bill_under__by_the_book__is_the_bill_of_the_same_files(shelf: Shelf) -> None:
    first, last = "2024-03-25", "2024-04-06"
    one = named("one", "2024-01-01", "2024-04-01", **{"import": [flat(210_000)]})
    two = named("two", "2024-04-01", None, **{"import": [flat(190_000)]})
    shelf.append(one)
    shelf.append(two)
    readings = regular(at(ZONE, first) - 900, at(ZONE, last) + 900, 900, lambda i: i % 7)
    booked = shelf.look_up(first, last)
    made = bill_under(household(readings), booked, booked.series, window=booked.window)
    assert made == bill(readings, [shelf.tariff(two), shelf.tariff(one)], first, last)


# ---- against the rule itself, day by day

ZONES = ("Europe/Amsterdam", "America/Sao_Paulo", "Pacific/Apia")
FIRST = date(2018, 10, 28)  # clocks change in two of them in the days after
STEP = st.tuples(
    st.integers(0, 12),  # first day
    st.integers(0, 5),  # how many days; 0: open
    st.sampled_from(["good", "good", "good", "shifted", "garbage"]),
    st.integers(-4, 9),  # appended so many half days after its first day begins
)


@settings(max_examples=150, deadline=None)
@given(zone_name=st.sampled_from(ZONES), steps=st.lists(STEP, max_size=8), cut=st.booleans())
def test_look_up__of_any_book__is_what_the_rule_says_of_each_day(
    zone_name: str, steps: list[tuple[int, int, str, int]], cut: bool
) -> None:
    shelf, local = Shelf(), zone(zone_name)
    is_good: list[bool] = []
    for number, (offset, length, kind, half_days) in enumerate(steps):
        first = FIRST + timedelta(days=offset)
        last = None if length == 0 else (first + timedelta(days=length)).isoformat()
        value = named(f"{number}", first.isoformat(), last, time_zone=zone_name)
        # An entry of the node is ahead of its first day; what is not is the consortium's.
        appended_at = local.day_start(first) + half_days * DAY // 2
        entry = shelf.append(value, appended_at=appended_at)
        if kind == "shifted":
            shelf.entries[-1] = replace(entry, valid_from=entry.valid_from + 1)
        if kind == "garbage":
            shelf.entries[-1] = replace(entry, digest=shelf.put(b"%d" % number))
        is_good.append(kind == "good")
    window = (local.day_start(FIRST) + (7_000 if cut else 0), local.day_start(FIRST) + 20 * DAY)

    booked = look_up(shelf.book(), window)

    for day in local.days_between(*window):
        expected = _by_the_rule(shelf, is_good, day.date, day.start)
        try:
            found: str | None = booked.on(day).name
        except BillingError:
            found = None
        assert found == expected, day.date
    for before, after in zip(booked.held, booked.held[1:], strict=False):
        assert before.end <= after.start
    passed = {one.entry for one in booked.void}
    assert passed.isdisjoint(
        entry for entry, good in zip(shelf.entries, is_good, strict=True) if good
    )


def _by_the_rule(shelf: Shelf, is_good: Sequence[bool], day: date, starts_at: int) -> str | None:
    """Of the entries valid on a day, the latest that was appended before it began, or corrects."""
    for place in reversed(range(len(shelf.entries))):
        entry = shelf.entries[place]
        if not is_good[place]:
            continue
        tariff = tariff_document.decode(shelf.documents[entry.digest])
        counts = entry.appended_at < starts_at or entry.is_correction
        if tariff.is_valid_on(day) and counts:
            return tariff.name
    return None
