"""What node and buyer may try with a sale: decline, offer nothing, walk away, dispute first."""

from __future__ import annotations

from bench.deviating.case import FRIEND, LOCK, NODE, PAYER, Case, Outcome, compare, judged
from bench.deviating.world import World

APPLICATION_WEI = 10**15  # as the demo has it


def _offered(case: Case, *, deviator: str) -> World:
    world = case.world(deviator=deviator)
    world.broadcast("ad", PAYER, APPLICATION_WEI)
    world.respond(NODE)
    return world


def declined(case: Case) -> Outcome:
    """Offer, be selected, decline."""
    worlds = []
    for declines in (True, False):
        world = _offered(case, deviator=NODE)
        world.select("ad", LOCK, NODE, case.offer_wei)
        if declines:
            world.decline(LOCK)
        else:
            world.deliver(LOCK)
            world.settle(LOCK)
        worlds.append(world)
    goods = case.offer_wei
    return compare(case, worlds[0], worlds[1], NODE, victims=(PAYER,), goods_wei=goods)


def worthless_offer(case: Case) -> Outcome:
    """Offer what nobody will choose, for the application prepayment."""
    world = _offered(case, deviator=NODE)
    world.close("ad", NODE, by=NODE)
    fair = case.world(deviator=NODE)
    fair.broadcast("ad", PAYER, APPLICATION_WEI)
    fair.close("ad", by=PAYER)
    limit = APPLICATION_WEI
    return compare(case, world, fair, NODE, victims=(PAYER,), limit_wei=limit)


def walked_away_by_a_friend(case: Case) -> Outcome:
    """A buyer that wants none of the offers selects a friend's of one wei, who declines."""
    world = _offered(case, deviator=PAYER)
    world.respond(FRIEND)
    world.select("ad", LOCK, FRIEND, 1)
    world.decline(LOCK)
    fair = _offered(case, deviator=PAYER)
    fair.close("ad", NODE, by=NODE)
    limit = APPLICATION_WEI
    return compare(case, world, fair, PAYER, FRIEND, victims=(NODE,), limit_wei=limit)


def friends_dispute_first(case: Case) -> Outcome:
    """Deliver garbage; a friend in the group disputes with nothing, the payer adds evidence."""
    world = _offered(case, deviator=NODE)
    world.select("ad", LOCK, NODE, case.offer_wei)
    world.deliver(LOCK)
    world.dispute(LOCK, by=FRIEND)
    judged(world, LOCK, for_payer=True)
    fair = _offered(case, deviator=NODE)
    fair.select("ad", LOCK, NODE, case.offer_wei)
    fair.decline(LOCK)
    return compare(case, world, fair, NODE, FRIEND, victims=(PAYER,))
