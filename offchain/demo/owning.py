"""Stage 7: an owner withdraws, and is sold no more; all owners draw what their rows earned."""

from __future__ import annotations

from offchain.buyer.form import form_of
from offchain.chain.facts import ContractRevert
from offchain.demo.sharing import DELIVER_S, RESPOND_S, SELECT_S, deliver_and_open
from offchain.demo.world import DATA_SET_PRICE_WEI, HomeSite, NodeSite, World
from offchain.household.sales import SaleEnd
from offchain.member.data_sets import PublishedDataSet, sale_of
from offchain.member.errors import NothingToPublish
from offchain.member.roles import LockState

_BPS = 10_000


def withdraw_from_sale(world: World) -> None:
    """Let an owner withdraw while buyers choose: what holds its readings cannot be selected any
    more, the other node's set can, and what is published anew lacks that home.
    """
    node = max(world.nodes, key=lambda one: len(world.homes_of(one)))
    home = world.homes_of(node)[0]
    others = [one for one in world.nodes if one is not node]
    broadcast_id = _broadcast(world, [node, *others])
    for one in (node, *others):
        one.worker.market.open_broadcasts()
        one.worker.market.respond(broadcast_id)
    world.say(f"{home.home.name} withdraws its consent, and ends the sale of its region's data set")
    home.household.consents.withdraw(home.device)
    ends = home.household.sales.end(home.device)
    refused = _refusal(world, broadcast_id, node)
    world.say("the other node's data set is sold once more")
    for other in others:
        _buy(world, broadcast_id, other)
    world.say(f"{node.region_name}: publishing anew, without that home")
    anew = _published_anew(world, node)
    held = [] if anew is None else _devices_sold(world, node)
    faults = _faults(node, home, ends, refused, anew, held)
    detail = (
        f"selecting the retired set reverted with {refused}; the one published anew holds "
        f"{len(held)} of {len(world.homes_of(node))} homes"
    )
    world.findings.record("withdrawn_not_sold", not faults, "; ".join(faults) or detail)


def pay_owners(world: World) -> None:
    """Let every owner draw; each must get exactly what its rows earned, sale by sale."""
    world.say("every owner draws what its readings earned")
    faults, drawn, sales = [], 0, 0
    for home in world.homes:
        seen = home.household.sales.seen()
        expected_wei = sum(
            sale.price_wei
            * _owners_bps(world, sale.lock_id)
            // _BPS
            // one.published.row_count
            * one.own_rows
            for one in seen.data_sets
            for sale in one.sales
            if sale.is_sold
        )
        before = _withdrawable(world, home)
        home.household.sales.draw(seen)
        got_wei = _withdrawable(world, home) - before
        if got_wei != expected_wei or got_wei == 0:
            faults.append(f"{home.home.name} drew {got_wei} wei, earned {expected_wei}")
        drawn += got_wei
        sales += sum(sale.is_sold for one in seen.data_sets for sale in one.sales)
    detail = f"{len(world.homes)} owners drew {drawn} wei for their rows in {sales} sales"
    world.findings.record("owners_paid", not faults, "; ".join(faults) or detail)


# ---- inside


def _broadcast(world: World, nodes: list[NodeSite]) -> bytes:
    windows = [home.utc_window for home in world.homes]
    now = world.gateway.now()
    broadcast_id = world.buyers[0].buyer.broadcasts.make(
        regions=[one.region for one in nodes],
        window_from=min(start for start, _ in windows),
        window_to=max(end for _, end in windows),
        max_price_wei=2 * DATA_SET_PRICE_WEI,
        group_size=world.options.sharers,
        threshold=world.options.threshold,
        respond_by=now + RESPOND_S,
        select_by=now + SELECT_S,
        purpose="how homes use energy at night",
    )
    world.wait_for_depth()
    return broadcast_id


def _select(world: World, broadcast_id: bytes, node: NodeSite) -> bytes:
    (lock_id,) = world.buyers[0].buyer.selection.select(
        broadcast_id,
        members=[sharer.keys.address for sharer in world.buyers],
        processors=[node.keys.address],
        expires_at=world.gateway.now() + DELIVER_S,
    )
    world.wait_for_depth()
    return lock_id


def _refusal(world: World, broadcast_id: bytes, node: NodeSite) -> str:
    offered = [one.processor for one in form_of(world.gateway, broadcast_id)]
    if node.keys.address not in offered:
        return "nothing: it was not offered"
    try:
        _select(world, broadcast_id, node)
    except ContractRevert as revert:
        return revert.name
    return "nothing: it was selected"


def _buy(world: World, broadcast_id: bytes, node: NodeSite) -> bytes:
    lock_id = _select(world, broadcast_id, node)
    node.worker.market.selections()
    node.worker.market.deliver(lock_id)
    return lock_id


def _published_anew(world: World, node: NodeSite) -> PublishedDataSet | None:
    windows = [home.utc_window for home in world.homes_of(node)]
    window = min(start for start, _ in windows), max(end for _, end in windows)
    try:
        return node.publisher.publish(*window)
    except NothingToPublish:  # nobody else lives in the region
        return None


def _devices_sold(world: World, node: NodeSite) -> list[str]:
    """Buy what was published anew, audit it, and return whose readings are in it."""
    broadcast_id = _broadcast(world, [node])
    node.worker.market.open_broadcasts()
    node.worker.market.respond(broadcast_id)
    lock_id = _buy(world, broadcast_id, node)
    buyer = world.buyers[0].buyer
    report = buyer.data_sets.verify(lock_id, opened=deliver_and_open(world, lock_id))
    sold = buyer.locks.lock(lock_id).state is LockState.SETTLED
    return [one.device for one in report.devices] if sold and report.ok else []


def _faults(
    node: NodeSite,
    home: HomeSite,
    ends: list[SaleEnd],
    refused: str,
    anew: PublishedDataSet | None,
    held: list[str],
) -> list[str]:
    faults = []
    for one in ends:
        sale = sale_of(node.gateway, one.data_set_id)
        if not one.is_ended or sale is None or sale.sale_until > node.gateway.now():
            faults.append(f"the sale of {one.data_set_id.hex()} goes on: {one.why}")
    if not ends:
        faults.append("no sale was ended")
    if refused != "DataMarket_NotOnSale":
        faults.append(f"selecting it reverted with {refused}")
    if anew is not None and (not held or home.device in held):
        faults.append("what was published anew is not sold without that home")
    return faults


def _withdrawable(world: World, home: HomeSite) -> int:
    owner = home.household.keys.address
    return int(world.gateway.call("PrepaidLock", "withdrawableOf", owner))


def _owners_bps(world: World, lock_id: bytes) -> int:
    return int(world.gateway.call("PrepaidLock", "lockOf", lock_id).ownersBps)
