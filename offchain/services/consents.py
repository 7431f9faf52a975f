"""Consents as they stood at a block, from the events: no archive of states is needed."""

from __future__ import annotations

from offchain.chain.gateway import ChainGateway
from offchain.types import Account, to_account


def consenting_devices(gateway: ChainGateway, purpose: bytes, *, block: int) -> frozenset[Account]:
    """Return the devices whose owner's consent to `purpose` stood at the end of a block."""
    span = {"from_block": gateway.deployment.block("ConsentBook"), "to_block": block}
    events = sorted(
        [
            *gateway.events("ConsentBook", "ConsentGiven", **span, purpose=purpose),
            *gateway.events("ConsentBook", "ConsentWithdrawn", **span, purpose=purpose),
        ],
        key=lambda event: (event.block_number, event.log_index),
    )
    until: dict[Account, int] = {}
    for event in events:
        given = event.name == "ConsentGiven"
        until[to_account(event.args["device"])] = event.args["expiresAt"] if given else 0
    at = gateway.block(block).timestamp
    return frozenset(device for device, expires_at in until.items() if at < expires_at)
