"""Whose readings may be in a data set: consent of the owner, as it stands and as it stood
(protocol §2.5).

Consent counts while the device and its owner are both active members: who was revoked begins
nothing.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from offchain.chain.gateway import BlockId, ChainGateway
from offchain.index.asked import consents, members
from offchain.index.asked.rows import LogPlace, Row
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.member.roles import MemberRole
from offchain.records.contexts import DATA_SHARING_PURPOSE
from offchain.types import Account

# What is decided now is mined a little later: consent must still stand then.
MARGIN_S = 120


def lacking_consent(
    gateway: ChainGateway, devices: Sequence[Account], purpose: bytes = DATA_SHARING_PURPOSE
) -> dict[Account, str]:
    """Return the devices whose readings may not be published or sold for a purpose now, each with
    the reason, as the contracts say.

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
    stand = gateway.call_many([("ConsentBook", "stands", (one, purpose)) for one in devices], block)
    expiries = gateway.call_many(
        [("ConsentBook", "expiryOf", (one, purpose)) for one in devices], block
    )
    until = gateway.now() + MARGIN_S
    told = zip(devices, stand, expiries, strict=True)
    return _reasons(gateway, [one for one, ok, end in told if not ok or end <= until], block)


def _reasons(
    gateway: ChainGateway, devices: Sequence[Account], block: BlockId
) -> dict[Account, str]:
    """Say of devices whose consent does not stand why it does not."""
    owners = gateway.call_many([("MemberRegistry", "ownerOf", (one,)) for one in devices], block)
    are_active = _are_active(gateway, devices, MemberRole.DEVICE, block)
    have_owner = _are_active(gateway, owners, MemberRole.USER, block)
    lacking = {}
    for place, device in enumerate(devices):
        if not are_active[place]:
            lacking[device] = "the device was revoked"
        elif not have_owner[place]:
            lacking[device] = "its owner was revoked"
        else:
            lacking[device] = "its owner's consent does not stand"
    return lacking


def lacking_consent_as_of(
    index: ChainIndex, devices: Sequence[Account], place: LogPlace, *, at_s: int
) -> dict[Account, str]:
    """Return the devices whose consent did not stand at a place of the chain, each with the
    reason, as the tables tell it: no archive of states is needed.

    What was said before in the same block counts, what came behind it does not. A consent ends by
    the time of the block, `at_s`. Raises IndexBehind while the tables do not reach so far: they are
    not brought up to date here.
    """
    newest = index.newest()
    if newest < place.block:
        raise IndexBehind(newest, place.block)
    said = consents.last_words(index, DATA_SHARING_PURPOSE, place, devices=devices)
    owners = members.owners_of(index, devices, place.block)
    revoked = members.revoked(index, place)
    found = {
        one: _reason(one, owners.get(one), said.get(one), revoked, at_s=at_s) for one in devices
    }
    return {device: reason for device, reason in found.items() if reason}


def _reason(
    device: Account, owner: str | None, last: Row | None, revoked: Container[str], *, at_s: int
) -> str | None:
    if owner is None:
        return "it is no device of this chain"
    if last is None:
        return "its owner never consented"
    if last["expires_at"] == 0:
        return f"consent was withdrawn in block {last['block']}"
    if last["expires_at"] <= at_s:
        return "consent had ended"
    if device in revoked:
        return "the device was revoked"
    return "its owner was revoked" if owner in revoked else None


def _are_active(
    gateway: ChainGateway, accounts: Sequence[str], role: MemberRole, block: BlockId
) -> list[bool]:
    calls = [("MemberRegistry", "isActive", (one, int(role))) for one in accounts]
    return gateway.call_many(calls, block)
