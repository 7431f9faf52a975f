"""Years of credit: nodes that pay themselves, and honest ones, under the rule (docs/credit.md).

Every settlement goes through :class:`bench.credit_model.CreditModel`, which is the contract's twin.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bench.credit_model import ACCOUNT_CAP, EPOCH_SECONDS, MAX_GAIN, PAIR_CAP, CreditModel

EPOCHS_A_YEAR = 365 * 86_400 / EPOCH_SECONDS
POINT_WEI = 10**13
FEE_BPS, BOND_BPS, BPS = 200, 10_000, 10_000
LOCK_SECONDS = 86_400  # from the payment to the settlement: a dispute window of a day
NODE = "node"
LOCKS_A_PAIR = PAIR_CAP // MAX_GAIN  # that gain anything in an epoch

End = tuple[int, int, bool]  # of a lock: its payer, its fee in points, whether it ended well


@dataclass
class Life:
    """A node's credit at the end of each epoch, before it decays, and what was paid for it."""

    credits: list[int]
    fees_wei: list[int]  # up to that end
    excess_points: float = -math.inf  # the most that credit ever stood above fees / pointWei

    def fees_in_last_year(self) -> int:
        """Return the fees of the last twelve epochs, a year being 12.17 of them, in wei a year."""
        before = self.fees_wei[-13] if len(self.fees_wei) > 12 else 0
        return round((self.fees_wei[-1] - before) / min(12, len(self.fees_wei)) * EPOCHS_A_YEAR)


def self_dealer(payers: int, *, epochs: int, luck: Random, goal: int | None = None) -> Life:
    """A node whose owner holds paying accounts too and pays the cheapest gain that there is.

    Each pays for as many locks as its cap lets count, each with exactly the fee of MAX_GAIN points,
    and stops when the node's own cap is reached, or its credit a goal. Nothing of it fails.
    """
    locks = min(payers * LOCKS_A_PAIR, math.ceil(ACCOUNT_CAP / MAX_GAIN))
    ends = [(i // LOCKS_A_PAIR, MAX_GAIN, True) for i in range(locks)]
    return _live(epochs, luck, lambda _: list(ends), goal)


def honest_node(
    homes: int, *, epochs: int, luck: Random, fee_points: int = 2, failures: float = 0.001
) -> Life:
    """A node each of whose homes asks for one bill an epoch; some acceptances miss their T."""

    def month(draw: Random) -> list[End]:
        return [(home, fee_points, draw.random() >= failures) for home in range(homes)]

    return _live(epochs, luck, month)


def _live(
    epochs: int, luck: Random, month: Callable[[Random], list[End]], goal: int | None = None
) -> Life:
    model, life, paid_wei = CreditModel(POINT_WEI), Life([], []), 0
    for epoch in range(1, epochs + 1):
        ends = month(luck)
        luck.shuffle(ends)
        moments = sorted(luck.randrange(EPOCH_SECONDS) for _ in ends)
        now = model.credit_of(NODE, at=epoch * EPOCH_SECONDS)
        for offset, (payer, fee_points, is_success) in zip(moments, ends, strict=True):
            if goal is not None and now >= goal:
                break
            at = epoch * EPOCH_SECONDS + offset
            if is_success:
                paid_wei += fee_points * POINT_WEI
                _, now = model.record_success(NODE, str(payer), fee_points * POINT_WEI, at=at)
            else:
                _, now = model.record_failure(NODE, at=at)
            life.excess_points = max(life.excess_points, now - paid_wei / POINT_WEI)
        life.credits.append(now)
        life.fees_wei.append(paid_wei)
        if goal is not None and now >= goal:
            break
    return life


def capital_wei(payers: int) -> int:
    """Return price and bond in a self-dealer's locks at a time, its locks spread evenly."""
    locks = min(payers * LOCKS_A_PAIR, math.ceil(ACCOUNT_CAP / MAX_GAIN))
    at_a_time = max(1, math.ceil(locks * LOCK_SECONDS / EPOCH_SECONDS))
    price_wei = MAX_GAIN * POINT_WEI * BPS // FEE_BPS
    return at_a_time * (price_wei + price_wei * BOND_BPS // BPS)


def payers_for(credit: int) -> int:
    """Return the fewest paying accounts with which a self-dealer ever reaches a credit."""
    for payers in range(1, math.ceil(ACCOUNT_CAP / PAIR_CAP) + 1):
        if highest(payers) >= credit:
            return payers
    raise ValueError(f"no number of accounts reaches {credit}: the highest is {highest(payers)}")


def highest(payers: int) -> int:
    """Return where a self-dealer's credit stands still: c = floor(7c/8) + its gain an epoch."""
    gain, credit = min(payers * PAIR_CAP, ACCOUNT_CAP), 0
    while (after := credit * 7 // 8 + gain) != credit:
        credit = after
    return credit
