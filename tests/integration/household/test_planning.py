"""A long window: its price is known before, it is asked in parts, and the parts make one bill."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.audit.working import worked_out
from offchain.household.planning import Wanted
from offchain.member.errors import TermsUnfit
from offchain.member.keys import MemberKeys
from offchain.member.roles import MemberRole
from offchain.node.held_days import held_days
from offchain.records.held_days import HeldDay
from offchain.types import SECONDS_PER_DAY
from tests.integration.town import (
    BILL,
    FIRST_DAY,
    PRICE_WEI,
    PRODUCT,
    House,
    Town,
    fill,
    make_readings,
    poll,
)

DAYS = 60
ZONE = "America/Los_Angeles"


def long_meter(town: Town, house: House) -> MemberKeys:
    """A device of the house with hourly readings of two months, anchored day by day."""
    keys, gateway = town.admit(MemberRole.DEVICE, house.node.region, owner=house.keys.address)
    readings = make_readings(keys, town.deployment, number=9, days=DAYS + 2)
    fill(house.node.held, keys, readings, gateway)
    return keys


def wanted(keys: MemberKeys) -> Wanted:
    start = FIRST_DAY * SECONDS_PER_DAY + 7 * 3_600  # midnight of Los Angeles in summer
    return Wanted(
        type_id=BILL,
        kind="bill",
        devices=(keys.address,),
        window=(start, start + (DAYS - 1) * SECONDS_PER_DAY),
        time_zone=ZONE,
        product=PRODUCT,
    )


def test_plan__of_two_months__tells_count_and_price_and_the_parts_make_one_bill(
    fresh: Town,
) -> None:
    house = fresh.houses[0]
    keys, household = long_meter(fresh, house), house.household
    planner = household.planner(lambda device, span: held_days(house.node.held, device, span))
    before = house.gateway.balance_wei(house.keys.address)
    plan = planner.plan(wanted(keys), region_id=house.node.region)

    assert house.gateway.balance_wei(house.keys.address) == before
    assert len(plan.parts) > 1 and plan.price_wei == PRICE_WEI
    assert plan.total_wei == PRICE_WEI * len(plan.parts)
    assert (plan.parts[0][0], plan.parts[-1][1]) == wanted(keys).window

    paid = household.requests.ask_parts(plan)
    poll(house.node.worker, steps=2 * len(paid))
    parts = household.answers.audit_parts([one.lock_id for one in paid])
    assert all(part.report.ok for part in parts), [part.report.verdict for part in parts]
    whole = household.answers.whole(parts[::-1])  # in any order
    together = whole.by_the_chain(house.gateway, household.tariffs)

    days = (FIRST_DAY - 1) * SECONDS_PER_DAY, (FIRST_DAY + DAYS + 9) * SECONDS_PER_DAY
    direct = worked_out(
        "bill",
        {keys.address: house.node.held.readings(keys.address, from_s=days[0], to_s=days[1])},
        window=wanted(keys).window,
        product=PRODUCT,
        region_id=house.node.region,
        as_of_block=whole.as_of_block,
        tariffs=household.tariffs,
        gateway=house.gateway,
    )
    assert together == direct.result
    assert together.is_complete and len(together.lines) == len(parts[0].report.own.lines)
    assert "a correction by the consortium's vote" in direct.tariffs_text()


@pytest.mark.parametrize("change", [{"readings": 23}, {"batches": 2}, {"from_seq": 2}])
def test_plan__a_node_tells_other_counts_than_the_chain_has__is_refused(
    fresh: Town, change: dict[str, int]
) -> None:
    house = fresh.houses[0]
    window = wanted(house.device)

    def told(device: str, span: tuple[int, int]) -> list[HeldDay]:
        true = held_days(house.node.held, device, span)
        return [replace(true[0], **change)]

    planner = house.household.planner(told)
    with pytest.raises(TermsUnfit, match="the chain has them otherwise"):
        planner.plan(window, region_id=house.node.region)


def test_plan__of_days_that_nobody_read__is_refused(fresh: Town) -> None:
    house = fresh.houses[0]
    planner = house.household.planner(lambda device, span: [])
    with pytest.raises(TermsUnfit, match="holds no readings"):
        planner.plan(wanted(house.device), region_id=house.node.region)


def test_product__of_a_region__is_its_only_one_or_must_be_named(fresh: Town) -> None:
    house = fresh.houses[0]
    planner = house.household.planner(lambda device, span: [])
    assert planner.product(house.node.region, None) == PRODUCT
    assert planner.time_zone(house.node.region, PRODUCT) == "UTC"
    with pytest.raises(TermsUnfit, match="products by --product: 'standard'"):
        planner.product(house.node.region, "other")
    with pytest.raises(TermsUnfit, match="no tariff yet"):
        planner.product(b"\1" * 32, None)
