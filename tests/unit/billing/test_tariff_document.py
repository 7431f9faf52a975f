"""The tariff document: each member that may be wrong is named, and schedules have no holes."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest

from offchain.billing import tariff_document
from offchain.errors import TariffError
from offchain.records import canonical_json

from .world import document, flat, read, schedule

SPOT = {
    "kind": "dynamic",
    "name": "spot",
    "resolution_s": 3_600,
    "factor_ppm": 10**6,
    "adder": 0,
    "series": ["ab" * 32],
}
TIERED = {
    "kind": "tiered",
    "name": "slabs",
    "per": "month",
    "tiers": [
        {"up_to_wh": 100, "price": 1},
        {"up_to_wh": 200, "price": 2},
        {"up_to_wh": None, "price": 3},
    ],
}
PEAK = {"kind": "peak", "name": "cap", "resolution_s": 900, "price_per_kw": 1, "minimum_w": 0}
RICH = document(
    **{"import": [flat(1), schedule({"name": "all", "price": 2}), SPOT, TIERED, PEAK]},
    export=[flat(3, "feed-in")],
    fixed=[{"name": "standing", "per": "day", "amount": 5}],
    taxes=[{"name": "VAT", "rate_ppm": 210_000, "on": ["import", "fixed"]}],
    holidays=["2024-12-25"],
)


def paths(value: Any, path: tuple = ()) -> list[tuple]:
    """Return the place of each member of each object."""
    if isinstance(value, dict):
        below = [found for name in value for found in paths(value[name], (*path, name))]
        return [(*path, name) for name in value] + below
    if isinstance(value, list):
        return [found for i, item in enumerate(value) for found in paths(item, (*path, i))]
    return []


def at(value: Any, path: tuple) -> Any:
    for step in path:
        value = value[step]
    return value


def changed(path: str, value: Any) -> dict:
    """Return RICH with another value at a place such as `import.2.adder`."""
    found = copy.deepcopy(RICH)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    at(found, tuple(steps))[last] = value
    return found


def test_parse__any_layout__has_the_digest_of_canonical_json() -> None:
    canonical = canonical_json.dumps(RICH)
    laid_out = tariff_document.parse(json.dumps(RICH, indent=3).encode())
    assert laid_out == tariff_document.decode(canonical)
    assert laid_out.digest == hashlib.sha256(canonical).hexdigest()


def test_decode__json_that_is_not_canonical__is_refused() -> None:
    with pytest.raises(TariffError, match="not in canonical form"):
        tariff_document.decode(json.dumps(RICH, indent=3).encode())


@pytest.mark.parametrize("path", paths(RICH), ids=str)
def test_parse__a_member_is_missing__is_named(path: tuple) -> None:
    found = copy.deepcopy(RICH)
    del at(found, path[:-1])[path[-1]]
    with pytest.raises(TariffError, match=f"'{path[-1]}'"):
        read(found)


@pytest.mark.parametrize("path", [(), ("import", 0), ("import", 1, "periods", 0), ("taxes", 0)])
def test_parse__a_member_that_is_not_known__is_named(path: tuple) -> None:
    found = copy.deepcopy(RICH)
    at(found, path)["color"] = "red"
    with pytest.raises(TariffError, match="'color' is not known"):
        read(found)


PERIOD = "import.1.periods.0"


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("v", 1, "v: must be 2"),
        ("v", True, "v: must be 2"),
        ("name", "", "name: must be text"),
        ("name", "\ud800", "this is no tariff"),
        ("currency", "euro", "currency: must be a currency's three letters"),
        ("minor_digits", 7, "minor_digits: must be an integer in [0, 6]"),
        ("time_zone", "Mars/Base", "time_zone: is no time zone"),
        ("valid_from", "2024-1-1", "valid_from: must be a date"),
        ("valid_from", "2024-02-30", "valid_from: must be a date"),
        ("valid_to", "2020-01-01", "valid_to: must be later than valid_from"),
        ("holidays", ["24-12-25"], "holidays[0]: must be a date"),
        ("import", {}, "import: must be a list"),
        ("import.0", 5, "import[0]: must be an object with a member 'kind'"),
        ("import.0.kind", "magic", "import[0].kind: must be one of flat, schedule"),
        ("import.0.price", 10**12 + 1, "import[0].price: must be an integer"),
        ("import.0.price", "1", "import[0].price: must be an integer"),
        ("import.0.price", True, "import[0].price: must be an integer"),
        ("export.0", TIERED, "export[0].kind: must be one of flat, schedule, dynamic"),
        ("export.0", PEAK, "export[0].kind: must be one of flat, schedule, dynamic"),
        ("import.1.periods", [], "import[1].periods: must be a list of 1"),
        (f"{PERIOD}.months", [13], "import[1].periods[0].months[0]: must be an integer"),
        (f"{PERIOD}.months", [], "import[1].periods[0].months: must be a list of 1"),
        (f"{PERIOD}.days", ["monday"], "import[1].periods[0].days[0]: must be one of mon"),
        (f"{PERIOD}.from", "24:00", "import[1].periods[0].from: must be a time HH:MM"),
        (f"{PERIOD}.from", "7:00", "import[1].periods[0].from: must be a time HH:MM"),
        (f"{PERIOD}.to", "24:01", "import[1].periods[0].to: must be a time HH:MM"),
        (f"{PERIOD}.to", "00:00", "import[1].periods[0]: from and to are equal"),
        ("import.2.resolution_s", 600, "import[2].resolution_s: must be one of 900, 1800, 3600"),
        ("import.2.series", ["AB" * 32], "import[2].series[0]: must be the 64"),
        ("import.2.series", {"names": "x"}, "import[2].series: the member 'name' is missing"),
        ("import.3.per", "year", "import[3].per: must be month"),
        ("import.3.tiers.1.up_to_wh", 100, "import[3].tiers[1].up_to_wh: must be an integer in"),
        ("import.3.tiers.1.up_to_wh", None, "import[3].tiers[1].up_to_wh: must be an integer"),
        ("import.3.tiers.2.up_to_wh", 300, "import[3].tiers[2].up_to_wh: must be null"),
        ("import.4.resolution_s", 3_600, "import[4].resolution_s: must be 900"),
        ("import.4.minimum_w", -1, "import[4].minimum_w: must be an integer"),
        ("fixed.0.per", "week", "fixed[0].per: must be one of day, month"),
        ("taxes.0.on", ["total"], "taxes[0].on[0]: must be one of import, export, fixed"),
        ("taxes.0.rate_ppm", 0.21, "integers only"),
    ],
)
def test_parse__a_member_is_wrong__is_named_with_what_it_must_be(
    path: str, value: Any, named: str
) -> None:
    with pytest.raises(TariffError) as refused:
        read(changed(path, value))
    assert named in str(refused.value)


def test_parse__the_older_tariff__names_its_version_alone() -> None:
    with pytest.raises(TariffError, match=r"^v: must be 2$"):
        tariff_document.parse(b'{"v":1,"name":"old","utc_offset_s":0}')


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"v":2}', b"\xff", b"7"])
def test_parse__no_tariff_at_all__is_refused(data: bytes) -> None:
    with pytest.raises(TariffError):
        tariff_document.parse(data)


def test_parse__series_by_published_name__is_read() -> None:
    [component] = read(document(**{"import": [SPOT | {"series": {"name": "day ahead"}}]})).imports
    assert component.series_name == "day ahead"


ODD = [None, True, -1, 0, 10**30, "", "00:00", "24:00", "2024-01-01", [], [[]], [None], [0], {}]
ODD += [{"name": "x"}, {"kind": "flat"}, ["import"], ["mon"], "\x00", "é" * 200]


@pytest.mark.parametrize("path", paths(RICH), ids=str)
def test_parse__any_value_in_any_place__is_read_or_refused_by_its_place(path: tuple) -> None:
    for value in ODD:
        found = copy.deepcopy(RICH)
        at(found, path[:-1])[path[-1]] = value
        try:
            read(found)
        except TariffError as refused:
            assert str(path[0]) in str(refused)


@pytest.mark.parametrize("valid_from", ["0003-01-01", "9997-12-30"])
def test_parse__the_first_and_last_dates__are_read(valid_from: str) -> None:
    always = schedule({"name": "week", "price": 1, "days": ["mon"]}, {"name": "all", "price": 1})
    read(document(**{"import": [always]}, valid_from=valid_from, holidays=["9997-12-31"]))


WEEKDAYS = {"name": "week", "price": 1, "days": ["mon", "tue", "wed", "thu", "fri"]}
WEEKEND = {"name": "weekend", "price": 1, "days": ["sat", "sun"]}


@pytest.mark.parametrize(
    ("periods", "members", "named"),
    [
        ([WEEKDAYS, WEEKEND], {"holidays": ["2030-12-25"]}, "2030-12-25 from 00:00 to 24:00"),
        ([WEEKDAYS], {"valid_from": "2024-01-01"}, "2024-01-06 from 00:00 to 24:00"),
        ([{"name": "n", "price": 1, "from": "07:00"}], {}, "2020-01-01 from 00:00 to 07:00"),
        (
            [{"name": "n", "price": 1, "from": "22:00", "to": "21:59"}],
            {},
            "2020-01-01 from 21:59 to 22:00",
        ),
        ([{"name": "n", "price": 1, "months": [*range(2, 13)]}], {}, "2020-01-01"),
        # The night of a holiday reaches into the day after, on which nothing else holds.
        (
            [
                {"name": "n", "price": 1, "days": ["holiday"], "from": "22:00", "to": "06:00"},
                {"name": "d", "price": 1, "days": ["holiday"], "to": "22:00"},
                {"name": "w", "price": 1, "from": "06:00"},
                {"name": "e", "price": 1, "days": ["mon", "tue", "thu", "fri", "sat", "sun"]},
            ],
            {"holidays": ["2024-12-24"], "valid_from": "2024-12-24", "valid_to": "2025-01-03"},
            "2025-01-01 from 00:00 to 06:00",
        ),
    ],
)
def test_parse__schedule_with_a_hole__names_component_and_first_date(
    periods: list, members: dict, named: str
) -> None:
    with pytest.raises(TariffError) as refused:
        read(document(**{"import": [schedule(*periods, name="my hours")]}, **members))
    assert "'my hours'" in str(refused.value)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("periods", "members"),
    [
        ([WEEKDAYS], {"valid_from": "2024-01-01", "valid_to": "2024-01-06"}),  # monday to friday
        ([WEEKDAYS, WEEKEND], {"holidays": ["2019-12-25"]}),  # a holiday before it is valid
        ([{"name": "n", "price": 1, "from": "22:00", "to": "00:00"}] * 2, None),
        (
            [{"name": "n", "price": 1, "to": "06:00"}, {"name": "d", "price": 2, "from": "06:00"}],
            {},
        ),
        ([{"name": "n", "price": 1, "months": [1]}], {"valid_to": "2020-02-01"}),
    ],
)
def test_parse__every_minute_of_its_validity_has_a_price__is_read(
    periods: list, members: dict | None
) -> None:
    if members is None:  # a range to midnight is one to 24:00
        periods, members = [periods[0], {"name": "d", "price": 2, "to": "22:00"}], {}
    read(document(**{"import": [schedule(*periods)]}, **members))
