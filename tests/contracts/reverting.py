"""Expect a custom error with exactly these arguments.

Brownie turns a custom error into text; here the bytes that the EVM returned are decoded with the
ABI of whichever contract or interface of the project declares the error.
"""

from __future__ import annotations

from typing import Any

from brownie import project, web3
from brownie.exceptions import VirtualMachineError
from eth_abi import decode
from eth_utils import keccak


class reverts_with:  # used like a function, as brownie.reverts is
    """Context manager: the block must revert with the named error and these arguments.

    A ``bytes32`` argument may be given as bytes or as short ASCII text, an address as an account,
    contract or text. ``reverts_with(None)`` expects a revert without any data.
    """

    def __init__(self, name: str | None, *arguments: Any) -> None:
        self.name, self.arguments = name, arguments

    def __enter__(self) -> reverts_with:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> bool:
        if error is None:
            raise AssertionError(f"expected a revert with {self.name}, but nothing reverted")
        data = revert_data(error)
        if data is None:
            return False
        found = decode_error(data)
        expected = _expectation(self.name, self.arguments, found[2])
        if found[:2] != expected:
            raise AssertionError(
                f"expected {expected}, but it reverted with {found[:2]}"
            ) from error
        return True


def revert_data(error: BaseException) -> bytes | None:
    """Return the bytes that a failed transaction or call returned; None if it is no revert."""
    if not isinstance(error, VirtualMachineError):
        return _data_of(error)
    if error.txid:
        options = {"tracer": "callTracer"}
        answer = web3.provider.make_request("debug_traceTransaction", [error.txid, options])
        return _bytes(answer["result"].get("output", "0x"))
    return _data_of(error.__context__)


def decode_error(data: bytes) -> tuple[str | None, tuple, tuple]:
    """Return name, arguments and argument types of revert data; (None, (), ()) when empty."""
    if not data:
        return None, (), ()
    for item in _declared_errors():
        types = tuple(_canonical(entry) for entry in item["inputs"])
        signature = f"{item['name']}({','.join(types)})"
        if keccak(text=signature)[:4] == data[:4]:
            values = decode(types, data[4:])
            plain = tuple(_plain(v, t) for v, t in zip(values, types, strict=True))
            return item["name"], plain, types
    return f"unknown error 0x{data.hex()}", (), ()


def _declared_errors() -> list[dict]:
    builtin = [
        {"name": "Error", "inputs": [{"type": "string"}]},
        {"name": "Panic", "inputs": [{"type": "uint256"}]},
    ]
    loaded = project.get_loaded_projects()[0]
    builds = loaded._build.items()
    declared = [e for _, build in builds for e in build.get("abi", []) if e["type"] == "error"]
    return builtin + declared


def _canonical(entry: dict) -> str:
    if not entry["type"].startswith("tuple"):
        return entry["type"]
    inner = ",".join(_canonical(part) for part in entry["components"])
    return f"({inner}){entry['type'][5:]}"


def _expectation(name: str | None, arguments: tuple, types: tuple) -> tuple[str | None, tuple]:
    if len(types) != len(arguments):
        return name, arguments
    return name, tuple(_plain(v, t) for v, t in zip(arguments, types, strict=True))


def _plain(value: Any, kind: str) -> Any:
    if kind == "address":
        return str(getattr(value, "address", value)).lower()
    if kind != "bytes32":
        return value
    if isinstance(value, str) and not value.startswith("0x"):
        value = value.encode().ljust(32, b"\0")
    return "0x" + value.hex() if isinstance(value, bytes) else str(value).lower()


def _data_of(error: BaseException | None) -> bytes | None:
    # Brownie hides the node's answer in the exception it was handling: the JSON-RPC error itself.
    answer = error.args[0] if error is not None and error.args else None
    data = answer.get("data") if isinstance(answer, dict) else getattr(error, "data", None)
    return _bytes(data) if isinstance(data, str) else None


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
