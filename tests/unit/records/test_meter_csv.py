"""Meter files: what is read, and how each fault is named."""

import pytest

from offchain.errors import MeterCsvError
from offchain.records import meter_csv
from offchain.types import MeterSample

HEADER = meter_csv.HEADER
GOOD = [HEADER, "1,0,-5,-2732", "2,1048575,2147483647,32767", "4294967295,1048575,0,0"]


def write(tmp_path, lines, end="\n"):
    path = tmp_path / "home.csv"
    path.write_bytes(end.join([*lines, ""]).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_read__given_extreme_values__reads_them(tmp_path, end):
    samples = meter_csv.read(write(tmp_path, GOOD, end))
    assert samples[0] == MeterSample(time_s=1, energy_wh=0, power_w=-5, temperature_dc=-2732)
    assert [one.time_s for one in samples] == [1, 2, 4294967295]


def test_read__given_no_newline_at_the_end__reads_all_rows(tmp_path):
    path = tmp_path / "home.csv"
    path.write_text("\n".join(GOOD))
    assert len(meter_csv.read(path)) == 3


@pytest.mark.parametrize(
    ("lines", "line", "column"),
    [
        (["time,energy_wh,power_w,temperature_dc", *GOOD[1:]], 1, "header"),
        (["\ufeff" + HEADER, *GOOD[1:]], 1, "header"),
        ([HEADER + " ", *GOOD[1:]], 1, "header"),
        ([], 1, "header"),
        ([HEADER], 1, "rows"),
        (GOOD[:2], 2, "rows"),
        ([HEADER, "1,2,3", "2,2,3,4"], 2, "row"),
        ([HEADER, "1,2,3,4,5", "2,2,3,4"], 2, "row"),
        ([HEADER, "1,2,3,4", "", "2,2,3,4"], 3, "row"),
        ([*GOOD, ""], 5, "row"),
        ([HEADER, "1,2,3,4", "2,2.0,3,4"], 3, "energy_wh"),
        ([HEADER, "1,2,3,4", "2,,3,4"], 3, "energy_wh"),
        ([HEADER, "1,2,3,4", "2,2,3e2,4"], 3, "power_w"),
        ([HEADER, "1,2,3,4", "2,2,+3,4"], 3, "power_w"),
        ([HEADER, "1,2,3,4", "2,2,3, 4"], 3, "temperature_dc"),
        ([HEADER, "1,2,3,4", "2,2,3,NaN"], 3, "temperature_dc"),
        ([HEADER, "1,2,3,4", "2,2,3,١"], 3, "temperature_dc"),
        ([HEADER, "0,2,3,4", "2,2,3,4"], 2, "time_unix_s"),
        ([HEADER, "1,2,3,4", "4294967296,2,3,4"], 3, "time_unix_s"),
        ([HEADER, "1,2,3,4", "1,2,3,4"], 3, "time_unix_s"),
        ([HEADER, "5,2,3,4", "4,2,3,4"], 3, "time_unix_s"),
        ([HEADER, "1,-1,3,4", "2,2,3,4"], 2, "energy_wh"),
        ([HEADER, "1,9007199254740992,3,4", "2,2,3,4"], 2, "energy_wh"),
        ([HEADER, "1,2,3,4", "2,1,3,4"], 3, "energy_wh"),
        ([HEADER, "1,2,3,4", "2,1048578,3,4"], 3, "energy_wh"),
        ([HEADER, "1,2,2147483648,4", "2,2,3,4"], 2, "power_w"),
        ([HEADER, "1,2,-2147483648,4", "2,2,3,4"], 2, "power_w"),
        ([HEADER, "1,2,3,-2733", "2,2,3,4"], 2, "temperature_dc"),
        ([HEADER, "1,2,3,32768", "2,2,3,4"], 2, "temperature_dc"),
        ([HEADER, "1,2,3," + "9" * 10_000, "2,2,3,4"], 2, "temperature_dc"),
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
    path.write_bytes(HEADER.encode() + b"\n1,2,3,\xff\n")
    with pytest.raises(MeterCsvError, match=r":2: file: is not UTF-8"):
        meter_csv.read(path)


def test_first_days__given_gaps__counts_days_that_have_rows(tmp_path):
    times = [10, 86_399, 86_400, 10 * 86_400]
    samples = [MeterSample(time_s=t, energy_wh=0, power_w=0, temperature_dc=0) for t in times]
    kept = {
        days: [one.time_s for one in meter_csv.first_days(samples, days)]
        for days in (1, 2, 3, 9, None)
    }
    assert kept == {1: times[:2], 2: times[:3], 3: times, 9: times, None: times}
