"""Write verified readings as CSV or Parquet, and read such files again.

A row holds every field of the reading, its nonce too (a temperature that was not measured is empty,
flags are the record's number): whoever has the file can rebuild each record
and hold it against the chain, without a key and without trusting who wrote it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from offchain.errors import FormatError
from offchain.records.reading import commitment_of
from offchain.types import Reading, ReadingFlag, to_account

COLUMNS = (
    "device",
    "seq",
    "time_unix_s",
    "import_wh",
    "export_wh",
    "power_w",
    "temperature_dc",
    "flags",
    "nonce",
    "commitment",
)


def export_csv(readings: Sequence[Reading], path: Path) -> int:
    """Write the readings as CSV with a header; return how many rows were written."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_rows(readings))
    return len(readings)


def export_parquet(readings: Sequence[Reading], path: Path) -> int:
    """Write the readings as Parquet, integers as int64; return how many rows were written."""
    import pyarrow  # half a second to import, and most runs export nothing
    from pyarrow import parquet

    columns = list(zip(*_rows(readings), strict=True)) or [()] * len(COLUMNS)
    table = pyarrow.table(dict(zip(COLUMNS, map(list, columns), strict=True)))
    parquet.write_table(table, path)
    return len(readings)


def read_export(path: Path, *, chain_id: int) -> tuple[list[Reading], list[int]]:
    """Read a file that `export_csv` or (`*.parquet`) `export_parquet` wrote.

    Returns the readings, and the row numbers (from 1) whose commitment is not their reading's own.
    Raises FormatError, naming the row, for anything else.
    """
    try:
        rows = _parquet_rows(path) if path.suffix == ".parquet" else _csv_rows(path)
    except (ValueError, FormatError, csv.Error) as error:
        raise FormatError(f"{path} is not an export: {error}") from error
    readings, false = [], []
    for number, row in enumerate(rows, start=1):
        try:
            one = _reading(row, chain_id)
            if commitment_of(one).hex() != row["commitment"]:
                false.append(number)
        except (KeyError, TypeError, ValueError, AttributeError, FormatError) as error:
            raise FormatError(f"{path}: row {number} is not a reading: {error}") from error
        readings.append(one)
    return readings, false


def _rows(readings: Sequence[Reading]) -> Iterable[tuple[str | int | None, ...]]:
    for one in readings:
        yield (
            one.device,
            one.seq,
            one.time_s,
            one.import_wh,
            one.export_wh,
            one.power_w,
            one.temperature_dc,
            int(one.flags),
            one.nonce.hex(),
            commitment_of(one).hex(),
        )


def _csv_rows(path: Path) -> list[Mapping[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, strict=True)
        _require_columns(reader.fieldnames or ())
        return list(reader)


def _parquet_rows(path: Path) -> list[Mapping[str, Any]]:
    from pyarrow import parquet

    table = parquet.read_table(path)  # ArrowInvalid is a ValueError
    _require_columns(table.column_names)
    return list(table.to_pylist())


def _require_columns(names: Sequence[str]) -> None:
    if tuple(names) != COLUMNS:
        raise FormatError(f"its columns must be exactly {', '.join(COLUMNS)}")


def _reading(row: Mapping[str, Any], chain_id: int) -> Reading:
    temperature = row["temperature_dc"]
    return Reading(
        chain_id=chain_id,
        device=to_account(row["device"]),
        seq=int(row["seq"]),
        time_s=int(row["time_unix_s"]),
        import_wh=int(row["import_wh"]),
        export_wh=int(row["export_wh"]),
        power_w=int(row["power_w"]),
        temperature_dc=None if temperature in ("", None) else int(temperature),
        flags=ReadingFlag(int(row["flags"])),
        nonce=bytes.fromhex(row["nonce"]),
    )
