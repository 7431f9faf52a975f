"""What a member hands to the consortium to be admitted: its profile and proofs of possession."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from offchain.services.errors import ServiceError

NO_ADDRESS = "0x" + "00" * 20
NO_REGION = bytes(32)


@dataclass(frozen=True)
class Registration:
    """Arguments of `MemberRegistry.admit`: `profile` and `proofs` are the structs as nested
    tuples.

    No secrets.
    """

    account: str
    profile: tuple[Any, ...]
    proofs: tuple[Any, ...]

    def to_json(self) -> str:
        """Write it as JSON text, bytes and integers as hex."""
        value = {
            "account": self.account,
            "profile": _encode(self.profile),
            "proofs": _encode(self.proofs),
        }
        return json.dumps(value, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Registration:
        """Read what `to_json` wrote; raises ServiceError when it is anything else."""
        try:
            value = json.loads(text)
            return cls(str(value["account"]), _decode(value["profile"]), _decode(value["proofs"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ServiceError(f"this is not a registration file: {error}") from error


def region_id(name: str) -> bytes:
    """Return the 32-byte id of a region: its ASCII name (1..32 characters), padded with zeros on
    the right.
    """
    if not name.isascii() or not 1 <= len(name) <= 32:
        raise ServiceError(f"a region's name is 1 to 32 ASCII characters, not {name!r}")
    return name.encode("ascii").ljust(32, b"\0")


def region_name(region: bytes) -> str:
    """Return the name behind `region_id`."""
    return region.rstrip(b"\0").decode("ascii", errors="replace")


def _encode(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_encode(part) for part in value]
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return {"int": hex(value)} if isinstance(value, int) else value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(part) for part in value)
    if isinstance(value, dict):
        return bytes.fromhex(value["bytes"]) if "bytes" in value else int(value["int"], 16)
    if isinstance(value, str):
        return value
    raise ValueError(f"unexpected value {value!r}")
