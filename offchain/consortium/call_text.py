"""A governed call as a person reads it: the contract, the function, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from offchain.chain import codec
from offchain.chain.codec import Abi
from offchain.chain.deployment import Deployment
from offchain.chain.errors import AbiMismatch
from offchain.member.public_name import shown
from offchain.member.registration import NO_ADDRESS, NO_REGION, region_name
from offchain.member.roles import MemberRole

_SHOWN_BYTES = 32  # of what no ABI here explains


def call_text(
    deployment: Deployment,
    target: str,
    value_wei: int,
    data: bytes,
    *,
    beside: Callable[[str], str] = str,
) -> str:
    """Return a call as one line, as in ``MemberRegistry.revoke(account Grid North (0x…))``.

    `beside` puts a company's name before its account. What no contract of the deployment explains
    is shown as it is, and said to be unknown.
    """
    paid = f" with {value_wei} wei" if value_wei and data else ""
    if not data:
        return f"pay {value_wei} wei to {beside(target)}"
    contract = deployment.by_address.get(target)
    if contract is None:
        return f"unknown contract {target}: call 0x{_short(data)}{paid}"
    try:
        entry, values = codec.decode_call(contract.abi, data)
    except AbiMismatch:
        return f"{contract.name}: unknown call 0x{_short(data)}{paid}"
    is_admission = (contract.name, entry["name"]) == ("MemberRegistry", "admit")
    told = _admission(*values[:3]) if is_admission else _fields(entry["inputs"], values, beside)
    return f"{contract.name}.{entry['name']}({told}){paid}"


def call_arguments(deployment: Deployment, target: str, data: bytes) -> dict[str, Any] | None:
    """Return all arguments of a call by name, for programs; None if nothing here explains it."""
    contract = deployment.by_address.get(target)
    if contract is None or not data:
        return None
    try:
        entry, values = codec.decode_call(contract.abi, data)
    except AbiMismatch:
        return None
    return dict(_plain(entry["inputs"], values))


def _admission(account: str, name: str, profile: Any) -> str:
    """What decides about a member; its keys and their proofs are the registry's to check."""
    region = bytes(profile.regionId)
    told = [account, _role_name(profile.role)]
    if name:
        told.append(f"name {_text(name)}")
    if region != NO_REGION:
        told.append(f"region {region_name(region)}")
    if profile.owner != NO_ADDRESS:
        told.append(f"owner {profile.owner}")
    return ", ".join(told)


def _role_name(role: int) -> str:
    """A member may propose what the registry will refuse; it must be readable all the same."""
    known = role in MemberRole.__members__.values()
    return MemberRole(role).name.lower() if known else f"unknown role {role}"


def _fields(parts: list[Abi], values: Any, beside: Callable[[str], str]) -> str:
    return ", ".join(_told(part, value, beside) for part, value in zip(parts, values, strict=True))


def _told(part: Abi, value: Any, beside: Callable[[str], str]) -> str:
    name, kind = part["name"], part["type"]
    if kind.endswith("]"):
        element = {**part, "name": "", "type": kind[: kind.rindex("[")]}
        return f"{name} [{', '.join(_told(element, one, beside).strip() for one in value)}]"
    if kind == "tuple":
        return f"{name} {{{_fields(part['components'], value, beside)}}}".strip()
    if kind == "bytes32":
        return f"{name} {_word(bytes(value))}"
    if kind == "address":
        return f"{name} {beside(value)}"
    if kind == "string":
        return f"{name} {_text(value)}"
    if kind == "bytes":
        return f"{name} 0x{_short(value)}"
    if kind == "bool":
        return f"{name} {'yes' if value else 'no'}"
    return f"{name} {value}"


def _text(text: str) -> str:
    """Text in quotes, without what a terminal would obey or nobody would see."""
    return repr(shown(text))


def _word(word: bytes) -> str:
    """A word that is a name in ASCII as that name, else in hex."""
    name = word.rstrip(b"\0")
    is_text = bool(name) and all(0x20 < one < 0x7F for one in name)
    return repr(name.decode("ascii")) if is_text else "0x" + word.hex()


def _short(data: bytes) -> str:
    more = f"… ({len(data)} bytes)" if len(data) > _SHOWN_BYTES else ""
    return data[:_SHOWN_BYTES].hex() + more


def _plain(parts: list[Abi], values: Any) -> list[tuple[str, Any]]:
    return [
        (part["name"] or str(position), _json(part, value))
        for position, (part, value) in enumerate(zip(parts, values, strict=True))
    ]


def _json(part: Abi, value: Any) -> Any:
    kind = part["type"]
    if kind.endswith("]"):
        element = {**part, "type": kind[: kind.rindex("[")]}
        return [_json(element, one) for one in value]
    if kind == "tuple":
        return dict(_plain(part["components"], value))
    return "0x" + bytes(value).hex() if kind.startswith("bytes") else value
