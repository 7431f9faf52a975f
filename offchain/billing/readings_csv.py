"""Readings of one meter as CSV, as `dmsm tariff bill` takes them.

Header `time_unix_s,import_wh,export_wh,power_w,temperature_dc`, or the older one with `energy_wh`
and no export; one more column `register_restarted` may follow. What spreadsheets add is taken off:
a byte order mark, quotes, CRLF, a blank last line.
"""

from __future__ import annotations

import csv
import io
import re
from typing import NoReturn

from offchain.billing.registers import RegisterReading
from offchain.errors import RegisterError
from offchain.records.meter_csv import COLUMNS, OLDER_COLUMNS

RESTARTED = "register_restarted"
MAX_BYTES = 2**28
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NOT_NEGATIVE = re.compile(r"[0-9]{1,18}")
_MAY_BE_EMPTY = frozenset({"temperature_dc", RESTARTED})
_SIGNED = frozenset({"power_w", "temperature_dc"})


def parse(data: bytes) -> list[RegisterReading]:
    """Read a file of one row or more; power and temperature are looked at and not kept.

    Raises RegisterError, whose text is `line N: column: reason`.
    """
    if len(data) > MAX_BYTES:
        raise RegisterError(f"the file is larger than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(data.count(b"\n", 0, error.start) + 1, "file", "is not UTF-8 text")
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = _columns(next(rows, []))
        found = [_reading(rows.line_num, columns, cells) for cells in rows if cells]
    except csv.Error as error:
        _refuse(rows.line_num, "row", str(error))
    if not found:
        _refuse(2, "rows", "the file holds no reading")
    return found


def _columns(header: list[str]) -> tuple[str, ...]:
    columns = tuple(header)
    for known in (COLUMNS, OLDER_COLUMNS):
        if columns in (known, (*known, RESTARTED)):
            return columns
    _refuse(1, "header", f"must be {','.join(COLUMNS)}, with or without ,{RESTARTED}")


def _reading(line: int, columns: tuple[str, ...], cells: list[str]) -> RegisterReading:
    if len(cells) != len(columns):
        _refuse(line, "row", f"has {len(cells)} columns where {len(columns)} are needed")
    row = dict(zip(columns, cells, strict=True))
    for name, cell in row.items():
        pattern = _INTEGER if name in _SIGNED else _NOT_NEGATIVE
        if not pattern.fullmatch(cell) and (cell or name not in _MAY_BE_EMPTY):
            _refuse(line, name, f"{cell[:40]!r} is no integer that can stand here")
    return RegisterReading(
        time_s=int(row["time_unix_s"]),
        import_wh=int(row["import_wh"] if "import_wh" in row else row["energy_wh"]),
        export_wh=int(row.get("export_wh", 0)),
        restarted=int(row.get(RESTARTED) or 0),
    )


def _refuse(line: int, column: str, reason: str) -> NoReturn:
    raise RegisterError(f"line {line}: {column}: {reason}")
