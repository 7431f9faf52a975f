"""Revert data to the contract's named error, and that to a sentence a person can read."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from offchain.chain import codec
from offchain.chain.codec import Abi
from offchain.chain.deployment import Deployment
from offchain.chain.enumerations import BroadcastState, LockState, Reason
from offchain.chain.errors import AbiMismatch, NodeRefused
from offchain.chain.facts import ContractRevert, Receipt
from offchain.chain.sentences import MEANINGS

_REASON: Abi = {"type": "error", "name": "Error", "inputs": [{"name": "reason", "type": "string"}]}
_PANIC: Abi = {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]}
_BUILT_IN = {codec.selector(entry): ("", entry) for entry in (_REASON, _PANIC)}
# Solidity documentation, "Panic via assert and Error via require".
_PANICS = {
    0x00: "compiler-inserted panic",
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "value outside its enum",
    0x22: "malformed storage byte array",
    0x31: "pop from an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory",
    0x51: "call of an uninitialised function",
}
_ENUMERATIONS: dict[tuple[str, str], type[IntEnum]] = {
    ("PrepaidLock", "state"): LockState,
    ("PrepaidLock", "reason"): Reason,
    ("DataMarket", "state"): BroadcastState,
}
_LATEST_DATE = 2**35  # beyond it, a number called …At is no time of ours


def is_revert(error: NodeRefused) -> bool:
    """Tell whether the node's error is a contract's refusal (or its lack of gas)."""
    return error.code == 3 or "revert" in error.message.lower() or _is_out_of_gas(error)


def revert_of(
    deployment: Deployment, called: str, error: NodeRefused, receipt: Receipt | None = None
) -> ContractRevert:
    """Return the ContractRevert in a node's error about a call to the contract `called`."""
    data = _revert_bytes(error.data)
    if not data and _is_out_of_gas(error):
        text = f"{called} ran out of gas"
        return ContractRevert("OutOfGas", {}, called, text, receipt=receipt)
    return decode_revert(deployment, called, data, receipt)


def decode_revert(
    deployment: Deployment, called: str, data: bytes, receipt: Receipt | None = None
) -> ContractRevert:
    """Return the named error in revert data, whichever deployed contract declares it."""
    contract, entry, arguments = _find(deployment, called, data)
    name = entry["name"] if entry else "Unknown"
    text = sentence(contract, name, arguments, deployment=deployment, data=data)
    return ContractRevert(name, arguments, contract, text, data=data, receipt=receipt)


def sentence(
    contract: str,
    name: str,
    arguments: Mapping[str, Any],
    *,
    deployment: Deployment | None = None,
    data: bytes = b"",
) -> str:
    """Return a readable sentence of an error: what, and its arguments with their units."""
    if name == "Unknown":
        return f"{contract} refused" + (
            f" with unknown error 0x{data.hex()}" if data else " without a reason"
        )
    if name == "Error":
        return f"{contract} refused: {arguments['reason']}"
    if name == "Panic":
        what = _PANICS.get(arguments["code"], f"panic {arguments['code']:#x}")
        return f"{contract} failed: {what}"
    what = MEANINGS.get(name) or _words(name.removeprefix(f"{contract}_"))
    shown = {key: _by_name(contract, key, value) for key, value in arguments.items()}
    told = ", ".join(_told(key, value, deployment) for key, value in shown.items())
    return f"{contract} refused: {what}" + (f" ({told})" if told else "") + f" [{name}]"


def _find(
    deployment: Deployment, called: str, data: bytes
) -> tuple[str, Abi | None, dict[str, Any]]:
    built_in = _BUILT_IN.get(data[:4])
    declared = [("", built_in[1])] if built_in else deployment.errors_by_selector.get(data[:4], [])
    owners = dict(declared)
    # Every contract that bubbles an error may list it; its owner is the one in its name.
    for owner in sorted(owners, key=lambda name: (not _owns(name, owners[name]), name != called)):
        entry = owners[owner]
        try:
            values = codec.decode(entry["inputs"], data[4:], what=entry["name"])
        except AbiMismatch:
            continue
        named = {
            part["name"] or f"argument{position}": value
            for position, (part, value) in enumerate(zip(entry["inputs"], values, strict=True))
        }
        return owner or called, entry, named
    return called, None, {}


def _owns(contract: str, entry: Abi) -> bool:
    return bool(contract) and entry["name"].startswith(f"{contract}_")


def _by_name(contract: str, key: str, value: Any) -> Any:
    """Return an enumeration's value as its name, and a field's name in ASCII as text."""
    kind = _ENUMERATIONS.get((contract, key))
    if kind is not None and isinstance(value, int):
        return kind(value).name.lower().replace("_", " ") if value < len(kind) else value
    if key == "field" and isinstance(value, bytes):
        return value.rstrip(b"\0").decode("ascii", errors="replace")
    return value


def _told(name: str, value: Any, deployment: Deployment | None) -> str:
    """Return one argument with its unit, which its name ends in."""
    if isinstance(value, bytes):
        inner = _inner_error(value, deployment)
        return f"{_words(name)}: {inner}" if inner else f"{_words(name)} 0x{value.hex()}"
    if not isinstance(value, int) or isinstance(value, bool):
        return f"{_words(name)} {value}"
    if name.endswith(("At", "By", "until")) and 0 < value < _LATEST_DATE:
        moment = datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{_words(name)} {moment} = {value}"
    for suffix, unit in (("Wei", "wei"), ("Seconds", "s"), ("Wh", "Wh"), ("Bytes", "bytes")):
        if name.endswith(suffix):
            return f"{_words(name.removesuffix(suffix)) or 'value'} {value} {unit}"
    return f"{_words(name)} {value}"


def _inner_error(data: bytes, deployment: Deployment | None) -> str | None:
    """Return the sentence of an error that an error carries as bytes."""
    if deployment is None or len(data) < 4 or len(data) % 32 != 4:
        return None
    inner = decode_revert(deployment, "the called contract", data)
    return None if inner.name == "Unknown" else inner.sentence


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").lower()


def _is_out_of_gas(error: NodeRefused) -> bool:
    text = error.message.lower().replace(" ", "")
    return "outofgas" in text or "gasrequiredexceeds" in text


def _revert_bytes(data: object) -> bytes:
    """Return revert data from the field that nodes put it in."""
    if isinstance(data, Mapping):
        data = data.get("data")
    text = data if isinstance(data, str) else ""
    text = text.removeprefix("Reverted ").removeprefix("0x")  # Besu and Parity write the word
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
