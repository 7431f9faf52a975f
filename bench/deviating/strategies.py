"""Every strategy by its name, and what signers and prices add to them (docs/credit.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.deviating import by_nodes, by_payers, in_sales
from bench.deviating.case import Case, Outcome
from bench.deviating.gas import LONGEST_ANSWER, alone_gas, gas_of, paid_gas
from bench.deviating.world import BPS, Rules

LENGTHS = (1, 500, 1_000, 1_400, 2_000, 9_000, LONGEST_ANSWER)

Play = Callable[[Case], Outcome]


@dataclass(frozen=True)
class Strategy:
    """A play with its name and a sentence; `bound`: what its profit keeps below, in words."""

    name: str
    who: str
    text: str
    play: Play
    bound: str = "0"


CONTRACT_MADE = "serveGasWei · (18,000 + 4 · length)"
STRATEGIES = [
    Strategy(
        "withheld", "node", "withholds, serves the cheapest bytes alone", by_nodes.withheld_alone
    ),
    Strategy(
        "withheld_until_it_suits",
        "node",
        "withholds, serves late, in the block that suits it",
        by_nodes.withheld_until_it_suits,
    ),
    Strategy(
        "withheld_batched",
        "node",
        "withholds, serves real answers by a contract, many at once",
        by_nodes.withheld_batched,
    ),
    Strategy(
        "garbage_batched_undisputed",
        "node",
        "the same with zeros, which nobody disputes",
        by_nodes.garbage_batched_undisputed,
        CONTRACT_MADE,
    ),
    Strategy(
        "garbage_batched",
        "node",
        "the same with zeros, judged",
        by_nodes.garbage_batched,
        "the same, less price and bond",
    ),
    Strategy("never_served", "node", "never serves, is slashed", by_nodes.never_served),
    Strategy(
        "never_served_nor_demanded",
        "node",
        "never serves; the payer declines to demand",
        by_nodes.never_served_nor_demanded,
    ),
    Strategy("late", "node", "accepts and lets T pass", by_nodes.late),
    Strategy("garbage", "node", "answers garbage, judged", by_nodes.garbage),
    Strategy(
        "garbage_undecided",
        "node",
        "answers garbage, undecided",
        by_nodes.garbage_undecided,
    ),
    Strategy(
        "garbage_to_one_payer",
        "node",
        "eight garbage answers to one payer, judges slower than its windows",
        by_nodes.garbage_to_one_payer,
        "price of what is beyond three",
    ),
    Strategy(
        "garbage_to_one_payer_judged",
        "node",
        "the same, judged within the windows",
        by_nodes.garbage_to_one_payer_judged,
    ),
    Strategy("self_dealt", "node + payer", "pays itself for credit", by_nodes.self_dealt),
    Strategy("declined", "node", "offers, is selected, declines", in_sales.declined),
    Strategy(
        "worthless_offer",
        "node",
        "offers what nobody takes, for the prepayment",
        in_sales.worthless_offer,
        "the application prepayment",
    ),
    Strategy(
        "friends_dispute_first",
        "node + member",
        "delivers garbage, a friend disputes it with nothing",
        in_sales.friends_dispute_first,
    ),
    Strategy(
        "demanded_always", "payer", "demands though it has the answer", by_payers.demanded_always
    ),
    Strategy(
        "demanded_from_a_reckoner",
        "payer",
        "the same, of a node that gives up what costs it more",
        by_payers.demanded_from_a_reckoner,
        "price and bond, where serving costs more than both",
    ),
    Strategy(
        "false_dispute",
        "payer + judge",
        "disputes falsely, a minority bribed",
        by_payers.false_dispute,
    ),
    Strategy(
        "false_disputes_undecided",
        "payer (+ judges)",
        "disputes falsely, three at once, undecided",
        by_payers.false_disputes_undecided,
        "3 prices an account and decide time",
    ),
    Strategy(
        "mass_disputes_mostly_reached",
        "20 payers",
        "60 false disputes, judges reach 48",
        by_payers.mass_disputes_mostly_reached,
    ),
    Strategy(
        "mass_disputes_half_reached",
        "20 payers",
        "60 false disputes, judges reach 30",
        lambda case: by_payers.mass_disputes(case, reached=0.5),
        "3 prices an account and decide time",
    ),
    Strategy(
        "flooded",
        "payer + node",
        "fills the court with 60 cases of its own, for 3 false ones",
        by_payers.flooded,
        "3 prices an account and decide time",
    ),
    Strategy(
        "walked_away_by_a_friend",
        "buyer + node",
        "walks away by a friend's offer of one wei",
        in_sales.walked_away_by_a_friend,
        "the application prepayment",
    ),
    Strategy(
        "corrupt_court",
        "payer + k judges",
        "disputes falsely before k bribed judges",
        by_payers.corrupt_court,
        "price and bond: outside the assumption",
    ),
]


def worst(strategy: Strategy, case: Case) -> Outcome:
    """Return the outcome furthest above its limit, else of the largest profit, of all lengths."""
    outcomes = [strategy.play(replace(case, length=length)) for length in LENGTHS]
    return max(outcomes, key=lambda it: (max(0, it.excess_wei(case)), it.profit_wei))


def longest_run(signers: int, colluding: int) -> int | None:
    """Return how many blocks in a row colluding signers can seal; None: for ever.

    Clique: who sealed one of the last signers // 2 blocks may not seal.
    """
    last: dict[int, int] = {}
    for block in range(4 * signers):
        free = [s for s in range(colluding) if block - last.get(s, -signers) > signers // 2]
        if not free:
            return block
        last[min(free, key=lambda s: last.get(s, -signers))] = block
    return None


def least_price_wei(base_fee_wei: int) -> dict[str, int]:
    """Return from which price on each defence gives back more than it burns, by its name.

    The deposit follows the base fee, the bond is the price; the fee is left to who defends itself.
    """
    ended = gas_of("PrepaidLock.demand") + gas_of("PrepaidLock.slash")
    served = alone_gas(LONGEST_ANSWER) - paid_gas(LONGEST_ANSWER)
    disputed = gas_of("PrepaidLock.dispute") + gas_of("DisputeCourt.addEvidence")
    kept = 2 * BPS - Rules().fee_bps  # price and bond less the fee, in parts of the price
    return {
        "a demand that nobody serves": -(-ended * base_fee_wei // 2),
        "serving the longest answer": -(-served * base_fee_wei * BPS // kept),
        "a dispute": -(-disputed * base_fee_wei * BPS // kept),
    }
