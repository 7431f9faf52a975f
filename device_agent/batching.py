"""Where batches end: at the windows of the meter's time, at UTC midnight, at the greatest count."""

import itertools
from collections.abc import Sequence

from offchain.records import batch as batch_codec
from offchain.types import SECONDS_PER_DAY, Reading, day_of


def cut(readings: Sequence[Reading], *, window_s: int, max_count: int) -> list[list[Reading]]:
    """Cut consecutive readings into runs that become batches; the last may grow still.

    Windows of `window_s` seconds begin at UTC midnight; the last of a day ends with it, also when
    `window_s` does not divide the day. Raises FormatError for readings that do not follow.
    """
    runs: list[list[Reading]] = []
    for _, group in itertools.groupby(readings, key=lambda one: _window_of(one, window_s)):
        runs += batch_codec.cut(list(group), max_count=max_count)
    return runs


def _window_of(reading: Reading, window_s: int) -> tuple[int, int]:
    return day_of(reading.time_s), reading.time_s % SECONDS_PER_DAY // window_s
