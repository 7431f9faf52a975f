"""Market prices: ENTSO-E documents, CSV files, and how they become one series."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.billing import entsoe, market_prices, price_csv, price_series, safe_xml
from offchain.errors import TariffError

SHARED = Path(__file__).resolve().parents[4] / "shared" / "exports"
HOUR, QUARTER = 3_600, 900
START = 1_728_165_600  # 2024-10-05T22:00Z
NAMESPACE = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"


def period(
    points: dict[int, str],
    *,
    resolution: str = "PT60M",
    start: str = "2024-10-05T22:00Z",
    end: str = "2024-10-06T02:00Z",
) -> str:
    listed = "".join(
        f"<Point><position>{n}</position><price.amount>{price}</price.amount></Point>"
        for n, price in points.items()
    )
    return (
        f"<Period><timeInterval><start>{start}</start><end>{end}</end></timeInterval>"
        f"<resolution>{resolution}</resolution>{listed}</Period>"
    )


def series_of(
    *periods: str, curve: str = "A03", unit: str = "MWH", sequence: int | None = None
) -> str:
    position = ""
    if sequence is not None:
        name = "classificationSequence_AttributeInstanceComponent.position"
        position = f"<{name}>{sequence}</{name}>"
    return (
        f"<TimeSeries><mRID>1</mRID>{position}<currency_Unit.name>EUR</currency_Unit.name>"
        f"<price_Measure_Unit.name>{unit}</price_Measure_Unit.name>"
        f"<curveType>{curve}</curveType>{''.join(periods)}</TimeSeries>"
    )


def a44(*series: str, kind: str = "A44", head: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>{head}'
        f'<Publication_MarketDocument xmlns="{NAMESPACE}"><type>{kind}</type>'
        f"{''.join(series)}</Publication_MarketDocument>"
    ).encode()


def laid_out(data: bytes, resolution_s: int | None = None) -> tuple[int, int, list[int]]:
    return market_prices.lay_out(entsoe.parse(data), resolution_s)


FOUR = {1: "64.98", 2: "-0.01", 3: "0", 4: "1000.00"}


def test_parse__hours__become_micro_units_a_kwh() -> None:
    found = laid_out(a44(series_of(period(FOUR))))
    assert found == (START, HOUR, [64_980, -10, 0, 1_000_000])


def test_parse__positions_left_out_in_curve_a03__repeat_the_price_before() -> None:
    found = laid_out(a44(series_of(period({1: "5", 4: "-7"}))))
    assert found[2] == [5_000, 5_000, 5_000, -7_000]
    assert laid_out(a44(series_of(period({1: "5"}))))[2] == [5_000] * 4


def test_parse__quarters__are_numbered_from_the_start_of_their_period() -> None:
    parts = [
        period({1: "1", 3: "2"}, resolution="PT15M", end="2024-10-05T23:00Z"),
        period({1: "3"}, resolution="PT15M", start="2024-10-05T23:00Z", end="2024-10-06T00:00Z"),
    ]
    assert laid_out(a44(series_of(*parts))) == (
        START,
        QUARTER,
        [1_000, 1_000, 2_000, 2_000, *[3_000] * 4],
    )


def test_parse__day_of_25_hours__has_25_prices() -> None:
    day = period({1: "1", 25: "2"}, start="2024-10-26T22:00Z", end="2024-10-27T23:00Z")
    assert len(laid_out(a44(series_of(day)))[2]) == 25


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "this is no XML"),
        (b"<a><b></a>", "this is no XML"),
        (b"<html/>", "this is no document of prices"),
        (a44(series_of(period(FOUR)), kind="A65"), "this is no document of prices"),
        (a44(), "holds no prices"),
        (a44(series_of(period(FOUR), curve="A02")), "curve type 'A02'"),
        (a44(series_of(period(FOUR), unit="MAW")), "a 'MAW'"),
        (a44(series_of(period(FOUR, resolution="P1D"))), "resolution 'P1D'"),
        (a44(series_of(period(FOUR, end="2024-10-06T02:30Z"))), "no whole number of PT60M"),
        (a44(series_of(period(FOUR, end="2024-10-05T22:00Z"))), "no whole number of PT60M"),
        (a44(series_of(period(FOUR, end="9999-10-05T22:00Z"))), "no whole number of PT60M"),
        (a44(series_of(period(FOUR, start="2024-10-05T22:00"))), "no time in UTC"),
        (a44(series_of(period(FOUR, start="2024-13-05T22:00Z"))), "no time in UTC"),
        (a44(series_of(period(FOUR | {5: "1"}))), "position 5 is out of order, or above 4"),
        (a44(series_of(period({2: "1"}))), "position 1 is missing"),
        (a44(series_of(period({}))), "position 1 is missing"),
        (a44(series_of(period({1: "1", 3: "1", 2: "1"}))), "position 2 is out of order"),
        (a44(series_of(period({1: "1", 4: "2"}), curve="A01")), "position 2 is missing"),
        (a44(series_of(period({1: "1"}), curve="A01")), "position 2 is missing"),
        (a44(series_of(period({1: "1e9", 2: "1"}))), "'1e9' is no decimal number"),
        (a44(series_of(period({1: "NaN"}))), "'NaN' is no decimal number"),
        (
            a44(series_of(period(FOUR)).replace("<curveType>A03</curveType>", "")),
            "TimeSeries: the element curveType is missing",
        ),
        (
            b"<Acknowledgement_MarketDocument><Reason><code>999</code><text>No matching data"
            b"</text></Reason></Acknowledgement_MarketDocument>",
            "No matching data",
        ),
        (b"<a>" * 40 + b"</a>" * 40, "nested more than 32 deep"),
    ],
)
def test_parse__not_a_document_of_prices__says_what_is_wrong(data: bytes, named: str) -> None:
    with pytest.raises(TariffError) as refused:
        entsoe.parse(data)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY x "y">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    ],
)
def test_parse__a_document_type__is_refused_before_anything_is_read(head: str) -> None:
    with pytest.raises(TariffError, match="document type"):
        entsoe.parse(a44(series_of(period(FOUR)), head=head))


@pytest.mark.parametrize("encoding", ["tf-8", "base64", "utf-32", "utf-7", "idna"])
def test_parse__an_encoding_that_cannot_be_read__is_refused(encoding: str) -> None:
    with pytest.raises(TariffError, match="this is no XML"):
        safe_xml.parse(f'<?xml version="1.0" encoding="{encoding}"?><a>x</a>'.encode())


@given(data=st.data())
@settings(max_examples=300)
def test_parse__any_damage__is_read_or_refused(data: st.DataObject) -> None:
    document = bytearray(a44(series_of(period(FOUR))))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(document) - 1))
        document[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    try:
        entsoe.parse(bytes(document))
    except TariffError as refused:
        assert str(refused)


def test_parse__too_large__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_xml, "MAX_BYTES", 100)
    with pytest.raises(TariffError, match="larger than 100 bytes"):
        entsoe.parse(a44(series_of(period(FOUR))))


def test_one_sequence__two_auctions__must_be_said() -> None:
    other = {1: "9"}
    data = a44(series_of(period(FOUR), sequence=1), series_of(period(other), sequence=2))
    stretches = entsoe.parse(data)
    with pytest.raises(TariffError, match="positions here are 1, 2"):
        market_prices.one_sequence(stretches, None)
    with pytest.raises(TariffError, match="positions here are 1, 2"):
        market_prices.one_sequence(stretches, 3)
    chosen = market_prices.one_sequence(stretches, 2)
    assert market_prices.lay_out(chosen, None)[2] == [9_000] * 4


def test_one_sequence__only_one__need_not_be_said() -> None:
    stretches = entsoe.parse(a44(series_of(period(FOUR), sequence=1)))
    assert market_prices.one_sequence(stretches, None) == stretches


def stretch(
    start: int, prices: list[str], resolution_s: int = HOUR, currency: str = "EUR"
) -> market_prices.Stretch:
    return market_prices.Stretch(
        start=start,
        resolution_s=resolution_s,
        currency=currency,
        prices=tuple(Fraction(price) for price in prices),
    )


def test_lay_out__finer_prices_than_wanted__are_averaged_and_rounded() -> None:
    quarters = stretch(START, ["55350", "44220", "40320", "31860"], QUARTER)
    assert market_prices.lay_out([quarters], HOUR) == (START, HOUR, [42_938])  # 42,937.5
    assert market_prices.lay_out([quarters], 1_800)[2] == [49_785, 36_090]


def test_lay_out__coarser_prices_than_wanted__are_repeated() -> None:
    hours = stretch(START, ["7", "8"])
    assert market_prices.lay_out([hours], QUARTER) == (START, QUARTER, [7] * 4 + [8] * 4)


def test_lay_out__two_resolutions_of_one_time__takes_the_wanted_one() -> None:
    both = [stretch(START, ["7", "8"]), stretch(START, [str(i) for i in range(8)], QUARTER)]
    assert market_prices.lay_out(both, HOUR)[2] == [7, 8]
    assert market_prices.lay_out(both, QUARTER)[2] == [*range(8)]
    with pytest.raises(TariffError, match=r"prices of \[900, 3600\] seconds"):
        market_prices.lay_out(both, None)


def test_lay_out__the_same_prices_twice__are_taken_once() -> None:
    days = [stretch(START, ["1", "2"]), stretch(START + HOUR, ["2", "3"])]
    assert market_prices.lay_out(days, None)[2] == [1, 2, 3]


@pytest.mark.parametrize(
    ("stretches", "wanted", "named"),
    [
        ([stretch(START, ["1", "2"]), stretch(START + HOUR, ["3"])], None, str(START + HOUR)),
        ([stretch(START, ["1"]), stretch(START + 2 * HOUR, ["1"])], None, str(START + HOUR)),
        ([stretch(START, ["1", "2", "3"], QUARTER)], HOUR, "whole slots of 3600 seconds"),
        (
            [stretch(START, ["1", "2"], QUARTER), stretch(START + 1_800, ["1"])],
            HOUR,
            "whole slots",
        ),
    ],
    ids=["contradiction", "gap", "part-of-an-hour", "off-the-grid"],
)
def test_lay_out__prices_that_make_no_series__says_where(
    stretches: list, wanted: int | None, named: str
) -> None:
    with pytest.raises(TariffError, match=named):
        market_prices.lay_out(stretches, wanted)


def test_one_currency__two__are_refused() -> None:
    with pytest.raises(TariffError, match="EUR, SEK"):
        market_prices.one_currency([stretch(0, ["1"]), stretch(HOUR, ["1"], currency="SEK")])


# What the documents of the public exports say (their README, and their source's own test).
EXPORTS = {
    "entsoe_BE_15M_exact4.xml": (None, QUARTER, 4, {0: 55_350, 1: 44_220, 3: 31_860}),
    "entsoe_BE_60M.xml": (None, HOUR, 24, {0: 64_980, 23: 50_000}),
    "entsoe_BE_60M_15M_mix.xml": (HOUR, HOUR, 72, {0: 55_350, 13: -10, 14: -10, 48: 64_980}),
}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public exports are not beside the checkout")
@pytest.mark.parametrize("name", EXPORTS)
def test_parse__public_export__gives_its_prices(name: str) -> None:
    resolution_s, seconds, count, expected = EXPORTS[name]
    found = laid_out((SHARED / name).read_bytes(), resolution_s)
    assert (found[1], len(found[2])) == (seconds, count)
    assert {i: found[2][i] for i in expected} == expected


@pytest.mark.parametrize(
    ("text", "prices"),
    [
        ("time_unix_s,price_micro_per_kwh\n3600,5\n7200,-6\n", [5, -6]),
        ("time_unix_s,price_per_kwh\n3600,0.25\n7200,-1\n", [250_000, -1_000_000]),
        ("time_unix_s,price_per_mwh\n3600,64.98\n7200,0.0005\n", [64_980, 1]),
        (
            "\ufefftime,price_per_mwh\r\n1970-01-01T01:00Z,1\r\n1970-01-01T03:00+01:00,2\r\n\r\n",
            None,
        ),
    ],
)
def test_parse_csv__each_unit_and_way_to_write_times__is_read(text: str, prices: list) -> None:
    found = price_csv.parse(text.encode(), currency="EUR", resolution_s=None)
    assert market_prices.lay_out(found, None) == (HOUR, HOUR, prices or [1_000, 2_000])


def test_parse_csv__a_gap__makes_two_stretches() -> None:
    text = "time_unix_s,price_per_mwh\n0,1\n900,2\n2700,3\n"
    found = price_csv.parse(text.encode(), currency="EUR", resolution_s=None)
    assert [(one.start, len(one.prices)) for one in found] == [(0, 2), (2_700, 1)]


def test_parse_csv__a_row_off_the_grid__makes_no_series() -> None:
    text = "time_unix_s,price_per_mwh\n0,1\n900,2\n2250,3\n"
    found = price_csv.parse(text.encode(), currency="EUR", resolution_s=None)
    with pytest.raises(TariffError, match="no price from 1800 to 2250"):
        market_prices.lay_out(found, None)


HEAD = "time_unix_s,price_per_mwh\n"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "line 1: the header must be"),
        ("a,b\n1,2\n", "line 1: the header must be"),
        (HEAD, "line 2: the file holds no price"),
        (HEAD + "0,1,2\n", "line 2: has 3 columns"),
        (HEAD + "0,1\nx,2\n", "line 3: 'x' is no time"),
        (HEAD + "2024-01-01T00:00,2\n", "line 2: '2024-01-01T00:00' is no time"),  # no offset
        (HEAD + '0,"1,5"\n', "line 2: '1,5' is no decimal number"),
        (HEAD + "0,1\n", "say the resolution"),
        (HEAD + "0,1\n600,1\n", "the rows are 600 s apart"),
        (HEAD + "0,1\n900,1\n900,1\n", "the rows are 0 s apart"),
        (HEAD + "0,1\n3600,1\n1800,1\n", "the rows are -1800 s apart"),
        (HEAD + '0,"1\n', "no CSV"),
    ],
)
def test_parse_csv__a_bad_file__says_where(text: str, named: str) -> None:
    with pytest.raises(TariffError) as refused:
        price_csv.parse(text.encode(), currency="EUR", resolution_s=None)
    assert named in str(refused.value)


def test_parse_csv__rows_nearer_than_the_resolution__are_refused() -> None:
    with pytest.raises(TariffError, match="0 and 900 are out of order or overlap"):
        price_csv.parse(f"{HEAD}0,1\n900,2\n".encode(), currency="EUR", resolution_s=HOUR)


def test_parse_csv__not_utf8_or_too_large__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TariffError, match="UTF-8"):
        price_csv.parse(b"\xff", currency="EUR", resolution_s=None)
    monkeypatch.setattr(price_csv, "MAX_BYTES", 3)
    with pytest.raises(TariffError, match="larger than 3 bytes"):
        price_csv.parse(HEAD.encode(), currency="EUR", resolution_s=None)


def test_encode__what_decode_gives__is_the_same_with_its_digest() -> None:
    data = price_series.encode(
        name="spot", currency="EUR", resolution_s=HOUR, start=START, prices=[1, -2, 3]
    )
    found = price_series.decode(data)
    assert (found.start, found.end, found.prices) == (START, START + 3 * HOUR, (1, -2, 3))
    assert price_series.parse(data.replace(b",", b", ")) == found
    with pytest.raises(TariffError, match="not in canonical form"):
        price_series.decode(data.replace(b",", b", "))


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"prices": []}, "prices: must be a list of 1"),
        ({"prices": [10**12 + 1]}, "prices[0]: must be an integer"),
        ({"resolution_s": 60}, "resolution_s: must be one of 900, 1800, 3600"),
        ({"start": -1}, "from: must be an integer"),
        ({"currency": "€"}, "currency: must be"),
        ({"name": ""}, "name: must be text"),
    ],
)
def test_encode__what_decode_would_refuse__is_refused_by_member(members: dict, named: str) -> None:
    good: dict = {
        "name": "spot",
        "currency": "EUR",
        "resolution_s": HOUR,
        "start": START,
        "prices": [1],
    }
    with pytest.raises(TariffError) as refused:
        price_series.encode(**(good | members))
    assert named in str(refused.value)
