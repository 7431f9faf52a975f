"""Prices as CSV: a row for each slot, its beginning and its price, in order of time.

Header `time_unix_s`, or `time` (ISO 8601 with an offset, such as 2024-10-05T22:00Z), and then
`price_micro_per_kwh`, `price_per_kwh` or `price_per_mwh`; decimals may have a point.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import NoReturn

from offchain.billing.component_document import RESOLUTIONS_S
from offchain.billing.market_prices import Stretch, parse_decimal
from offchain.errors import TariffError

MAX_BYTES = 2**24
_MICRO_A_KWH = {"price_micro_per_kwh": 1, "price_per_kwh": 10**6, "price_per_mwh": 10**3}
_TIMES = ("time_unix_s", "time")
_SECONDS = re.compile(r"[0-9]{1,12}")


def parse(data: bytes, *, currency: str, resolution_s: int | None) -> list[Stretch]:
    """Return the prices of a file as stretches, a new one after each gap.

    The resolution may be left to the rows: the least distance of two. Raises TariffError, whose
    text says the line.
    """
    if len(data) > MAX_BYTES:
        raise TariffError(f"the file is larger than {MAX_BYTES} bytes")
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        header = next(rows, [])
        if len(header) != 2 or header[0] not in _TIMES or header[1] not in _MICRO_A_KWH:
            _refuse(1, "the header must be time_unix_s or time, and one of " + _units())
        found = [_row(rows.line_num, header[1], cells) for cells in rows if cells]
    except UnicodeDecodeError as error:
        raise TariffError("the file is not UTF-8 text") from error
    except csv.Error as error:
        raise TariffError(f"the file is no CSV: {error}") from error
    if not found:
        _refuse(2, "the file holds no price")
    return _stretches(found, currency, resolution_s or _distance(found))


def _row(line: int, unit: str, cells: list[str]) -> tuple[int, Fraction]:
    if len(cells) != 2:
        _refuse(line, f"has {len(cells)} columns where 2 are needed")
    instant, price = _instant(cells[0]), parse_decimal(cells[1])
    if instant is None:
        _refuse(line, f"{cells[0][:40]!r} is no time; write unix seconds, or ISO 8601 with offset")
    if price is None:
        _refuse(line, f"{cells[1][:40]!r} is no decimal number")
    return instant, price * _MICRO_A_KWH[unit]


def _instant(text: str) -> int | None:
    if _SECONDS.fullmatch(text):
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int(found.timestamp()) if found.tzinfo is not None else None


def _distance(rows: list[tuple[int, Fraction]]) -> int:
    least = min((after - before for (before, _), (after, _) in pairwise(rows)), default=0)
    if least not in RESOLUTIONS_S:
        shown = ", ".join(str(one) for one in RESOLUTIONS_S)
        raise TariffError(f"the rows are {least} s apart; say the resolution, one of {shown} s")
    return least


def _stretches(rows: list[tuple[int, Fraction]], currency: str, resolution_s: int) -> list[Stretch]:
    runs: list[list[tuple[int, Fraction]]] = [[rows[0]]]
    for before, after in pairwise(rows):
        if after[0] - before[0] < resolution_s:
            raise TariffError(f"the rows of {before[0]} and {after[0]} are out of order or overlap")
        if after[0] - before[0] > resolution_s:
            runs.append([])
        runs[-1].append(after)
    return [
        Stretch(
            start=run[0][0],
            resolution_s=resolution_s,
            currency=currency,
            prices=tuple(price for _, price in run),
        )
        for run in runs
    ]


def _units() -> str:
    return ", ".join(_MICRO_A_KWH)


def _refuse(line: int, reason: str) -> NoReturn:
    raise TariffError(f"line {line}: {reason}")
