"""Files of readings: what spreadsheets do to them, both headers, and what is named when wrong."""

from __future__ import annotations

import pytest

from offchain.billing import readings_csv
from offchain.billing.registers import RegisterReading
from offchain.errors import RegisterError
from offchain.records import meter_csv

HEADER = meter_csv.HEADER
OLDER = ",".join(meter_csv.OLDER_COLUMNS)
GOOD = f"{HEADER}\n100,40000,7,120,-35\n200,40120,7,-155,\n"
ROWS = [RegisterReading(100, 40_000, 7), RegisterReading(200, 40_120, 7)]


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.rstrip("\n"),
        GOOD + "\n",
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in GOOD.split("\n")[:3]),
    ],
    ids=["plain", "no-end", "blank-line", "crlf", "bom", "quoted"],
)
def test_parse__what_spreadsheets_write__is_read(text: str) -> None:
    assert readings_csv.parse(text.encode()) == ROWS


def test_parse__older_header__has_no_export() -> None:
    found = readings_csv.parse(f"{OLDER}\n100,5,0,0\n200,6,0,0\n".encode())
    assert found == [RegisterReading(100, 5, 0), RegisterReading(200, 6, 0)]


def test_parse__column_register_restarted__is_read() -> None:
    text = f"{HEADER},register_restarted\n1,5,0,0,0,\n2,6,0,0,0,0\n3,6,0,0,0,1\n4,6,0,0,0,1000\n"
    assert [row.restarted for row in readings_csv.parse(text.encode())] == [0, 0, 1, 1000]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "line 1: header"),
        ("time,kwh\n1,2\n", "line 1: header: must be time_unix_s,import_wh,export_wh"),
        (f"{HEADER}\n", "line 2: rows: the file holds no reading"),
        (f"{HEADER}\n1,2,3\n", "line 2: row: has 3 columns where 5 are needed"),
        (f"{HEADER}\n1,2,3,0,0\n2,x,3,0,0\n", "line 3: import_wh: 'x'"),
        (f"{HEADER}\n1,2,-3,0,0\n", "line 2: export_wh: '-3'"),
        (f"{HEADER}\n1,2.5,3,0,0\n", "line 2: import_wh: '2.5'"),
        (f"{HEADER}\n1,2,3,,0\n", "line 2: power_w: ''"),
        (f"{HEADER}\n,2,3,0,0\n", "line 2: time_unix_s: ''"),
        (f"{HEADER}\n1,{'9' * 19},3,0,0\n", "line 2: import_wh"),
        (f"{HEADER},register_restarted\n1,2,3,0,0,-1\n", "line 2: register_restarted: '-1'"),
        (f'{HEADER}\n1,"2,3,0,0\n', "line"),
    ],
)
def test_parse__a_bad_file__names_line_and_column(text: str, named: str) -> None:
    with pytest.raises(RegisterError) as refused:
        readings_csv.parse(text.encode())
    assert named in str(refused.value)


def test_parse__not_utf8__names_the_line() -> None:
    with pytest.raises(RegisterError, match="line 2: file: is not UTF-8"):
        readings_csv.parse(f"{HEADER}\n".encode() + b"\xff\n")


def test_parse__too_large__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings_csv, "MAX_BYTES", 10)
    with pytest.raises(RegisterError, match="larger than 10 bytes"):
        readings_csv.parse(GOOD.encode())
