"""What a member hands to the consortium to be admitted: its profile and proofs of possession."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from offchain.errors import FormatError
from offchain.member.errors import MemberError
from offchain.member.public_name import MAX_BYTES as MAX_NAME_BYTES
from offchain.member.public_name import require_name
from offchain.records import canonical_json, fields

NO_ADDRESS = "0x" + "00" * 20
NO_REGION = bytes(32)
_MAX_BYTES = 16_384
_HEX = re.compile("0x[0-9a-f]{1,64}")


@dataclass(frozen=True)
class Registration:
    """Arguments of `MemberRegistry.admit`: `profile` and `proofs` are the structs as nested
    tuples, `name` is a company's public name and empty for a user and a device.

    No secrets.
    """

    account: str
    name: str
    profile: tuple[Any, ...]
    proofs: tuple[Any, ...]

    def to_json(self) -> str:
        """Write it as JSON text, bytes and integers as hex."""
        value = {
            "account": self.account,
            "name": self.name,
            "profile": _encode(self.profile),
            "proofs": _encode(self.proofs),
        }
        return json.dumps(value, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Registration:
        """Read what `to_json` wrote; raises MemberError when it is anything else, or when the name
        does not fit.
        """
        try:
            value = canonical_json.parse(text.encode("utf-8"), max_bytes=_MAX_BYTES)
            obj = fields.members(value, "account name profile proofs", what="a registration")
            account = fields.normal_account(obj["account"], "account")
            name = fields.text(obj["name"], "name", max_bytes=MAX_NAME_BYTES)
            made = cls(account, name, _decode(obj["profile"]), _decode(obj["proofs"]))
        except (FormatError, ValueError) as error:
            raise MemberError(
                "this is no registration file; the member makes one with `dmsm keys registration`"
            ) from error
        require_name(made.role, name)
        return made

    @property
    def role(self) -> Any:
        """What stands in the place of the role; 0 where nothing does."""
        is_struct = isinstance(self.profile, tuple) and self.profile
        return self.profile[0] if is_struct else 0


def region_id(name: str) -> bytes:
    """Return the 32-byte id of a region: its ASCII name (1..32 characters), padded with zeros on
    the right.
    """
    if not name.isascii() or not 1 <= len(name) <= 32:
        raise MemberError(f"a region's name is 1 to 32 ASCII characters, not {name!r}")
    return name.encode("ascii").ljust(32, b"\0")


def region_name(region: bytes) -> str:
    """Return the name behind `region_id`; in hex what is no printable ASCII.

    Anybody may put bytes into a proposal, and a terminal would obey some.
    """
    name = region.rstrip(b"\0")
    is_text = all(0x20 <= one < 0x7F for one in name)
    return name.decode("ascii") if is_text else "0x" + region.hex()


def _encode(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_encode(part) for part in value]
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return {"int": hex(value)} if isinstance(value, int) else value


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(part) for part in value)
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {"bytes"}:
        return fields.from_hex(value["bytes"], "bytes", max_bytes=32)
    if isinstance(value, dict) and value.keys() == {"int"}:
        return _integer(value["int"])
    raise ValueError("a part is neither text, bytes nor an integer")


def _integer(value: object) -> int:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError("an integer is 0x and up to 64 hexadecimal digits")
    return int(value, 16)
