"""How long bills take: `make bench-billing`. A year of quarters under the richest tariff: billed,
read, advised on, audited; and the month bills that a node answers.

Times are of the processor, the least of several runs, as other programs may share the machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.billing_audit import AuditedYear
from bench.billing_inputs import home, richest, spot_prices, years
from bench.billing_node import month_bills
from bench.figures import Figure, unexplained
from offchain.billing import price_series, readings_csv, tariff_document
from offchain.billing.advising import make_advice
from offchain.billing.household import Household
from offchain.billing.making import make_bill
from offchain.records import meter_csv

_YEAR_LIMIT_S = 0.3
_ADVICE_LIMIT_S = _AUDIT_LIMIT_S = 1.0
# Linear is four; the processor's caches take their part (up to 5.5 seen). Quadratic is sixteen.
_LINEAR_LIMIT = 6.0
_A_MINUTE_LIMIT = 100


def least_s(
    call: Callable[[], object], rounds: int = 5, before: Callable[[], object] = lambda: None
) -> float:
    """Return the least CPU time of a call over several rounds; `before` each is not timed."""
    times = []
    for _ in range(rounds):
        before()
        begin = time.process_time()
        call()
        times.append(time.process_time() - begin)
    return min(times)


def bill_time_s(count: int) -> float:
    """Return how long a bill of so many years takes, from readings to its JSON."""
    start, end = years(count)
    readings, spot = home((start, end)), price_series.decode(spot_prices((start, end)))
    tariff = tariff_document.parse(richest([spot.digest]))
    window = {"window_from": start, "window_to": end}
    return least_s(
        lambda: make_bill(Household.of_readings(readings), [tariff], [spot], **window).to_json()
    )


def advice_time_s(count: int) -> float:
    """Return how long advice on so many years takes, from readings to its JSON."""
    start, end = years(count)
    readings, spot = home((start, end)), price_series.decode(spot_prices((start, end)))
    tariff = tariff_document.parse(richest([spot.digest]))
    window = {"window_from": start, "window_to": end, "as_of": end - 3 * 86_400}
    return least_s(
        lambda: make_advice(Household.of_readings(readings), [tariff], [spot], **window).to_json()
    )


def file_time_s() -> float:
    """Return how long reading a year of quarter hours from CSV takes."""
    rows = (f"{r.time_s},{r.import_wh},{r.export_wh},0,200" for r in home(years(1)))
    data = "\n".join([meter_csv.HEADER, *rows]).encode()
    return least_s(lambda: readings_csv.parse(data))


def audit_figures() -> list[Figure]:
    """Measure the audit of a year; no tariff or price series was read before."""
    with tempfile.TemporaryDirectory() as folder:
        year = AuditedYear(Path(folder))
    whole_s = least_s(year.audit, before=_forget_documents)
    return [
        Figure("audit_year_of_quarters", whole_s, _AUDIT_LIMIT_S, "s", at_most=True),
        Figure("audit_readings_and_roots_of_it", least_s(year.rebuild), unit="s"),
        Figure("audit_answers_of_it", year.parts, unit=" answers"),
    ]


def node_figures() -> list[Figure]:
    """Measure what a node answers."""
    with tempfile.TemporaryDirectory() as folder:
        found = month_bills(Path(folder))
    return [
        Figure("node_month_bills_per_minute", found.of_hours, _A_MINUTE_LIMIT, " a minute"),
        Figure("node_month_bills_of_quarters", found.of_quarters, unit=" a minute"),
        Figure("node_answers_of_such_a_bill", found.parts, unit=" answers"),
    ]


def _forget_documents() -> None:
    tariff_document.decode.cache_clear()
    price_series.decode.cache_clear()


def main() -> int:
    """Print each figure; return 1 where one is missed without a written reason."""
    year_s, four_years_s, advice_s = bill_time_s(1), bill_time_s(4), advice_time_s(1)
    figures = [
        Figure("bill_year_of_quarters", year_s, _YEAR_LIMIT_S, "s", at_most=True),
        Figure("bill_four_years_vs_one", four_years_s / year_s, _LINEAR_LIMIT, at_most=True),
        Figure("advice_year_of_quarters", advice_s, _ADVICE_LIMIT_S, "s", at_most=True),
        Figure("bill_read_csv_of_a_year", file_time_s(), unit="s"),
        *audit_figures(),
        *node_figures(),
    ]
    for figure in figures:
        print(figure.line())
    return 1 if unexplained(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
