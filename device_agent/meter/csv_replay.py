"""A meter that replays a CSV file (the format is in offchain/records/meter_csv.py)."""

from collections.abc import Iterator
from pathlib import Path

from offchain.records import meter_csv
from offchain.types import MeterSample


class CsvReplay:
    """Replay the first `days` UTC days of a file, or all of it.

    The whole file is checked first. Raises MeterCsvError.
    """

    is_live = False

    def __init__(self, path: Path | str, *, days: int | None = None) -> None:
        self._samples = meter_csv.first_days(meter_csv.read(path), days)

    def samples(self, *, after_s: int) -> Iterator[MeterSample]:
        """Yield the rows later than `after_s`."""
        return (sample for sample in self._samples if sample.time_s > after_s)
