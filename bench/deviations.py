"""`make bench-deviations`: what who deviates earns, by base fee; docs/benchmarks/deviations.md.

Prints each figure as `name value limit ok|MISSED` and exits with 1 on a miss. Nothing in it is
drawn by chance: the same contracts' formulas and gas give the same page.
"""

from collections.abc import Iterator
from pathlib import Path

from bench.deviating.case import BASE_FEES_GWEI, Case, Outcome
from bench.deviating.page import FINNEY, page
from bench.deviating.strategies import STRATEGIES, Strategy, worst
from bench.deviating.world import GWEI
from bench.figures import Figure, unexplained

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "deviations.md"
TIP_WEI = GWEI


def main() -> int:
    """Play everything, print, write the page; return the exit status."""
    figures = list(all_figures())
    for figure in figures:
        print(figure.line())
    PAGE.write_text(page(figures), encoding="utf-8")
    return 1 if unexplained(figures) else 0


def all_figures() -> Iterator[Figure]:
    """Yield each strategy's profit against its limit, in each surrounding."""
    for strategy in STRATEGIES:
        for gwei in BASE_FEES_GWEI:
            case = Case(gwei * GWEI)
            yield _figure(f"{strategy.name}_at_{gwei}_gwei", worst(strategy, case), case)
        for name, follows, seals in (
            ("sealing", True, True),
            ("at_the_defaults", False, False),
            ("sealing_at_the_defaults", False, True),
        ):
            yield _worst_figure(strategy, name, follows=follows, seals=seals)


def _worst_figure(strategy: Strategy, name: str, *, follows: bool, seals: bool) -> Figure:
    tip = TIP_WEI if seals else 0
    cases = [Case(b * GWEI, follows=follows, seals=seals, tip_wei=tip) for b in BASE_FEES_GWEI]
    played = [(worst(strategy, case), case) for case in cases]
    outcome, case = max(played, key=lambda it: it[0].excess_wei(it[1]))
    return _figure(f"{strategy.name}_{name}", outcome, case)


def _figure(name: str, outcome: Outcome, case: Case) -> Figure:
    counted = outcome.limit_wei + outcome.excess_wei(case)
    limit = outcome.limit_wei / FINNEY
    return Figure(name, counted / FINNEY, limit, "finney", at_most=True)


if __name__ == "__main__":
    raise SystemExit(main())
