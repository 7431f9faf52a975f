"""What energy costs in the regions: entered by the consortium's vote, for its days are past."""

from __future__ import annotations

from functools import partial

from offchain.chain.facts import ContractRevert
from offchain.consortium.admin import Admin
from offchain.demo import voting
from offchain.demo.world import NodeSite, World
from offchain.member.tariff_documents import tariff_offer
from offchain.records import canonical_json

PRODUCT = "standard"
APPEND_GAS = 200_000


def say_prices(world: World) -> None:
    """Let a node try to price days that are past, and the consortium do it by its vote.

    A tariff that is said so is a correction and marked as one, in every bill's audit too.
    """
    offer = tariff_offer(world.tariff)
    for node in world.nodes:
        node.content.put(offer.data, lasting=True)
    _refuse_retroactive(world, world.nodes[0])
    for node in world.nodes:
        append = partial(Admin.append_tariff, region=node.region_name, product=PRODUCT)
        voting.decide(world, partial(append, entry=offer.entry))
    world.say("the tariff, of days that are past, is entered by vote: a correction")


def _refuse_retroactive(world: World, node: NodeSite) -> None:
    """A node cannot price what has been used already: the contract refuses it."""
    dearer = canonical_json.loads(world.tariff, max_bytes=len(world.tariff))
    assert isinstance(dearer, dict)
    offer = tariff_offer(canonical_json.dumps(dearer | {"name": "dearer, afterwards"}))
    error = "none"
    try:
        node.gateway.transact(
            "TariffBook",
            "appendTariff",
            node.region,
            PRODUCT,
            offer.entry,
            gas=APPEND_GAS,
            dry_call=False,
        )
    except ContractRevert as revert:
        error = revert.name
    detail = f"a node's tariff reverted with {error}: {offer.begins}"
    world.findings.record("retroactive_tariff_refused", error == "TariffBook_NotAhead", detail)
