"""Meter files: what is read, and how each fault is named."""

import pytest

from offchain.errors import MeterCsvError
from offchain.records import meter_csv
from offchain.types import MeterSample

HEADER = meter_csv.HEADER
OLDER_HEADER = "time_unix_s,energy_wh,power_w,temperature_dc"
GOOD = [
    HEADER,
    "1,0,7,-5,-2732",
    "2,1048575,7,2147483647,32767",
    "4294967295,1048575,1048582,0,",
]


def write(tmp_path, lines, end="\n"):
    path = tmp_path / "home.csv"
    path.write_bytes(end.join([*lines, ""]).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_read__given_extreme_values__reads_them(tmp_path, end):
    samples = meter_csv.read(write(tmp_path, GOOD, end))
    assert samples[0] == MeterSample(
        time_s=1, import_wh=0, export_wh=7, power_w=-5, temperature_dc=-2732
    )
    assert [one.time_s for one in samples] == [1, 2, 4294967295]
    assert [one.export_wh for one in samples] == [7, 7, 1048582]
    assert [one.temperature_dc for one in samples] == [-2732, 32767, None]


def test_read__given_the_older_header__reads_the_import_register_alone(tmp_path):
    samples = meter_csv.read(write(tmp_path, [OLDER_HEADER, "1,5,-5,-2732", "2,6,0,"]))
    assert samples == [
        MeterSample(time_s=1, import_wh=5, export_wh=0, power_w=-5, temperature_dc=-2732),
        MeterSample(time_s=2, import_wh=6, export_wh=0, power_w=0, temperature_dc=None),
    ]


def test_write__then_read__gives_the_samples_back(tmp_path):
    samples = meter_csv.read(write(tmp_path, GOOD))
    meter_csv.write(samples, tmp_path / "again.csv")
    assert meter_csv.read(tmp_path / "again.csv") == samples


def test_read__given_no_newline_at_the_end__reads_all_rows(tmp_path):
    path = tmp_path / "home.csv"
    path.write_text("\n".join(GOOD))
    assert len(meter_csv.read(path)) == 3


@pytest.mark.parametrize(
    ("lines", "line", "column"),
    [
        (["time,import_wh,export_wh,power_w,temperature_dc", *GOOD[1:]], 1, "header"),
        (["time_unix_s,import_wh,power_w,temperature_dc", *GOOD[1:]], 1, "header"),
        ([HEADER + ",register_restarted", *GOOD[1:]], 1, "header"),
        (["\ufeff" + HEADER, *GOOD[1:]], 1, "header"),
        ([HEADER + " ", *GOOD[1:]], 1, "header"),
        ([], 1, "header"),
        ([HEADER], 1, "rows"),
        (GOOD[:2], 2, "rows"),
        ([HEADER, "1,2,0,3", "2,2,0,3,4"], 2, "row"),
        ([HEADER, "1,2,0,3,4,5", "2,2,0,3,4"], 2, "row"),
        ([HEADER, "1,2,0,3,4", "", "2,2,0,3,4"], 3, "row"),
        ([*GOOD, ""], 5, "row"),
        ([OLDER_HEADER, "1,2,0,3,4", "2,2,3,4"], 2, "row"),
        ([OLDER_HEADER, "1,2,3,4", "2,1,3,4"], 3, "energy_wh"),
        ([OLDER_HEADER, "1,2,3,4", "2,1048578,3,4"], 3, "energy_wh"),
        ([HEADER, "1,2,0,3,4", "2,2.0,0,3,4"], 3, "import_wh"),
        ([HEADER, "1,2,0,3,4", "2,,0,3,4"], 3, "import_wh"),
        ([HEADER, "1,2,0,3,4", "2,2,,3,4"], 3, "export_wh"),
        ([HEADER, "1,2,0,3,4", "2,2,0,,4"], 3, "power_w"),
        ([HEADER, "1,2,0,3,4", "2,2,0,3e2,4"], 3, "power_w"),
        ([HEADER, "1,2,0,3,4", "2,2,0,+3,4"], 3, "power_w"),
        ([HEADER, "1,2,0,3,4", "2,2,0,3, 4"], 3, "temperature_dc"),
        ([HEADER, "1,2,0,3,4", "2,2,0,3,NaN"], 3, "temperature_dc"),
        ([HEADER, "1,2,0,3,4", "2,2,0,3,١"], 3, "temperature_dc"),
        ([HEADER, "0,2,0,3,4", "2,2,0,3,4"], 2, "time_unix_s"),
        ([HEADER, "1,2,0,3,4", "4294967296,2,0,3,4"], 3, "time_unix_s"),
        ([HEADER, "1,2,0,3,4", "1,2,0,3,4"], 3, "time_unix_s"),
        ([HEADER, "5,2,0,3,4", "4,2,0,3,4"], 3, "time_unix_s"),
        ([HEADER, "1,-1,0,3,4", "2,2,0,3,4"], 2, "import_wh"),
        ([HEADER, "1,1,-1,3,4", "2,2,0,3,4"], 2, "export_wh"),
        ([HEADER, "1,9007199254740992,0,3,4", "2,2,0,3,4"], 2, "import_wh"),
        ([HEADER, "1,2,9007199254740992,3,4", "2,2,0,3,4"], 2, "export_wh"),
        ([HEADER, "1,2,0,3,4", "2,1,0,3,4"], 3, "import_wh"),
        ([HEADER, "1,2,1,3,4", "2,2,0,3,4"], 3, "export_wh"),
        ([HEADER, "1,2,0,3,4", "2,1048578,0,3,4"], 3, "import_wh"),
        ([HEADER, "1,2,0,3,4", "2,2,1048576,3,4"], 3, "export_wh"),
        ([HEADER, "1,2,0,2147483648,4", "2,2,0,3,4"], 2, "power_w"),
        ([HEADER, "1,2,0,-2147483648,4", "2,2,0,3,4"], 2, "power_w"),
        ([HEADER, "1,2,0,3,-2733", "2,2,0,3,4"], 2, "temperature_dc"),
        ([HEADER, "1,2,0,3,-32768", "2,2,0,3,4"], 2, "temperature_dc"),
        ([HEADER, "1,2,0,3,32768", "2,2,0,3,4"], 2, "temperature_dc"),
        ([HEADER, "1,2,0,3," + "9" * 10_000, "2,2,0,3,4"], 2, "temperature_dc"),
    ],
)
def test_read__given_fault__names_file_line_and_column(tmp_path, lines, line, column):
    path = write(tmp_path, lines)
    with pytest.raises(MeterCsvError) as caught:
        meter_csv.read(path)
    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert str(error).startswith(f"{path}:{line}: {column}: ") and "\n" not in str(error)


def test_read__given_missing_file_or_binary__names_it(tmp_path):
    with pytest.raises(MeterCsvError, match=r"none\.csv:1: file: cannot be read"):
        meter_csv.read(tmp_path / "none.csv")
    path = tmp_path / "home.csv"
    path.write_bytes(HEADER.encode() + b"\n1,2,0,3,\xff\n")
    with pytest.raises(MeterCsvError, match=r":2: file: is not UTF-8"):
        meter_csv.read(path)


def test_first_days__given_gaps__counts_days_that_have_rows(tmp_path):
    times = [10, 86_399, 86_400, 10 * 86_400]
    samples = [
        MeterSample(time_s=t, import_wh=0, export_wh=0, power_w=0, temperature_dc=0) for t in times
    ]
    kept = {
        days: [one.time_s for one in meter_csv.first_days(samples, days)]
        for days in (1, 2, 3, 9, None)
    }
    assert kept == {1: times[:2], 2: times[:3], 3: times, 9: times, None: times}
