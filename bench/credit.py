"""`make bench-credit`: what credit costs who pays itself, beside honest nodes; docs/benchmarks/.

Prints the tables and each figure as `name value limit ok|MISSED`, exits with 1 on a miss. The same
seed gives the same files; `--years`, `--seed` for other runs, which write nothing.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from random import Random

from bench.credit_lives import (
    EPOCHS_A_YEAR,
    POINT_WEI,
    Life,
    capital_wei,
    highest,
    honest_node,
    payers_for,
    self_dealer,
)
from bench.credit_model import ACCOUNT_CAP, LOSS, MAXIMUM
from bench.figures import Figure, unexplained

DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
YEARS, SEED = 10, 1
DEALERS = (1, 2, 5, 10, 20, 34, 100)
LEVELS = (30, 100, 250, 500, 1_000, 2_000, 4_000, 6_000, 7_500, 7_993)
HOMES = (10, 50, 100, 500, 1_000, 4_000)
FAILURES = (0.0, 0.001, 0.01)
FINNEY = 10**15  # the tables' unit: a thousandth of an ether


def main() -> int:
    """Simulate, print, write; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=YEARS)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    page, figures, lives = results(years=chosen.years, seed=chosen.seed)
    print(page)
    for figure in figures:
        print(figure.line())
    if (chosen.years, chosen.seed) == (YEARS, SEED):
        DOCS.mkdir(parents=True, exist_ok=True)
        (DOCS / "credit.md").write_text(page, encoding="utf-8")
        draw(lives, DOCS / "credit.svg")
    return 1 if unexplained(figures) else 0


def results(*, years: int, seed: int) -> tuple[str, list[Figure], dict[str, Life]]:
    """Live all lives; return the page, the figures and the lives by name."""
    epochs = round(years * EPOCHS_A_YEAR)
    dealers = {k: self_dealer(k, epochs=epochs, luck=Random(seed)) for k in DEALERS}
    honest = {
        (homes, rate): honest_node(homes, epochs=epochs, luck=Random(seed), failures=rate)
        for homes in HOMES
        for rate in FAILURES
    }
    named = {f"{k} account{'s'[: k > 1]} of its own": life for k, life in dealers.items()}
    named |= {f"honest, {homes} homes": honest[homes, 0.001] for homes in (100, 1_000)}
    figures = _figures([*dealers.values(), *honest.values()], dealers)
    tables = [_dealer_table(dealers, years), _level_table(seed), _honest_table(honest, years)]
    return _page(tables, figures, years=years, seed=seed), figures, named


def _figures(lives: Sequence[Life], dealers: dict[int, Life]) -> list[Figure]:
    excess = max(life.excess_points for life in lives)
    top = max(max(life.credits) for life in lives)
    least = min(
        life.fees_wei[i] / (credit * POINT_WEI)
        for life in dealers.values()
        for i, credit in enumerate(life.credits)
        if credit
    )
    return [
        Figure("credit_above_fees", excess, 0, "points", at_most=True, note="the most in any life"),
        Figure("highest_credit", top, MAXIMUM, "points", at_most=True),
        Figure("fees_over_credit", least, 1, "x", note="the least at any epoch's end"),
        Figure("loss_over_gain", LOSS / 10, 1, "x", note="a failure beside the best success"),
    ]


def _dealer_table(dealers: dict[int, Life], years: int) -> str:
    head = "credit after a month", "a year", f"{years} years", "fees a year", "a point held, a year"
    lines = [_row("accounts", *head, "price and bond in locks"), _rule(7)]
    for k, life in dealers.items():
        year = min(round(EPOCHS_A_YEAR), len(life.credits)) - 1
        fees = life.fees_in_last_year()
        lines.append(
            _row(
                *(k, life.credits[0], life.credits[year], life.credits[-1], _finney(fees)),
                *(_finney(round(fees / life.credits[-1]), 4), _finney(capital_wei(k))),
            )
        )
    return "\n".join(lines)


def _level_table(seed: int) -> str:
    head = "credit", "bound", "fewest accounts", "months", "fees", "months with 34", "fees with 34"
    lines = [_row(*head), _rule(7)]
    for level in LEVELS:
        fewest = payers_for(level)
        row: list[object] = [level, _finney(level * POINT_WEI), fewest]
        for payers in (fewest, DEALERS[-2]):
            life = self_dealer(payers, epochs=80, luck=Random(seed), goal=level)
            row += [len(life.credits), _finney(life.fees_wei[-1])]
        lines.append(_row(*row))
    return "\n".join(lines)


def _honest_table(honest: dict[tuple[int, float], Life], years: int) -> str:
    head = "homes", "of 1,000 acceptances fail", "credit after a year", f"{years} years"
    lines = [_row(*head, "as high by own accounts", "at a year's fees of"), _rule(6)]
    for (homes, rate), life in honest.items():
        year = min(round(EPOCHS_A_YEAR), len(life.credits)) - 1
        settled = round(sum(life.credits[-12:]) / len(life.credits[-12:]))
        rival = payers_for(settled) if settled <= highest(34) else None
        fees = round(settled / 8 * EPOCHS_A_YEAR * POINT_WEI)
        lines.append(
            _row(*(homes, f"{rate * 1000:g}", life.credits[year], settled, rival, _finney(fees)))
        )
    return "\n".join(lines)


def _page(tables: list[str], figures: list[Figure], *, years: int, seed: int) -> str:
    dealers, levels, honest = tables
    shown = "\n".join(f"- `{figure.line()}` {figure.note}".rstrip() for figure in figures)
    return f"""# Credit: what it costs who pays itself

Made by `make bench-credit` ({years} years, seed {seed}) with the model of the rule that the tests
hold against the contract. Sums are in thousandths of an ether, under the defaults of a deployment:
a point costs 0.01 of them in fees, the fee is 2 % of a price, the bond the whole price; a lock
lasts a day. Months are epochs of 30 days. The rule, its proof and what it assumes:
[credit.md](../credit.md).

![credit over the years](credit.svg)

{shown}

## A node with paying accounts of its own

Each account pays for the three locks a month that count, each with the fee of ten points and not a
wei more; nothing fails. Price and bond come back; the fees do not.

{dealers}

From 34 accounts on ({ACCOUNT_CAP:,} points a month) more accounts add nothing.

## What each level costs

The bound is the credit times the fee of a point. With the fewest accounts that ever reach it a
level takes long and decays on the way; with 34 it is reached fastest. Paying stops when it is
reached; holding it costs an eighth of it a month.

{levels}

## An honest node

Each home asks for one bill a month, whose fee is two points: a price of one thousandth of an ether.
A failed acceptance takes {LOSS} points. The last two columns: how many accounts of its own another
node needs to stand as high for ever, and what that costs it in fees a year (an eighth of the credit
decays a month and must be bought again). Losses have no cap as gains have: a large node that fails
often has no credit.

{honest}
"""


def _row(*cells: object) -> str:
    return "| " + " | ".join(_text(cell) for cell in cells) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def _text(cell: object) -> str:
    if cell is None:
        return "none can"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _finney(wei: int, digits: int = 2) -> str:
    return f"{wei / FINNEY:,.{digits}f}"


def draw(lives: dict[str, Life], path: Path) -> None:
    """Draw credit over the months (SVG): self-dealers full, honest nodes dashed."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "dmsm"
    from matplotlib import pyplot

    plot, axes = pyplot.subplots(figsize=(9, 4.6), layout="constrained")
    for name, life in lives.items():
        style = "--" if name.startswith("honest") else "-"
        axes.plot(range(1, len(life.credits) + 1), life.credits, style, linewidth=1.4, label=name)
    axes.set_xlabel("months of 30 days")
    axes.set_ylabel("credit at the month's end")
    axes.set_ylim(0, MAXIMUM * 1.03)
    plot.legend(fontsize=8, loc="outside right center")
    axes.set_title("Credit that a node buys from itself, and that of honest nodes")
    plot.savefig(path, metadata={"Date": None})
    pyplot.close(plot)


if __name__ == "__main__":
    raise SystemExit(main())
