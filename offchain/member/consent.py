"""Whose readings may be in a data set: consent of the owner, as it stands and as it stood
(protocol §2.5).

Consent counts while the device and its owner are both active members: who was revoked begins
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from offchain.chain.facts import ChainEvent
from offchain.chain.gateway import BlockId, ChainGateway
from offchain.member.errors import DataSetInvalid
from offchain.member.roles import MemberRole
from offchain.records.contexts import DATA_SHARING_PURPOSE
from offchain.types import Account

# What is decided now is mined a little later: consent must still stand then.
MARGIN_S = 120


def lacking_consent(gateway: ChainGateway, devices: Sequence[Account]) -> dict[Account, str]:
    """Return the devices that may not go into a data set now, each with the reason.

    Consent that ends within two minutes counts as ended. It must be final to count, and a
    withdrawal counts at once.
    """
    lacking = _lacking(gateway, devices, gateway.final())
    return _lacking(gateway, devices, "latest") | lacking if gateway.confirmations else lacking


def _lacking(
    gateway: ChainGateway, devices: Sequence[Account], block: BlockId
) -> dict[Account, str]:
    owners = gateway.call_many([("MemberRegistry", "ownerOf", (one,)) for one in devices], block)
    expiries = gateway.call_many(
        [("ConsentBook", "expiryOf", (one, DATA_SHARING_PURPOSE)) for one in devices], block
    )
    are_active = _are_active(gateway, devices, MemberRole.DEVICE, block)
    have_owner = _are_active(gateway, owners, MemberRole.USER, block)
    until, lacking = gateway.now() + MARGIN_S, {}
    for place, device in enumerate(devices):
        if not are_active[place]:
            lacking[device] = "the device was revoked"
        elif not have_owner[place]:
            lacking[device] = "its owner was revoked"
        elif expiries[place] <= until:
            lacking[device] = "its owner's consent does not stand"
    return lacking


def lacking_consent_at(
    gateway: ChainGateway, devices: Sequence[Account], *, data_set_id: bytes
) -> dict[Account, str]:
    """Return the devices that could not be in a data set when it was published, each with the
    reason, from the chain's events.

    What was given or withdrawn in the block of the publication itself does not count: its sender
    could not see it. Raises DataSetInvalid when the data set is not published.
    """
    start = gateway.deployment.block("DataLedger")
    published = gateway.events(
        "DataLedger", "DataSetPublished", from_block=start, dataSetId=data_set_id
    )
    if not published:
        raise DataSetInvalid(f"no data set {data_set_id.hex()} is published")
    block = published[-1].block_number
    published_at = gateway.block(block).timestamp
    consents = _last_consents(gateway, block - 1)
    revoked = _revoked(gateway, block - 1)
    found = {one: _reason(one, consents.get(one), revoked, published_at) for one in devices}
    return {device: reason for device, reason in found.items() if reason}


def _reason(
    device: Account, last: ChainEvent | None, revoked: set[str], published_at: int
) -> str | None:
    if last is None:
        return "its owner never consented"
    if last.name == "ConsentWithdrawn":
        return f"consent was withdrawn in block {last.block_number}"
    if last.args["expiresAt"] <= published_at:
        return "consent had ended"
    if device in revoked:
        return "the device was revoked"
    return "its owner was revoked" if last.args["owner"] in revoked else None


def _last_consents(gateway: ChainGateway, to_block: int) -> dict[str, ChainEvent]:
    """Return the last word on each device up to a block: ConsentGiven or ConsentWithdrawn."""
    said = [
        event
        for name in ("ConsentGiven", "ConsentWithdrawn")
        for event in gateway.events(
            "ConsentBook",
            name,
            from_block=gateway.deployment.block("ConsentBook"),
            to_block=to_block,
            purpose=DATA_SHARING_PURPOSE,
        )
    ]
    said.sort(key=lambda event: (event.block_number, event.log_index))
    return {event.args["device"]: event for event in said}


def _revoked(gateway: ChainGateway, to_block: int) -> set[str]:
    start = gateway.deployment.block("MemberRegistry")
    events = gateway.events("MemberRegistry", "MemberRevoked", from_block=start, to_block=to_block)
    return {event.args["account"] for event in events}


def _are_active(
    gateway: ChainGateway, accounts: Sequence[str], role: MemberRole, block: BlockId
) -> list[bool]:
    calls = [("MemberRegistry", "isActive", (one, int(role))) for one in accounts]
    return gateway.call_many(calls, block)
