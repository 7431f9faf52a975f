"""The homes of a run: a directory of meter files, every file of it checked."""

from pathlib import Path

import pytest

from offchain.demo.households import Home, load_homes
from offchain.demo.options import DemoInputError, DemoOptions
from offchain.errors import MeterCsvError
from offchain.records import meter_csv
from offchain.types import MeterSample
from tests.unit.demo.conftest import MeterFile

GOOD = ("86400,1,0,5,10", "86460,2,3,5,10")
NOWHERE = Path("no-such-data")


def load(folder: Path, homes: int | None = None, days: int | None = None) -> list[Home]:
    return load_homes(DemoOptions(readings=folder, homes=homes, days=days), NOWHERE)


def test_load_homes__a_directory__takes_every_csv_in_the_order_of_names(
    folder: Path, meter_file: MeterFile
) -> None:
    for name in ("b.csv", "a 10.csv", "a 2.csv", "Ä.csv", "note.txt", "B.CSV", ".hidden.csv"):
        meter_file(name)
    assert [home.name for home in load(folder)] == ["a 10", "a 2", "b", "Ä"]


def test_load_homes__lf_and_crlf_and_no_last_end__read_alike(
    folder: Path, meter_file: MeterFile
) -> None:
    meter_file("a.csv", eol="\n")
    meter_file("b.csv", eol="\r\n")
    path = meter_file("c.csv")
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    first, second, third = load(folder)
    assert first.samples == second.samples == third.samples
    assert first.samples[0] == MeterSample(
        time_s=86_400, import_wh=1, export_wh=0, power_w=5, temperature_dc=10
    )


def test_load_homes__intervals_differ_and_have_gaps__keeps_every_row(
    folder: Path, meter_file: MeterFile
) -> None:
    meter_file("a.csv", ["1,0,0,0,0", "2,0,0,0,", "90000,5,9,-7,-2732", "4294967295,5,9,0,32767"])
    meter_file("b.csv", ["1,0,0,0,0", "1801,9007,0,0,0", "3601,9007,0,0,0"])
    assert [len(home.samples) for home in load(folder)] == [4, 3]


def test_load_homes__values_at_their_limits__are_taken(folder: Path, meter_file: MeterFile) -> None:
    meter_file("a.csv", ["1,9007199253692416,0,2147483647,-2732", "2,9007199254740991,1048575,0,0"])
    meter_file("b.csv", ["4294967294,0,0,-2147483647,32767", "4294967295,1048575,0,0,0"])
    assert load(folder)[0].samples[1].import_wh == 2**53 - 1


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "1: rows: the file has 0 rows"),
        (["86400,1,0,5,10"], "2: rows: the file has 1 rows"),
        (["0,1,0,5,10", *GOOD], "2: time_unix_s: 0 is not in"),
        (["4294967296,1,0,5,10", *GOOD], "2: time_unix_s: 4294967296 is not in"),
        (["86400,1,0,5,10", "86400,2,0,5,10"], "3: time_unix_s: 86400 does not rise"),
        (["86400,1,0,5,10", "86399,2,0,5,10"], "3: time_unix_s: 86399 does not rise"),
        (["1,-1,0,5,10", *GOOD], "2: import_wh: -1 is not in"),
        (["1,9007199254740992,0,5,10", *GOOD], "2: import_wh: 9007199254740992 is not in"),
        (["1,0,-1,5,10", *GOOD], "2: export_wh: -1 is not in"),
        (["86400,2,0,5,10", "86401,1,0,5,10"], "3: import_wh: the register falls from 2 to 1"),
        (["86400,2,7,5,10", "86401,2,6,5,10"], "3: export_wh: the register falls from 7 to 6"),
        (["86400,0,0,5,10", "86401,1048576,0,5,10"], "3: import_wh: the register steps by 1048576"),
        (["86400,0,0,5,10", "86401,0,1048576,5,10"], "3: export_wh: the register steps by 1048576"),
        (["1,1,0,2147483648,10", *GOOD], "2: power_w: 2147483648 is not in"),
        (["1,1,0,-2147483648,10", *GOOD], "2: power_w: -2147483648 is not in"),
        (["1,1,0,5,-2733", *GOOD], "2: temperature_dc: -2733 is not in"),
        (["1,1,0,5,32768", *GOOD], "2: temperature_dc: 32768 is not in"),
        (["1,1,5", *GOOD], "2: row: has 3 columns"),
        (["1,1,0,5,10,", *GOOD], "2: row: has 6 columns"),
        (["1,1.5,0,5,10", *GOOD], "2: import_wh: '1.5' is not an integer"),
        (["1,1,,5,10", *GOOD], "2: export_wh: '' is not an integer"),
        (["1,1,0,,10", *GOOD], "2: power_w: '' is not an integer"),
        (["1, 1,0,5,10", *GOOD], "2: import_wh: ' 1' is not an integer"),
        (["1,1,0,5,1e2", *GOOD], "2: temperature_dc: '1e2' is not an integer"),
        (["+1,1,0,5,10", *GOOD], "2: time_unix_s: '\\+1' is not an integer"),
        (["١,1,0,5,10", *GOOD], "2: time_unix_s: '١' is not an integer"),
        ([*GOOD, ""], "4: row: has 1 columns"),
        ([GOOD[0], "", GOOD[1]], "3: row: has 1 columns"),
    ],
)
def test_load_homes__a_row_is_bad__names_file_line_and_column(
    folder: Path, meter_file: MeterFile, rows: list[str], said: str
) -> None:
    meter_file("a.csv")
    path = meter_file("b.csv", rows)
    with pytest.raises(MeterCsvError, match=f"^{path}:{said}"):
        load(folder)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "time_unix_s,energy_wh,power_w",
        "time_unix_s,energy_wh,temperature_dc,power_w",
        "time_unix_s,import_wh,power_w,temperature_dc",
        "time_unix_s,export_wh,import_wh,power_w,temperature_dc",
        "time_unix_s, import_wh, export_wh, power_w, temperature_dc",
        "Time_unix_s,import_wh,export_wh,power_w,temperature_dc",
        "\ufefftime_unix_s,import_wh,export_wh,power_w,temperature_dc",
        "time_unix_s;import_wh;export_wh;power_w;temperature_dc",
    ],
)
def test_load_homes__another_header__is_refused(
    folder: Path, meter_file: MeterFile, header: str
) -> None:
    meter_file("a.csv")
    path = meter_file("b.csv", header=header)
    with pytest.raises(MeterCsvError, match=f"^{path}:1: header: must be exactly"):
        load(folder)


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"\xff\xfet\x00i\x00"])
def test_load_homes__a_file_is_no_text__is_refused(
    folder: Path, meter_file: MeterFile, content: bytes
) -> None:
    meter_file("a.csv")
    meter_file("b.csv").write_bytes(content)
    with pytest.raises(MeterCsvError, match=r"b.csv:1: "):
        load(folder)


def test_load_homes__a_csv_is_a_directory__is_refused(folder: Path, meter_file: MeterFile) -> None:
    meter_file("a.csv")
    (folder / "b.csv").mkdir()
    with pytest.raises(MeterCsvError, match=r"b.csv:1: file: cannot be read: Is a directory"):
        load(folder)


def test_load_homes__a_bad_file_beyond_those_wanted__is_refused_too(
    folder: Path, meter_file: MeterFile
) -> None:
    for name in ("a.csv", "b.csv"):
        meter_file(name)
    meter_file("c.csv", ["1,2,3"])
    with pytest.raises(MeterCsvError, match=r"c.csv:2: row"):
        load(folder, homes=2)


def test_load_homes__fewer_wanted_than_there_are__takes_the_first(
    folder: Path, meter_file: MeterFile
) -> None:
    for name in ("c.csv", "a.csv", "b.csv"):
        meter_file(name)
    assert [home.name for home in load(folder, homes=2)] == ["a", "b"]


def test_load_homes__more_wanted_than_there_are__is_refused(
    folder: Path, meter_file: MeterFile
) -> None:
    meter_file("a.csv")
    meter_file("b.csv")
    with pytest.raises(DemoInputError, match=r"^--homes 3: only 2 are there"):
        load(folder, homes=3)


@pytest.mark.parametrize("count", [0, 1])
def test_load_homes__fewer_than_two_files__is_refused(
    folder: Path, meter_file: MeterFile, count: int
) -> None:
    for number in range(count):
        meter_file(f"{number}.csv")
    with pytest.raises(DemoInputError, match=f"holds {count} .*at least 2"):
        load(folder)


@pytest.mark.parametrize("name", ["missing", "a.csv", "a.csv/below", "x" * 300])
def test_load_homes__no_directory__is_refused(
    folder: Path, meter_file: MeterFile, name: str
) -> None:
    meter_file("a.csv")
    with pytest.raises(DemoInputError, match=r"^--readings .*: (not a directory|cannot be read)"):
        load(folder / name)


def test_load_homes__days_given__takes_the_first_utc_days_of_each_home(
    folder: Path, meter_file: MeterFile
) -> None:
    meter_file("a.csv", [f"{at},0,0,0,0" for at in (86399, 86400, 172799, 172800)])
    meter_file("b.csv", [f"{at},0,0,0,0" for at in (864000, 950400, 1036800)])
    assert [len(home.samples) for home in load(folder, days=1)] == [1, 1]
    assert [len(home.samples) for home in load(folder, days=2)] == [3, 2]
    assert [len(home.samples) for home in load(folder, days=50)] == [4, 3]


def test_load_homes__days_given__leaves_the_meter_whole(
    folder: Path, meter_file: MeterFile, tmp_path: Path
) -> None:
    meter_file("a.csv", ["1,0,0,0,0", "86401,0,0,0,"])
    meter_file("b.csv")
    home = load(folder, days=1)[0]
    meter_csv.write(home.meter, tmp_path / "meter.csv")
    assert tuple(meter_csv.read(tmp_path / "meter.csv")) == home.meter
    assert (len(home.meter), len(home.samples), home.days) == (2, 1, 1)


def test_load_homes__names_that_cannot_be_printed__are_written_out(
    folder: Path, meter_file: MeterFile
) -> None:
    raw = b"\xff\x1b[31m\n.csv".decode("utf-8", "surrogateescape")
    meter_file(raw)
    meter_file("家 [x].csv")
    assert [home.name for home in load(folder)] == ["\\udcff\\x1b[31m\\n", "家 [x]"] or [
        home.name for home in load(folder)
    ] == ["家 [x]", "\\udcff\\x1b[31m\\n"]
