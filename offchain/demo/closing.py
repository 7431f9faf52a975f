"""The last stage: everybody withdraws; every wei is accounted for."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.chain.facts import ChainEvent
from offchain.demo.gas import fees_wei, gas_by_step
from offchain.demo.world import World


def close_accounts(world: World) -> None:
    """Withdraw what is everybody's own and compare all money with what came in."""
    for node in world.nodes:
        if (free_wei := node.worker.bond.state().free_wei) > 0:
            node.worker.bond.take(free_wei)
        node.worker.withdraw()
    world.founders[0].admin.fetch_fees()
    for home in world.homes:
        home.household.money.withdraw()
    for sharer in world.buyers:
        sharer.buyer.money.withdraw()
    world.report.gas = gas_by_step(world.gateway)
    _check_money(world)


def _check_money(world: World) -> None:
    gateway = world.gateway
    lock = gateway.deployment.address("PrepaidLock")
    held_wei = gateway.balance_wei(lock)
    owed_wei = gateway.call("PrepaidLock", "liabilitiesWei")
    accounts = _accounts(world)
    owned_wei = sum(gateway.balance_wei(account) for account in accounts)
    spent_wei = fees_wei(gateway, senders=accounts)
    difference_wei = world.ground.funds_wei - owned_wei - held_wei - spent_wei
    inflow_wei, outflow_wei = _flows(world)
    ok = (
        difference_wei == 0
        and held_wei == owed_wei == 0
        and inflow_wei == outflow_wei + held_wei
        and inflow_wei > 0
    )
    detail = (
        f"{inflow_wei} wei into the contract, {outflow_wei} out, {held_wei} left, {owed_wei} owed; "
        f"all accounts and fees against all funds: {difference_wei} wei"
    )
    world.findings.record("money_conserved", ok, detail)


def _accounts(world: World) -> list[str]:
    assert world.outsider is not None
    return [
        world.outsider.address,
        world.gateway.deployment.address("Consortium"),
        *(founder.keys.address for founder in world.founders),
        *(node.keys.address for node in world.nodes),
        *(sharer.keys.address for sharer in world.buyers),
        *(home.household.keys.address for home in world.homes),
        *(home.device for home in world.homes),
    ]


def _flows(world: World) -> tuple[int, int]:
    """What the contract's own events say went in and out."""
    start = world.gateway.deployment.block("PrepaidLock")

    def events(name: str) -> Sequence[ChainEvent]:
        return world.gateway.events("PrepaidLock", name, from_block=start)

    inflow = sum(event.args["priceWei"] for event in events("Requested"))
    inflow += sum(event.args["order"].priceWei for event in events("Selected"))
    inflow += sum(event.args["amountWei"] for event in events("ApplicationHeld"))
    inflow += sum(event.args["amountWei"] for event in events("BondAdded"))
    inflow += sum(event.args["depositWei"] for event in events("Demanded"))
    inflow += sum(event.args["bondWei"] for event in events("Disputed"))
    return inflow, sum(event.args["amountWei"] for event in events("Withdrawn"))
