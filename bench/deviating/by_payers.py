"""What a payer may try: demand what it has, dispute what is right, alone or in a mass."""

from __future__ import annotations

from bench.deviating.case import (
    FRIEND,
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
    payer_of,
)
from bench.deviating.gas import alone_gas
from bench.deviating.world import MOST_DISPUTES

ACCOUNTS = 20


def demanded_always(case: Case) -> Outcome:
    """Demand an answer that one has, to make the node serve, at whatever it costs the node."""
    world = claimed(case, deviator=PAYER)
    world.demand(LOCK)
    world.serve(LOCK, alone_gas(case.length))
    world.settle(LOCK)
    return compare(case, world, honest(case, deviator=PAYER), PAYER, victims=(NODE,))


def demanded_from_a_reckoner(case: Case) -> Outcome:
    """The same, of a node that serves only when serving costs it less than losing."""
    rules, price_wei = case.rules, case.price_wei
    served = claimed(case, deviator=PAYER)
    served.demand(LOCK)
    paid_wei = served.serve(LOCK, alone_gas(case.length))
    served.settle(LOCK)
    gas_wei = alone_gas(case.length) * (case.base_fee_wei + case.tip_wei)
    at_stake = price_wei - rules.fee_of(price_wei) + rules.bond_of(price_wei)
    gives_up = gas_wei - paid_wei > at_stake
    fair = honest(case, deviator=PAYER)
    if not gives_up:
        return compare(case, served, fair, PAYER, victims=(NODE,))
    world = claimed(case, deviator=PAYER)
    world.demand(LOCK)
    world.slash(LOCK)
    limit = price_wei + rules.bond_of(price_wei)
    return compare(case, world, fair, PAYER, victims=(NODE,), limit_wei=limit)


def false_dispute(case: Case) -> Outcome:
    """Dispute a good answer before judges who look at it; a minority of them is bribed."""
    world = claimed(case, deviator=PAYER)
    world.dispute(LOCK)
    world.vote("bribed judge")  # for the payer
    judged(world, LOCK, for_payer=False)
    return compare(case, world, honest(case, deviator=PAYER), PAYER, victims=(NODE,))


def _mass(case: Case, *, accounts: int, decided: int, limit_wei: int | None = None) -> Outcome:
    """Every account disputes good answers, three each; the judges reach so many of them."""
    world = claimed(case, deviator=PAYER, count=MOST_DISPUTES, payers=accounts)
    names = list(locks(MOST_DISPUTES, accounts))
    for lock, _ in names:
        world.dispute(lock)
    for i, (lock, _) in enumerate(names):
        if i < decided:
            judged(world, lock, for_payer=False)
        else:
            world.refund(lock)
    fair = honest(case, deviator=PAYER, count=MOST_DISPUTES, payers=accounts)
    everybody = tuple(payer_of(number) for number in range(accounts))
    stated = len(names) * case.price_wei if limit_wei is None else limit_wei
    return compare(case, world, fair, *everybody, victims=(NODE,), limit_wei=stated)


def false_disputes_undecided(case: Case) -> Outcome:
    """Three at once, as many as an account may have, that nobody decides."""
    return _mass(case, accounts=1, decided=0)


def mass_disputes(case: Case, *, reached: float) -> Outcome:
    """As many as twenty accounts may have; judges reach a part of them."""
    decided = round(ACCOUNTS * MOST_DISPUTES * reached)
    return _mass(case, accounts=ACCOUNTS, decided=decided)


def mass_disputes_mostly_reached(case: Case) -> Outcome:
    """The same; judges reach four of five: what is won and what is lost are equal."""
    decided = ACCOUNTS * MOST_DISPUTES * 4 // 5
    return _mass(case, accounts=ACCOUNTS, decided=decided, limit_wei=0)


def flooded(case: Case) -> Outcome:
    """One owner's node and accounts fill the court, so that three false disputes stay undecided."""
    world = claimed(case, deviator=PAYER, count=MOST_DISPUTES)
    own = [f"own {i}" for i in range(ACCOUNTS * MOST_DISPUTES)]
    for i, lock in enumerate(own):
        world.request(lock, f"own payer {i // MOST_DISPUTES}", FRIEND, case.price_wei)
        world.accept(lock, 1)
        world.claim(lock)
        world.dispute(lock)
        judged(world, lock, for_payer=False)
    for lock, _ in locks(MOST_DISPUTES):
        world.dispute(lock)
        world.refund(lock)
    fair = honest(case, deviator=PAYER, count=MOST_DISPUTES)
    owned = (PAYER, FRIEND, *(f"own payer {i}" for i in range(ACCOUNTS)))
    limit = MOST_DISPUTES * case.price_wei
    return compare(case, world, fair, *owned, victims=(NODE,), limit_wei=limit)


def corrupt_court(case: Case) -> Outcome:
    """What k judges can give a payer: outside the assumption, for the size of it."""
    world = claimed(case, deviator=PAYER)
    world.dispute(LOCK)
    judged(world, LOCK, for_payer=True)
    limit = case.price_wei + case.rules.bond_of(case.price_wei)
    fair = honest(case, deviator=PAYER)
    return compare(case, world, fair, PAYER, victims=(NODE,), limit_wei=limit)
