"""A household's devices, as the chain says them."""

from __future__ import annotations

from offchain.chain.gateway import ChainGateway
from offchain.member.roles import MemberRole
from offchain.types import Account


def devices_of(gateway: ChainGateway, owner: str) -> list[Account]:
    """Return the accounts of an owner's active devices, in the order of their admission."""
    admitted = gateway.events(
        "MemberRegistry",
        "MemberAdmitted",
        from_block=gateway.deployment.block("MemberRegistry"),
        role=int(MemberRole.DEVICE),
    )
    accounts = [Account(event.args["account"]) for event in admitted]
    found = gateway.call_many([("MemberRegistry", "memberOf", (one,)) for one in accounts])
    return [
        account
        for account, (profile, is_active) in zip(accounts, found, strict=True)
        if is_active and profile.owner == owner
    ]
