"""What a node may try with a request: withhold, serve nobody, answer garbage, pay itself."""

from __future__ import annotations

from dataclasses import replace

from bench.deviating.case import (
    BASE_FEES_GWEI,
    LOCK,
    NODE,
    PAYER,
    Case,
    Outcome,
    claimed,
    compare,
    honest,
    judged,
    locks,
)
from bench.deviating.gas import alone_gas, batched_gas, gas_of
from bench.deviating.world import GWEI, MOST_DISPUTES, POINT_WEI, World

LOCKS_AT_ONCE = 8

# What a contract that serves many answers earns by each: at most so much gas at the rules' price,
# 18,000 and for each byte 4 more if a contract can make it, 12 less if it must be brought. What was
# really sealed must be brought, and no answer that says something is shorter.
GAP_GAS, MADE_BYTE_GAS, BROUGHT_BYTE_GAS = 18_000, 4, -12
LEAST_ANSWER = 1_750


def _withheld(case: Case, gas: int, limit_wei: int = 0, serve_at: int | None = None) -> Outcome:
    world = claimed(case, deviator=NODE)
    world.demand(LOCK)
    if serve_at is not None:
        world.base_fee_wei = serve_at
    world.serve(LOCK, gas)
    world.base_fee_wei = case.base_fee_wei
    world.settle(LOCK)
    fair = honest(case, deviator=NODE)
    return compare(case, world, fair, NODE, victims=(PAYER,), limit_wei=limit_wei)


def _instead_of_an_answer(case: Case, world: World) -> Outcome:
    """Compare with the honest play; an answer was worth its price to who did not get it."""
    fair, goods = honest(case, deviator=NODE), case.price_wei
    return compare(case, world, fair, NODE, victims=(PAYER,), goods_wei=goods)


def withheld_alone(case: Case) -> Outcome:
    """Serve by a transaction of its own, of the cheapest bytes that there are."""
    return _withheld(case, alone_gas(case.length, zeros=case.length))


def withheld_until_it_suits(case: Case) -> Outcome:
    """Serve in whichever block pays best, up to the last one before the time is over."""
    gas = alone_gas(case.length, zeros=case.length)
    tried = [_withheld(case, gas, serve_at=fee * GWEI) for fee in BASE_FEES_GWEI]
    return max(tried, key=lambda outcome: outcome.profit_wei)


def withheld_batched(case: Case) -> Outcome:
    """Serve real answers by a contract, many in a transaction."""
    length = max(LEAST_ANSWER, case.length)
    gas = batched_gas(length, in_calldata=length)
    return _withheld(replace(case, length=length), gas)


def garbage_batched_undisputed(case: Case) -> Outcome:
    """Serve zeros by a contract, many answers in a transaction, to payers who do not dispute."""
    outcome = _withheld(case, batched_gas(case.length), _made_wei(case))
    return replace(outcome, loss_wei=outcome.loss_wei + case.price_wei)


def garbage_batched(case: Case) -> Outcome:
    """Serve zeros by a contract, many answers in a transaction, and lose the dispute."""
    world = claimed(case, deviator=NODE)
    world.demand(LOCK)
    world.serve(LOCK, batched_gas(case.length))
    world.dispute(LOCK)
    judged(world, LOCK, for_payer=True)
    outcome = _instead_of_an_answer(case, world)
    price_wei, rules = case.price_wei, case.rules
    lost_wei = price_wei - rules.fee_of(price_wei) + rules.bond_of(price_wei)
    lost_wei -= gas_of("PrepaidLock.settle") * case.base_fee_wei  # which it need not send
    return replace(outcome, limit_wei=outcome.limit_wei + max(0, _made_wei(case) - lost_wei))


def _made_wei(case: Case) -> int:
    """Return the most that serving pays above its gas, where a contract makes the bytes."""
    return (GAP_GAS + MADE_BYTE_GAS * case.length) * case.rules.serve_gas_wei


def never_served(case: Case) -> Outcome:
    """Serve nobody; the payer demands, and ends the lock."""
    world = claimed(case, deviator=NODE)
    world.demand(LOCK)
    world.slash(LOCK)
    return _instead_of_an_answer(case, world)


def never_served_nor_demanded(case: Case) -> Outcome:
    """Serve nobody; the payer declines to demand. The answer's work is not in the money."""
    return _instead_of_an_answer(case, honest(case, deviator=NODE))


def late(case: Case) -> Outcome:
    """Accept, and let T pass."""
    world = case.world(deviator=NODE)
    world.request(LOCK, PAYER, NODE, case.price_wei)
    world.accept(LOCK, case.length)
    world.refund(LOCK)
    return _instead_of_an_answer(case, world)


def garbage(case: Case) -> Outcome:
    """Answer garbage and lose the dispute."""
    world = claimed(case, deviator=NODE)
    world.dispute(LOCK)
    judged(world, LOCK, for_payer=True)
    return _instead_of_an_answer(case, world)


def garbage_undecided(case: Case) -> Outcome:
    """Answer garbage, with judges who leave it undecided."""
    world = claimed(case, deviator=NODE)
    world.dispute(LOCK)
    world.refund(LOCK)
    return _instead_of_an_answer(case, world)


def _garbage_to_many(case: Case, *, in_time: bool) -> Outcome:
    world = claimed(case, deviator=NODE, count=LOCKS_AT_ONCE)
    names = [lock for lock, _ in locks(LOCKS_AT_ONCE)]
    disputed = names if in_time else names[:MOST_DISPUTES]
    for lock in disputed:
        world.dispute(lock)
        if in_time:
            judged(world, lock, for_payer=True)
    lost = [lock for lock in names if lock not in disputed]
    for lock in lost:
        world.settle(lock)
    for lock in disputed:
        if not in_time:
            judged(world, lock, for_payer=True)
    idle = case.world(deviator=NODE)  # a node that has nothing to answer rejects
    for lock in names:
        idle.request(lock, PAYER, NODE, case.price_wei)
        idle.reject(lock)
    limit = len(lost) * case.price_wei
    return compare(case, world, idle, NODE, victims=(PAYER,), limit_wei=limit)


def garbage_to_one_payer(case: Case) -> Outcome:
    """Take on eight requests of one payer with nothing to answer; judges take longer than it."""
    return _garbage_to_many(case, in_time=False)


def garbage_to_one_payer_judged(case: Case) -> Outcome:
    """The same; each dispute is decided before the next one's window is over."""
    return _garbage_to_many(case, in_time=True)


def self_dealt(case: Case) -> Outcome:
    """A node that pays itself, its points worth what they cost."""
    world = honest(case, deviator=NODE)
    idle = case.world(deviator=NODE)
    outcome = compare(case, world, idle, NODE, PAYER, victims=())
    return replace(outcome, profit_wei=outcome.profit_wei + world.points(NODE) * POINT_WEI)
