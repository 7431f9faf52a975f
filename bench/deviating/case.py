"""A play and the honest play beside it: in what surroundings, and what came of it, in wei."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.deviating.gas import LONGEST_ANSWER
from bench.deviating.world import GWEI, POINT_WEI, Rules, World

NODE, PAYER, FRIEND, JUDGE, OTHER_JUDGE = "node", "payer", "friend", "judge", "other judge"
BASE_FEES_GWEI = (0, 1, 10, 100, 1_000)
REQUEST_WEI, SALE_WEI = 2 * 10**15, 5 * 10**16  # as the demo has them
PRICE_GAS = 2_000_000  # a price that follows the base fee pays so much gas
LOCK = "lock 0 0"
RICH_WEI = 10**24


@dataclass(frozen=True)
class Case:
    """In what surroundings a play is played. `seals`: the deviator seals every block."""

    base_fee_wei: int
    follows: bool = True  # price and deposit follow the base fee; else they stay the defaults
    seals: bool = False
    tip_wei: int = 0
    length: int = LONGEST_ANSWER
    request_wei: int = REQUEST_WEI
    sale_wei: int = SALE_WEI

    @property
    def rules(self) -> Rules:
        """Return the rules: a demand deposits what the base fee asks for, if they follow it."""
        gas_wei = max(GWEI, self.base_fee_wei) if self.follows else GWEI
        return Rules(serve_gas_wei=gas_wei)

    @property
    def price_wei(self) -> int:
        """Return a request's price."""
        return self._followed(self.request_wei)

    @property
    def offer_wei(self) -> int:
        """Return a data set's price."""
        return self._followed(self.sale_wei)

    def world(self, *, deviator: str) -> World:
        """Return an empty world; everybody's bond is put up."""
        sealer = deviator if self.seals else "sealer"
        world = World(self.rules, self.base_fee_wei, self.tip_wei, sealer)
        for account in (NODE, FRIEND):
            world.add_bond(account, RICH_WEI, gas=0)
        return world

    def _followed(self, price_wei: int) -> int:
        return max(price_wei, PRICE_GAS * self.base_fee_wei) if self.follows else price_wei


@dataclass(frozen=True)
class Outcome:
    """What came of a play, in wei. `limit_wei` is 0 or what docs/credit.md states."""

    profit_wei: int  # of the deviators, over the honest play
    loss_wei: int  # of those who are honest, in money, goods and credit
    limit_wei: int
    own_gas_wei: int  # that the deviators burned less

    def excess_wei(self, case: Case) -> int:
        """Return what was earned above the limit.

        Where prices do not follow the base fee an honest play can cost more gas than it earns: gas
        that a deviator leaves unburned is nobody else's money, and does not count.
        """
        spared = 0 if case.follows else max(0, self.own_gas_wei)
        return self.profit_wei - self.limit_wei - spared


def claimed(case: Case, *, deviator: str, count: int = 1, payers: int = 1) -> World:
    """Return a world with so many claimed locks of each payer with the node."""
    world = case.world(deviator=deviator)
    for lock, payer in locks(count, payers):
        world.request(lock, payer, NODE, case.price_wei)
        world.accept(lock, case.length)
        world.claim(lock)
    return world


def locks(count: int, payers: int = 1) -> Iterator[tuple[str, str]]:
    """Yield each lock with its payer."""
    for number in range(payers):
        for i in range(count):
            yield f"lock {number} {i}", payer_of(number)


def payer_of(number: int) -> str:
    """Return a payer's name."""
    return PAYER if number == 0 else f"{PAYER} {number}"


def honest(case: Case, *, deviator: str, count: int = 1, payers: int = 1) -> World:
    """Return the world in which so many requests are answered and settled."""
    world = claimed(case, deviator=deviator, count=count, payers=payers)
    for lock, _ in locks(count, payers):
        world.settle(lock)
    return world


def compare(
    case: Case,
    played: World,
    fair: World,
    *deviators: str,
    victims: tuple[str, ...],
    limit_wei: int = 0,
    goods_wei: int = 0,
) -> Outcome:
    """Compare two worlds; `goods_wei` is what victims paid for and did not get.

    A deviator that seals gets the tips of what it makes others send: that is added to the limit.
    """
    profit = played.wealth(*deviators) - fair.wealth(*deviators)
    loss = fair.wealth(*victims) - played.wealth(*victims) + goods_wei
    loss += sum(fair.points(who) - played.points(who) for who in victims) * POINT_WEI
    used = {who: played.used[who] - fair.used[who] for who in {*played.used, *fair.used}}
    own = sum(gas for who, gas in used.items() if who in deviators)
    more = sum(gas for who, gas in used.items() if who not in deviators)
    tips = max(0, more) * case.tip_wei if case.seals else 0
    saved = -own * (case.base_fee_wei + (0 if case.seals else case.tip_wei))
    return Outcome(profit, loss, limit_wei + tips, saved)


def judged(world: World, lock: str, *, for_payer: bool) -> None:
    """Two judges vote."""
    world.vote(JUDGE)
    world.decide(lock, for_payer=for_payer, judge=OTHER_JUDGE)
