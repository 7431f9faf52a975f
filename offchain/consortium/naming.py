"""What members look at before they agree to a company's public name."""

from __future__ import annotations

from collections.abc import Iterable

from offchain.chain import codec
from offchain.chain.deployment import Deployment
from offchain.chain.errors import AbiMismatch
from offchain.member.errors import MemberError
from offchain.member.public_name import require_name, shown, skeleton
from offchain.member.roles import MemberRole

_ANY_COMPANY = int(MemberRole.SHARER)  # who is renamed is a company, says the registry


def naming_of(deployment: Deployment, target: str, data: bytes) -> tuple[str, int, str] | None:
    """Return (account, role, name) of a call that gives a public name, None for any other."""
    contract = deployment.by_address.get(target)
    if contract is None or contract.name != "MemberRegistry" or not data:
        return None
    try:
        entry, values = codec.decode_call(contract.abi, data)
    except AbiMismatch:
        return None  # shown as a call that nothing here explains
    if entry["name"] == "admit":
        account, name, profile, _ = values
        return account, int(profile.role), name
    if entry["name"] == "rename":
        account, name = values
        return account, _ANY_COMPANY, name
    return None


def warnings_of(
    account: str, role: int, name: str, held: Iterable[tuple[str, str]]
) -> tuple[str, ...]:
    """Return what is wrong with a name or can be mistaken in it, a sentence each.

    `held`: every account and name that the registry ever took. An account's own earlier names are
    no reason to warn.
    """
    warned = []
    try:
        require_name(role, name)
    except MemberError as error:
        warned.append(str(error))
    mine = skeleton(name)
    for holder, other in dict.fromkeys(held):
        if not name or holder == account or skeleton(other) != mine:
            continue
        same = "is" if other == name else "looks like"
        warned.append(
            f"the name {shown(name)!r} {same} {shown(other)!r}, which {holder} has or had: is it "
            "the same company, and can nobody be misled?"
        )
    return tuple(warned)
