"""Whose energies may be added: consent to aggregation as it stood at a block, from the events, so
that no archive of states is needed.

As for data sets, consent counts while the device and its owner are both active members.
"""

from __future__ import annotations

from offchain.chain.facts import ChainEvent
from offchain.chain.gateway import ChainGateway
from offchain.records.aggregate_set import AGGREGATION_PURPOSE
from offchain.types import Account, to_account


def consenting_devices(gateway: ChainGateway, *, block: int) -> frozenset[Account]:
    """Return the devices whose owner's consent to aggregation stood at the end of a block."""
    last: dict[Account, ChainEvent] = {}
    for event in _consents(gateway, block):
        last[to_account(event.args["device"])] = event
    revoked = {
        event.args["account"]
        for event in gateway.events(
            "MemberRegistry",
            "MemberRevoked",
            from_block=gateway.deployment.block("MemberRegistry"),
            to_block=block,
        )
    }
    at = gateway.block(block).timestamp
    return frozenset(
        device
        for device, event in last.items()
        if event.name == "ConsentGiven"
        and at < event.args["expiresAt"]
        and not {device, event.args["owner"]} & revoked
    )


def _consents(gateway: ChainGateway, to_block: int) -> list[ChainEvent]:
    start = gateway.deployment.block("ConsentBook")
    said = [
        event
        for name in ("ConsentGiven", "ConsentWithdrawn")
        for event in gateway.events(
            "ConsentBook", name, from_block=start, to_block=to_block, purpose=AGGREGATION_PURPOSE
        )
    ]
    return sorted(said, key=lambda event: (event.block_number, event.log_index))
