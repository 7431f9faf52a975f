"""Meter readings as CSV: header `time_unix_s,energy_wh,power_w,temperature_dc`, LF or CRLF.

Strict, so that a bad file is refused before anything starts, with its line and column.
"""

import os
import re
from collections.abc import Sequence
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

HEADER = "time_unix_s,energy_wh,power_w,temperature_dc"
MIN_ROWS = 2
MAX_STEP_WH = 2**20 - 1  # what one slot of a data set's ciphertext holds
MAX_FILE_BYTES = 2**28
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_RANGES = {
    "time_unix_s": (1, MAX_TIME_S),
    "energy_wh": (0, MAX_ENERGY_WH),
    "power_w": (-MAX_POWER_W, MAX_POWER_W),
    "temperature_dc": (MIN_TEMPERATURE_DC, MAX_TEMPERATURE_DC),
}


def read(path: str | Path) -> list[MeterSample]:
    """Read and check a whole meter file of two or more rows.

    Times strictly rise; the register never falls and steps by less than 2^20 Wh. Raises
    MeterCsvError, whose text is `FILE:LINE: column: reason`.
    """
    lines = _lines(str(path))
    if lines[0] != HEADER:
        raise _error(path, 1, "header", f"must be exactly {HEADER}")
    samples: list[MeterSample] = []
    for number, line in enumerate(lines[1:], start=2):
        sample = _sample(path, number, line)
        if samples:
            _check_step(path, number, samples[-1], sample)
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


def _sample(path: str | Path, number: int, line: str) -> MeterSample:
    cells = line.split(",")
    if len(cells) != len(_RANGES):
        reason = f"has {len(cells)} columns where {len(_RANGES)} are needed"
        raise _error(path, number, "row", reason)
    time_s, energy_wh, power_w, temperature_dc = (
        _integer(path, number, name, cell) for name, cell in zip(_RANGES, cells, strict=True)
    )
    return MeterSample(
        time_s=time_s, energy_wh=energy_wh, power_w=power_w, temperature_dc=temperature_dc
    )


def _integer(path: str | Path, number: int, name: str, cell: str) -> int:
    low, high = _RANGES[name]
    if not _INTEGER.fullmatch(cell):
        raise _error(path, number, name, f"{cell[:40]!r} is not an integer")
    value = int(cell)
    if not low <= value <= high:
        raise _error(path, number, name, f"{value} is not in [{low}, {high}]")
    return value


def _check_step(path: str | Path, number: int, before: MeterSample, after: MeterSample) -> None:
    if after.time_s <= before.time_s:
        reason = f"{after.time_s} does not rise above {before.time_s}"
        raise _error(path, number, "time_unix_s", reason)
    step_wh = after.energy_wh - before.energy_wh
    if step_wh < 0:
        reason = f"the register falls from {before.energy_wh} to {after.energy_wh}"
        raise _error(path, number, "energy_wh", reason)
    if step_wh > MAX_STEP_WH:
        reason = f"the register steps by {step_wh} Wh, more than {MAX_STEP_WH}"
        raise _error(path, number, "energy_wh", reason)


def _error(path: str | Path, line: int, column: str, reason: str) -> MeterCsvError:
    return MeterCsvError(path=str(path), line=line, column=column, reason=reason)
