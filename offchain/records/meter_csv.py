"""Meter readings as CSV: header `time_unix_s,import_wh,export_wh,power_w,temperature_dc`.

Lines end with LF or CRLF. The older header with `energy_wh` is read too (export 0). A temperature
may be empty: not measured. Strict, so that a bad file is refused before anything starts, with its
line and column.
"""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from offchain.errors import MeterCsvError
from offchain.records.reading import (
    MAX_ENERGY_WH,
    MAX_POWER_W,
    MAX_TEMPERATURE_DC,
    MAX_TIME_S,
    MIN_TEMPERATURE_DC,
)
from offchain.types import MeterSample, day_of

COLUMNS = ("time_unix_s", "import_wh", "export_wh", "power_w", "temperature_dc")
OLDER_COLUMNS = ("time_unix_s", "energy_wh", "power_w", "temperature_dc")
HEADER = ",".join(COLUMNS)
MIN_ROWS = 2
MAX_STEP_WH = 2**20 - 1  # what one slot of a data set's ciphertext holds
MAX_FILE_BYTES = 2**28
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_RANGES = {
    "time_unix_s": (1, MAX_TIME_S),
    "import_wh": (0, MAX_ENERGY_WH),
    "export_wh": (0, MAX_ENERGY_WH),
    "energy_wh": (0, MAX_ENERGY_WH),
    "power_w": (-MAX_POWER_W, MAX_POWER_W),
    "temperature_dc": (MIN_TEMPERATURE_DC, MAX_TEMPERATURE_DC),
}


def read(path: str | Path) -> list[MeterSample]:
    """Read and check a whole meter file of two or more rows.

    Times strictly rise; the registers never fall and step by less than 2^20 Wh. Raises
    MeterCsvError, whose text is `FILE:LINE: column: reason`.
    """
    lines = _lines(str(path))
    columns = tuple(lines[0].split(","))
    if columns not in (COLUMNS, OLDER_COLUMNS):
        raise _error(path, 1, "header", f"must be exactly {HEADER}")
    samples: list[MeterSample] = []
    for number, line in enumerate(lines[1:], start=2):
        sample = _sample(path, number, columns, line)
        if samples:
            _check_step(path, number, columns, samples[-1], sample)
        samples.append(sample)
    if len(samples) < MIN_ROWS:
        reason = f"the file has {len(samples)} rows of readings, at least {MIN_ROWS} are needed"
        raise _error(path, len(lines), "rows", reason)
    return samples


def first_days(samples: Sequence[MeterSample], days: int | None) -> list[MeterSample]:
    """Return the samples of the first `days` UTC days that have any; all of them for None."""
    if days is None:
        return list(samples)
    kept = set(sorted({day_of(sample.time_s) for sample in samples})[:days])
    return [sample for sample in samples if day_of(sample.time_s) in kept]


def _lines(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(min(size, MAX_FILE_BYTES) + 1)  # the whole number is set aside
        text = data.decode("utf-8")
    except OSError as error:
        raise _error(path, 1, "file", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _error(path, line, "file", "is not UTF-8 text") from error
    if len(data) > MAX_FILE_BYTES:
        raise _error(path, 1, "file", f"is larger than {MAX_FILE_BYTES} bytes")
    lines = text.removesuffix("\n").split("\n")
    return [line.removesuffix("\r") for line in lines]


def write(samples: Iterable[MeterSample], path: Path) -> None:
    """Write a meter file that `read` takes; what it has no column for, flags, is left out."""
    lines = [HEADER]
    for one in samples:
        temperature = "" if one.temperature_dc is None else one.temperature_dc
        lines.append(f"{one.time_s},{one.import_wh},{one.export_wh},{one.power_w},{temperature}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _sample(path: str | Path, number: int, columns: tuple[str, ...], line: str) -> MeterSample:
    cells = line.split(",")
    if len(cells) != len(columns):
        reason = f"has {len(cells)} columns where {len(columns)} are needed"
        raise _error(path, number, "row", reason)
    row = dict(zip(columns, cells, strict=True))
    is_measured = row["temperature_dc"] != ""
    values = {
        name: _integer(path, number, name, cell)
        for name, cell in row.items()
        if is_measured or name != "temperature_dc"
    }
    return MeterSample(
        time_s=values["time_unix_s"],
        import_wh=values["import_wh"] if "import_wh" in values else values["energy_wh"],
        export_wh=values.get("export_wh", 0),
        power_w=values["power_w"],
        temperature_dc=values.get("temperature_dc"),
    )


def _integer(path: str | Path, number: int, name: str, cell: str) -> int:
    low, high = _RANGES[name]
    if not _INTEGER.fullmatch(cell):
        raise _error(path, number, name, f"{cell[:40]!r} is not an integer")
    value = int(cell)
    if not low <= value <= high:
        raise _error(path, number, name, f"{value} is not in [{low}, {high}]")
    return value


def _check_step(
    path: str | Path,
    number: int,
    columns: tuple[str, ...],
    before: MeterSample,
    after: MeterSample,
) -> None:
    if after.time_s <= before.time_s:
        reason = f"{after.time_s} does not rise above {before.time_s}"
        raise _error(path, number, "time_unix_s", reason)
    registers = (
        (columns[1], before.import_wh, after.import_wh),
        ("export_wh", before.export_wh, after.export_wh),
    )
    for name, before_wh, after_wh in registers:
        if after_wh < before_wh:
            reason = f"the register falls from {before_wh} to {after_wh}"
            raise _error(path, number, name, reason)
        if after_wh - before_wh > MAX_STEP_WH:
            step_wh = after_wh - before_wh
            reason = f"the register steps by {step_wh} Wh, more than {MAX_STEP_WH}"
            raise _error(path, number, name, reason)


def _error(path: str | Path, line: int, column: str, reason: str) -> MeterCsvError:
    return MeterCsvError(path=str(path), line=line, column=column, reason=reason)
