"""Write verified readings as CSV or Parquet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from offchain.records.reading import commitment_of
from offchain.types import Reading

COLUMNS = (
    "device",
    "seq",
    "time_unix_s",
    "energy_wh",
    "power_w",
    "temperature_dc",
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


def _rows(readings: Sequence[Reading]) -> Iterable[tuple[str | int, ...]]:
    for one in readings:
        yield (
            one.device,
            one.seq,
            one.time_s,
            one.energy_wh,
            one.power_w,
            one.temperature_dc,
            commitment_of(one).hex(),
        )
