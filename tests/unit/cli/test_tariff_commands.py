"""`dmsm tariff`: bills, calendars and series from files; a bad file ends with 2 and says where."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from offchain.cli.app import app

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "billing"
SPRING = VECTORS / "02-day-night-spring"


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["tariff", *map(str, arguments)], env={"COLUMNS": "100"})


def bill(folder: Path, *more: str, start: object = None, end: object = None) -> Any:
    args = json.loads((folder / "args.json").read_text())
    files = [("--tariff", path) for path in sorted(folder.glob("tariff*.json"))]
    files += [("--series", path) for path in sorted(folder.glob("series*.json"))]
    return run(
        *("bill", "--readings", folder / "readings.csv"),
        *(part for pair in files for part in pair),
        *("--from", start or args["from"], "--to", end or args["to"], *more),
    )


@pytest.fixture
def spring(tmp_path: Path) -> Path:
    """A copy of a vector whose files a test may spoil."""
    for path in SPRING.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def change(path: Path, **members: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | members))


@pytest.mark.parametrize("folder", sorted(p for p in VECTORS.iterdir() if p.is_dir()), ids=str)
def test_bill__of_a_vector__prints_its_bill_or_what_is_wrong(folder: Path) -> None:
    expected = json.loads((folder / "bill.json").read_text())
    result = bill(folder, "--json")
    if "error" in expected:
        assert result.exit_code == 2
        assert all(name in result.stderr for name in expected["names"])
    else:
        assert result.exit_code == 0
        assert json.loads(result.stdout) == expected


def test_bill__for_people__shows_each_line_and_what_is_not_whole() -> None:
    text = bill(VECTORS / "09-register-events-gaps").stdout
    assert "12988 Wh are estimated" in text
    assert "intervals of unknown energy, not billed: 1" in text
    assert (
        "total                                                                     4.38 USD" in text
    )
    partly = bill(VECTORS / "10-edges-off-readings").stdout
    assert "covers 2024-06-01 00:00 to 2024-06-04 07:30 only" in partly
    assert "slabs: tier 3" in partly
    two = bill(VECTORS / "11-two-tariffs").stdout
    assert two.count("tariff ") == 2


def test_bill__file_with_byte_order_mark__is_the_same_bill(spring: Path) -> None:
    readings = spring / "readings.csv"
    readings.write_bytes(b"\xef\xbb\xbf" + readings.read_bytes().replace(b"\n", b"\r\n"))
    assert json.loads(bill(spring, "--json").stdout) == json.loads(
        (SPRING / "bill.json").read_text()
    )


@pytest.mark.parametrize(
    ("start", "end", "named"),
    [
        ("2024-03-30", "2024-03-30", "must end after it begins"),
        ("30.3.2024", "2024-04-01", "'30.3.2024' is no date YYYY-MM-DD"),
        ("2023-12-31", "2024-01-02", "no tariff is valid on 2023-12-31"),
    ],
)
def test_bill__a_window_that_cannot_be_billed__ends_with_2(
    start: str, end: str, named: str
) -> None:
    result = bill(SPRING, start=start, end=end)
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr


def test_bill__readings_that_fall__ends_with_2_and_names_the_file(spring: Path) -> None:
    with (spring / "readings.csv").open("a") as file:
        file.write("1799999999,5,250000,0,200\n")
    result = bill(spring)
    assert result.exit_code == 2
    assert "readings.csv: import_wh falls from" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"time_zone": "Europe/Amsterdamm"}, "tariff.json: time_zone: is no time zone"),
        ({"taxes": [{"name": "VAT", "on": []}]}, "tariff.json: taxes[0]: the member 'rate_ppm'"),
        ({"v": 1}, "tariff.json: v: must be 2"),
        ({"import": [{"kind": "flat", "name": "x", "price": 0.25}]}, "integers only"),
    ],
)
def test_check__a_bad_tariff__ends_with_2_and_names_file_and_member(
    spring: Path, members: dict, named: str
) -> None:
    change(spring / "tariff.json", **members)
    result = run("check", spring / "tariff.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert named in result.stderr


def test_check__a_hole__names_component_and_first_date() -> None:
    result = run("check", VECTORS / "14-schedule-with-a-hole" / "tariff.json")
    assert result.exit_code == 2
    assert "'ordinary hours' has no price on 2024-12-25 from 00:00 to 24:00" in result.stderr


def test_check__a_schedule__is_a_calendar() -> None:
    lines = run("check", SPRING / "tariff.json").stdout.splitlines()
    assert lines[0] == "Day/night 2024  (EUR, Europe/Amsterdam)"
    assert lines[2] == "valid      from 2024-01-01, before 2025-01-01"
    start = lines.index("  all year")
    assert lines[start : start + 6] == [
        "  all year",
        "    mon, tue, wed, thu, fri, sat, sun",
        "      00:00-02:00  0.21 EUR  night",
        "      02:00-02:30  0.18 EUR  small hours",
        "      02:30-07:00  0.21 EUR  night",
        "      07:00-23:00  0.2705 EUR  day",
    ]
    assert "fixed   standing: 0.3 EUR a day" in lines
    assert "tax     VAT: 21 % on fixed, import" in lines


@pytest.mark.parametrize(
    ("folder", "shown"),
    [
        ("01-flat-day", ["0.245137 EUR a kWh at all times", "open end"]),
        ("05-dynamic-negative-feed-in", ["15 minutes x 1.03 + 0.0215 EUR", "x 1 + -0.005 EUR"]),
        ("07-tiers-seymour-winter", ["tier 1  up to 250000 Wh a month: 0.064 USD", "beyond"]),
        ("08-peak-flanders", ["3.366667 EUR a kW and month", "at least 2500 W"]),
        ("04-holidays-first-match", ["2024-12-25, 2025-01-01", "jun, jul, aug"]),
    ],
)
def test_check__each_component__is_said_in_words(folder: str, shown: list[str]) -> None:
    text = run("check", VECTORS / folder / "tariff.json").stdout
    assert all(part in text for part in shown)


def test_check__no_such_file__ends_with_2(tmp_path: Path) -> None:
    result = run("check", tmp_path / "none.json")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


CSV = "time_unix_s,price_per_mwh\n3600,64.98\n7200,-0.01\n"


def test_prices__a_csv_file__writes_a_series_that_a_bill_can_take(tmp_path: Path) -> None:
    (tmp_path / "day.csv").write_text(CSV)
    out = tmp_path / "series.json"
    result = run(
        *("prices", tmp_path / "day.csv", "--out", out, "--name", "spot", "--currency", "EUR")
    )
    assert result.exit_code == 0
    assert "2 prices of 3600 s, 1970-01-01T01:00:00Z to 1970-01-01T03:00:00Z" in result.stdout
    assert json.loads(out.read_text()) == {
        "v": 1,
        "name": "spot",
        "currency": "EUR",
        "resolution_s": 3_600,
        "from": 3_600,
        "prices": [64_980, -10],
    }


def test_prices__an_entsoe_document__writes_its_prices(tmp_path: Path) -> None:
    (tmp_path / "day.xml").write_text(
        "<Publication_MarketDocument><type>A44</type><TimeSeries>"
        "<currency_Unit.name>EUR</currency_Unit.name>"
        "<price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A03</curveType><Period>"
        "<timeInterval><start>2024-10-05T22:00Z</start><end>2024-10-05T23:00Z</end></timeInterval>"
        "<resolution>PT15M</resolution>"
        "<Point><position>1</position><price.amount>55.35</price.amount></Point>"
        "</Period></TimeSeries></Publication_MarketDocument>"
    )
    out = tmp_path / "series.json"
    assert run("prices", tmp_path / "day.xml", "--out", out, "--name", "BE").exit_code == 0
    assert json.loads(out.read_text())["prices"] == [55_350] * 4


@pytest.mark.parametrize(
    ("text", "more", "named"),
    [
        (CSV, (), "day.csv: a CSV file does not say its currency; give --currency"),
        ("<a/>", (), "day.csv: this is no document of prices"),
        (CSV, ("--currency", "EUR", "--resolution", "600"), "--resolution must be 900"),
        (CSV + "x,1\n", ("--currency", "EUR"), "day.csv: line 4: 'x' is no time"),
        (CSV, ("--currency", "euro"), "currency: must be a currency's three letters"),
    ],
)
def test_prices__a_bad_file__ends_with_2_and_writes_nothing(
    tmp_path: Path, text: str, more: tuple[str, ...], named: str
) -> None:
    (tmp_path / "day.csv").write_text(text)
    out = tmp_path / "series.json"
    result = run("prices", tmp_path / "day.csv", "--out", out, "--name", "spot", *more)
    assert result.exit_code == 2
    assert named in " ".join(result.stderr.split())
    assert not out.exists()


def test_help__of_the_whole_program__loads_no_part_of_billing() -> None:
    code = (
        "import sys; from offchain.cli.app import app; "
        "print([m for m in sys.modules if m.startswith('offchain.billing')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


ADVICE = VECTORS.parent / "advice" / "02-dynamic-export-amsterdam"


def advice(*more: str) -> Any:
    args = load_args(ADVICE)
    files = ("--tariff", ADVICE / "tariff.json", "--series", ADVICE / "series.json")
    window = ("--from", args["from"], "--to", args["to"], "--as-of", args["as_of"])
    return run("advice", "--readings", ADVICE / "readings.csv", *files, *window, *more)


def load_args(folder: Path) -> Any:
    return json.loads((folder / "args.json").read_text())


def test_advice__of_a_vector__prints_its_advice() -> None:
    result = advice("--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads((ADVICE / "advice.json").read_text())


def test_advice__for_people__says_each_number_with_what_it_comes_from() -> None:
    text = advice().stdout
    assert "47 whole hours are measured" in text
    assert "always on: 284 W, the hour of rank 3 of 33 by their Wh" in text
    assert "13348 Wh and costs 3.411088 EUR" in text
    assert "02:00        -" not in text and "in 1 hours" in text  # 02:00 occurred on one day
    assert "the price is not known yet" in text and "no tariff is known for this day" in text
    assert "it saves up to 0.836189 EUR" in text
    assert "19470 Wh were fed in; 7519 Wh of it could have replaced" in text
    assert max(map(len, text.splitlines())) <= 100


def test_bill__names_that_would_write_to_a_terminal__are_made_harmless(spring: Path) -> None:
    document = json.loads((spring / "tariff.json").read_text())
    document["import"][0]["name"] = "\x1b[2Jenergy"
    (spring / "tariff.json").write_text(json.dumps(document))
    text = bill(spring).stdout
    assert "?[2Jenergy" in text and "\x1b" not in text
