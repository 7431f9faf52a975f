"""Tariffs and price series, from a node's file to the chain's book and back, on real contracts."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from offchain.billing import price_series
from offchain.billing.book import tariff_span
from offchain.billing.zones import zone
from offchain.chain.gateway import ChainGateway
from offchain.errors import DocumentMissing, TariffError
from offchain.index.asked import tariffs as asked
from offchain.index.errors import IndexBehind
from offchain.index.projections.tariffs import price_series as series_table
from offchain.index.projections.tariffs import tariffs as tariffs_table
from offchain.member.errors import BookUnlike, TariffNotAhead, UnfitMember
from offchain.member.tariff_book import TariffBook, document_of, name_key
from offchain.member.tariff_documents import series_offer, tariff_offer
from offchain.node.tariffs import TariffPublisher
from offchain.storage import open_store
from tests.integration.town import Town
from tests.unit.billing.world import document, flat

ZONE, PRODUCT = "Europe/Amsterdam", "household"
DAY, HOUR = 86_400, 3_600


class Region:
    """The north, whose node says what energy costs; `today` is the local date by its chain."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.node = town.nodes[0]
        self.publisher = TariffPublisher(self.gateway, town.index, town.store)
        self.book = TariffBook(self.gateway, town.index, town.store)
        self.today = zone(ZONE).wall_clock(self.gateway.now()).date()

    @property
    def gateway(self) -> ChainGateway:
        return self.node.gateway

    def file(self, name: str, first_day: int, last_day: int | None = None, **more: Any) -> bytes:
        """A tariff valid so many days from today on, laid out for people."""
        ends = None if last_day is None else self.day(last_day).isoformat()
        dates = {"valid_from": self.day(first_day).isoformat(), "valid_to": ends}
        return json.dumps(document(name=name, **dates, **more), indent=2).encode()

    def day(self, number: int) -> date:
        return self.today + timedelta(days=number)

    def head(self) -> bytes:
        key = name_key(PRODUCT)
        return bytes(self.gateway.call("TariffBook", "headOf", self.node.region, key))

    def names(self, first_day: int, last_day: int, *, as_of_block: int | None = None) -> list[Any]:
        """What holds on each of these days, by name."""
        local = zone(ZONE)
        window = (local.day_start(self.day(first_day)), local.day_start(self.day(last_day)))
        block = self.gateway.block_number() if as_of_block is None else as_of_block
        booked = self.book.look_up(self.node.region, PRODUCT, window, as_of_block=block)
        return [None if one is None else one.name for _, one in booked.days()]

    def correct(self, data: bytes) -> None:
        offer = tariff_offer(data)
        self.town.store.put(offer.data)
        self.town.admin.append_tariff("north", PRODUCT, offer.entry)


@pytest.fixture
def north(fresh: Town) -> Region:
    return Region(fresh)


def spot(start: int, name: str = "spot", hours: int = 24) -> bytes:
    value: dict[str, Any] = {"name": name, "currency": "EUR", "resolution_s": HOUR}
    return price_series.encode(**value, start=start, prices=[1_000] * hours)


def dynamic(of: Any) -> dict[str, Any]:
    value = {"kind": "dynamic", "name": "energy", "resolution_s": HOUR}
    return {"import": [value | {"factor_ppm": 1_000_000, "adder": 0, "series": of}]}


# ---- tariffs


def test_publish_tariff__ahead__is_in_store_book_and_tables(north: Region) -> None:
    data = north.file("next", 1, 30, **{"import": [flat(200_000)]})
    tariff, receipt = north.publisher.publish_tariff(data, PRODUCT)
    assert receipt is not None
    said = receipt.event("TariffAppended").args
    assert (said["validFrom"], said["validTo"]) == tariff_span(tariff)
    assert said["isCorrection"] is False
    stored = north.town.store.get(bytes.fromhex(tariff.digest), max_bytes=10_000)
    assert json.loads(stored) == json.loads(data)
    assert north.names(0, 3) == [None, "next", "next"]
    head = north.head()

    again, receipt = north.publisher.publish_tariff(data, PRODUCT)

    assert (again, receipt, north.head()) == (tariff, None, head)


def test_publish_tariff__given_one_that_has_begun__is_refused_and_names_the_way(
    north: Region,
) -> None:
    data = north.file("late", 0)
    with pytest.raises(TariffNotAhead) as caught:
        north.publisher.publish_tariff(data, PRODUCT)
    told = str(caught.value)
    assert f"its first day, {north.today} in {ZONE}, begins at" in told
    assert told.endswith("dmsm admin tariff FILE --region north --product 'household'")
    assert north.head() == bytes(32)
    digest = hashlib.sha256(tariff_offer(data).data).digest()
    assert not north.town.store.has(digest)


def test_publish_tariff__given_one_that_began_since__puts_its_document_back(
    north: Region,
) -> None:
    data = north.file("next", 1)
    tariff, _ = north.publisher.publish_tariff(data, PRODUCT)
    north.publisher.publish_tariff(north.file("after", 2), PRODUCT)
    # Said again while it is ahead and not the newest, it is one more entry.
    assert north.publisher.publish_tariff(data, PRODUCT)[1] is not None
    north.publisher.publish_tariff(north.file("after", 2), PRODUCT)
    north.town.anvil.warp_to(tariff_span(tariff)[0] + 1)
    head = north.head()
    digest = bytes.fromhex(tariff.digest)
    north.town.store.unpin(digest)
    assert north.publisher.publish_tariff(data, PRODUCT) == (tariff, None)
    assert north.town.store.is_pinned(digest)
    assert north.head() == head


@pytest.mark.parametrize(
    "change, told",
    [
        ({"valid_from": "1969-12-31"}, "begins before 1970"),
        ({"time_zone": "Mars"}, "is no time zone"),
    ],
)
def test_publish_tariff__given_no_document_for_a_chain__says_what_is_wrong(
    north: Region, change: dict[str, str], told: str
) -> None:
    data = json.dumps(json.loads(north.file("odd", 1)) | change).encode()
    with pytest.raises(TariffError, match=told):
        north.publisher.publish_tariff(data, PRODUCT)
    with pytest.raises(TariffError, match="1 to 128 bytes"):
        north.publisher.publish_tariff(north.file("next", 1), "ü" * 65)


def test_publish_tariff__by_no_node__is_refused(north: Region) -> None:
    house = north.town.houses[0]
    publisher = TariffPublisher(house.gateway, north.town.index, north.town.store)
    with pytest.raises(UnfitMember, match="no active processing node"):
        publisher.publish_tariff(north.file("next", 1), PRODUCT)


def test_publish_tariff__given_listed_series__are_put_or_missed_by_name(north: Region) -> None:
    series = spot(zone(ZONE).day_start(north.day(1)))
    digest = hashlib.sha256(series).hexdigest()
    data = north.file("listed", 1, **dynamic([digest]))
    with pytest.raises(TariffError, match=f"lists the price series {digest}.* with --series"):
        north.publisher.publish_tariff(data, PRODUCT)
    other = spot(zone(ZONE).day_start(north.day(2)))
    with pytest.raises(TariffError, match="does not list the price series"):
        north.publisher.publish_tariff(data, PRODUCT, [series, other])
    assert north.head() == bytes(32)
    north.publisher.publish_tariff(data, PRODUCT, [series])
    assert north.names(1, 2) == ["listed"]
    north.publisher.publish_tariff(north.file("again", 1, **dynamic([digest])), PRODUCT)


# ---- what holds


def test_look_up__given_a_correction__changes_no_answer_as_of_an_earlier_block(
    north: Region,
) -> None:
    north.correct(north.file("said late", -3))
    before = north.gateway.block_number()
    assert north.names(-3, 1) == ["said late"] * 4
    north.correct(north.file("corrected", -2, 0))
    assert north.names(-3, 1) == ["said late", "corrected", "corrected", "said late"]
    assert north.names(-3, 1, as_of_block=before) == ["said late"] * 4
    entries = asked.entries_of(
        north.town.index, north.node.region, name_key(PRODUCT), north.gateway.block_number()
    )
    assert [one["is_correction"] for one in entries] == [True, True]


def test_look_up__given_a_list_that_lacks_an_entry__is_refused(north: Region) -> None:
    north.publisher.publish_tariff(north.file("next", 1, **dynamic({"name": "spot"})), PRODUCT)
    north.publisher.publish_series(spot(zone(ZONE).day_start(north.day(1))), "spot")
    assert north.names(1, 2) == ["next"]
    database = north.town.index.database
    with database.write() as connection:
        connection.execute(series_table.delete())
    with pytest.raises(BookUnlike, match="the price series 'spot' in the tables"):
        north.names(1, 2)
    with database.write() as connection:
        connection.execute(tariffs_table.delete())
    with pytest.raises(BookUnlike, match="the product 'household' in the tables"):
        north.names(1, 2)
    north.town.index.follower._begin_anew()
    assert north.names(1, 2) == ["next"]


def test_look_up__knowing_the_contracts_words__asks_for_none_and_again_where_they_differ(
    north: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    def words() -> tuple[dict[Any, Any], int]:
        north.town.index.follower.catch_up()
        asked_for = book.questions_of(north.node.keys.address)
        return {one: north.gateway.call(*one) for one in asked_for}, north.gateway.block_number()

    book, heads = north.book, list[str]()
    call = north.gateway.call

    def counting(contract: str, function: str, *args: Any, **how: Any) -> Any:
        heads.extend([function] if "ead" in function else [])
        return call(contract, function, *args, **how)

    north.publisher.publish_tariff(north.file("next", 1, **dynamic({"name": "spot"})), PRODUCT)
    north.publisher.publish_series(spot(zone(ZONE).day_start(north.day(1))), "spot")
    before, at = words()
    assert sorted(one[1] for one in before) == ["headOf", "headOf", "seriesHeadOf"]
    monkeypatch.setitem(vars(north.gateway), "call", counting)
    north.book = book.knowing(before, block=at)
    assert north.names(1, 2, as_of_block=at) == ["next"] and heads == []

    # Of an earlier block than is asked about, they say nothing; nor where the list has grown.
    north.book = book.knowing(before, block=at - 1)
    assert north.names(1, 2, as_of_block=at) == ["next"]
    assert heads == ["headOf", "seriesHeadOf"]
    north.publisher.publish_tariff(north.file("other", 2), PRODUCT)
    north.town.index.follower.catch_up()
    north.book = book.knowing(before, block=at)
    heads.clear()
    assert north.names(1, 2, as_of_block=at) == ["next"] and heads[0] == "headOf"

    # What the tables lack shows all the same.
    monkeypatch.undo()
    now, at = words()
    north.book = book.knowing(now, block=at)
    with north.town.index.database.write() as connection:
        connection.execute(tariffs_table.delete())
    with pytest.raises(BookUnlike, match="the product 'household'"):
        north.names(1, 2)
    north.town.index.follower._begin_anew()
    assert north.names(1, 4) == ["next", "other", "other"]


def test_look_up__as_of_a_block_to_come__is_refused(north: Region) -> None:
    with pytest.raises(IndexBehind):
        north.names(0, 1, as_of_block=north.gateway.block_number() + 1)


def test_look_up__given_a_document_that_nobody_has__names_it(north: Region, tmp_path: Path) -> None:
    tariff, _ = north.publisher.publish_tariff(north.file("next", 1), PRODUCT)
    with open_store(f"dir:{tmp_path}") as empty:
        north.book = TariffBook(north.gateway, north.town.index, empty)
        with pytest.raises(DocumentMissing, match=tariff.digest):
            north.names(1, 2)


def test_look_up__given_the_digest_of_something_else__is_void(north: Region) -> None:
    start = zone(ZONE).day_start(north.day(1))
    small = north.town.store.put(b"no tariff").digest
    large = north.town.store.put(b"x" * 300_000).digest  # an index and two blocks
    for digest in (small, large):
        north.gateway.transact(
            "TariffBook", "appendTariff", north.node.region, PRODUCT, (digest, start, 0)
        )

        with pytest.raises(TariffError):
            tariff_offer(document_of(north.town.store, digest.hex()))
    north.publisher.publish_tariff(north.file("good", 2), PRODUCT)
    assert north.names(1, 4) == [None, "good", "good"]


# ---- price series


def test_publish_series__ahead__is_published_once(north: Region) -> None:
    start = zone(ZONE).day_start(north.day(1))
    series, receipt = north.publisher.publish_series(spot(start), "spot")
    assert receipt is not None
    said = receipt.event("SeriesPublished").args
    assert (said["startsAt"], said["endsAt"]) == (start, start + DAY)
    north.publisher.publish_series(spot(start, hours=1), "spot")
    assert north.publisher.publish_series(spot(start), "spot") == (series, None)


def test_publish_series__given_what_does_not_fit__says_what_to_do(north: Region) -> None:
    start = zone(ZONE).day_start(north.day(1))
    with pytest.raises(TariffError, match="calls itself 'spot', not 'other'"):
        north.publisher.publish_series(spot(start), "other")
    with pytest.raises(TariffNotAhead, match=r"its first price begins at .* dmsm admin series"):
        north.publisher.publish_series(spot(start - 2 * DAY), "spot")
    long = price_series.encode(
        name="spot", currency="EUR", resolution_s=900, start=start, prices=[10**12] * 20_000
    )
    with pytest.raises(TariffError, match="at most 262144 can be published in one piece"):
        series_offer(long)
