"""Whose readings may be in a data set: consent of the owner, as it stands and as it stood
(protocol §2.5).

Consent counts while the device and its owner are both active members: who was revoked begins
nothing.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from offchain.chain.gateway import BlockId, ChainGateway
from offchain.index.asked import consents, ledger, members
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import DataSetInvalid
from offchain.member.roles import MemberRole
from offchain.records.contexts import DATA_SHARING_PURPOSE
from offchain.types import Account

# What is decided now is mined a little later: consent must still stand then.
MARGIN_S = 120


def lacking_consent(
    gateway: ChainGateway, devices: Sequence[Account], purpose: bytes = DATA_SHARING_PURPOSE
) -> dict[Account, str]:
    """Return the devices whose readings may not be published for a purpose now, each with the
    reason, as the contracts say.

    Consent that ends within two minutes counts as ended. It must be final to count, and a
    withdrawal counts at once.
    """
    lacking = _lacking(gateway, devices, purpose, gateway.final())
    if gateway.confirmations:
        return _lacking(gateway, devices, purpose, "latest") | lacking
    return lacking


def _lacking(
    gateway: ChainGateway, devices: Sequence[Account], purpose: bytes, block: BlockId
) -> dict[Account, str]:
    owners = gateway.call_many([("MemberRegistry", "ownerOf", (one,)) for one in devices], block)
    expiries = gateway.call_many(
        [("ConsentBook", "expiryOf", (one, purpose)) for one in devices], block
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
    gateway: ChainGateway, index: ChainIndex, devices: Sequence[Account], *, data_set_id: bytes
) -> dict[Account, str]:
    """Return the devices that could not be in a data set when it was published, each with the
    reason, as the tables tell it: no archive of states is needed.

    What was given or withdrawn in the block of the publication itself does not count: its sender
    could not see it. Raises DataSetInvalid when the data set is not published.
    """
    published = ledger.data_set(index, data_set_id, index.follower.catch_up())
    if published is None:
        raise DataSetInvalid(f"no data set {data_set_id.hex()} is published")
    published_at = gateway.block(published["block"]).timestamp
    before = published["block"] - 1
    said = consents.last_words(index, DATA_SHARING_PURPOSE, before)
    revoked = members.revoked(index, before)
    found = {one: _reason(one, said.get(one), revoked, published_at) for one in devices}
    return {device: reason for device, reason in found.items() if reason}


def _reason(
    device: Account, last: Row | None, revoked: Container[str], published_at: int
) -> str | None:
    if last is None:
        return "its owner never consented"
    if last["expires_at"] == 0:
        return f"consent was withdrawn in block {last['said_block']}"
    if last["expires_at"] <= published_at:
        return "consent had ended"
    if device in revoked:
        return "the device was revoked"
    return "its owner was revoked" if last["owner"] in revoked else None


def _are_active(
    gateway: ChainGateway, accounts: Sequence[str], role: MemberRole, block: BlockId
) -> list[bool]:
    calls = [("MemberRegistry", "isActive", (one, int(role))) for one in accounts]
    return gateway.call_many(calls, block)
