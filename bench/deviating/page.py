"""The page of `make bench-deviations`."""

from __future__ import annotations

from collections.abc import Sequence

from bench.deviating.by_payers import ACCOUNTS, mass_disputes
from bench.deviating.case import BASE_FEES_GWEI, PRICE_GAS, REQUEST_WEI, SALE_WEI, Case
from bench.deviating.strategies import STRATEGIES, least_price_wei, longest_run, worst
from bench.deviating.world import GWEI, MOST_DISPUTES, POINT_WEI
from bench.figures import Figure

FINNEY = 10**15  # the unit of figures and tables: a thousandth of an ether
SIGNERS = (3, 4, 5, 7)
REACHED = (1.0, 0.9, 0.8, 0.5, 0.2, 0.0)


def page(figures: Sequence[Figure]) -> str:
    """Return docs/benchmarks/deviations.md."""
    missed = [figure.line() for figure in figures if not figure.is_met]
    verdict = "All keep them." if not missed else "Missed:\n\n" + "\n".join(missed)
    return f"""# What who deviates earns

Written by `make bench-deviations`. A model in integers (`bench/deviating/world.py`) pays, holds and
burns what the contracts do. Each strategy is played beside the honest play. Sums are in thousandths
of an ether. A cell is *what the deviators have more* / *what the honest lose*; goods count at their
price, a point of credit at {POINT_WEI / FINNEY:g}. The tests play the model beside the real
contracts, wei for wei (`tests/contracts/attacks/test_deviations.py`). What follows from it, and
what it assumes: [credit.md](../credit.md#who-deviates).

{len(figures)} figures have limits. {verdict}

## Where prices and deposits follow the base fee

{_prices()}
`serveGasWei` is the base fee, and at least a gwei. Each cell takes the answer's length that pays
best.

{_strategy_table(follows=True)}

A deviator that seals every block gets the tips of what it makes others send, and nothing else:
what it tips itself comes back to it, whether it is honest or not. The figures named `sealing` have
these tips in their limits.

## Where they stay the defaults

A request costs the same at any base fee, and a demand deposits a gwei a gas. From some 10 gwei on a
lock costs more gas than it earns. Whoever leaves it saves that gas, which is nobody else's money.
Beyond what they save, deviators keep the same limits.

{_strategy_table(follows=False)}

## More disputes than judges can look at

{_accounts()}
Judges reach a part of them in time. The dispute's bond is a quarter of the price, so it pays when
they reach fewer than four of five.

{_reached_table()}

## From which price on a defence is worth its gas

A member that defends itself gets price and bond, less the fee. Below these prices a member that
reckons would rather lose. The deposit follows the base fee.

{_price_table()}

## How long signers can keep a call out

How many blocks in a row colluding Clique signers can seal, with no block of another's in between.
They can keep out a claim, a demand, an answer or a vote for so many blocks: it must be sent earlier
than that before its deadline.

{_run_table()}
"""


def _prices() -> str:
    request, sale = _finney(REQUEST_WEI), _finney(SALE_WEI)
    least = f"at least {PRICE_GAS:,} gas at the base fee"
    return f"A request costs {request}, a data set {sale} (as in the demo), and {least}."


def _accounts() -> str:
    cases = ACCOUNTS * MOST_DISPUTES
    return f"{ACCOUNTS} accounts dispute {cases} good answers, each at {_finney(REQUEST_WEI)}."


def _strategy_table(*, follows: bool) -> str:
    head = [*(f"{gwei:,} gwei" for gwei in BASE_FEES_GWEI), "bound"]
    lines = [_row("who", "does what", *head), _rule(len(head) + 2)]
    for strategy in STRATEGIES:
        outcomes = [worst(strategy, Case(g * GWEI, follows=follows)) for g in BASE_FEES_GWEI]
        cells = [f"{_finney(it.profit_wei)} / {_finney(it.loss_wei)}" for it in outcomes]
        lines.append(_row(strategy.who, strategy.text, *cells, strategy.bound))
    return "\n".join(lines)


def _reached_table() -> str:
    lines = [_row("judges reach", *(f"{g:,} gwei" for g in BASE_FEES_GWEI)), _rule(6)]
    for reached in REACHED:
        outcomes = [mass_disputes(Case(g * GWEI), reached=reached) for g in BASE_FEES_GWEI]
        lines.append(_row(f"{reached:.0%}", *(_finney(it.profit_wei) for it in outcomes)))
    return "\n".join(lines)


def _price_table() -> str:
    lines = [_row("defence", *(f"{g:,} gwei" for g in BASE_FEES_GWEI)), _rule(6)]
    prices = [least_price_wei(gwei * GWEI) for gwei in BASE_FEES_GWEI]
    for name in prices[0]:
        lines.append(_row(name, *(_finney(each[name]) for each in prices)))
    return "\n".join(lines)


def _run_table() -> str:
    most = max(SIGNERS)
    lines = [_row("signers", *(f"{c} collude" for c in range(1, most + 1))), _rule(most + 1)]
    for signers in SIGNERS:
        runs = [longest_run(signers, c) for c in range(1, signers + 1)]
        cells = ["for ever" if run is None else str(run) for run in runs]
        lines.append(_row(str(signers), *cells, *[""] * (most - signers)))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def _finney(wei: int) -> str:
    value = wei / FINNEY
    return "0" if value == 0 else f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
