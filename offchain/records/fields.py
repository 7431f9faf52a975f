"""Strict reading of field after field out of parsed JSON; everything unexpected is refused."""

import base64
import binascii
from typing import Any

from offchain.errors import FormatError
from offchain.types import Account, to_account

UINT32 = 2**32 - 1
UINT64 = 2**64 - 1
MAX_DAY = UINT32

Json = dict[str, Any]


def members(value: object, names: str, *, what: str) -> Json:
    """Return `value` if it is an object with exactly the members `names`, given in one text."""
    if not isinstance(value, dict) or value.keys() != set(names.split()):
        raise FormatError(f"{what} must be an object with exactly the members {names}")
    return value


def versioned(value: object, names: str, *, what: str, version: int = 1) -> Json:
    """Return `value` like `members`, with a member `v` that must be `version`."""
    obj = members(value, f"v {names}", what=what)
    if integer(obj["v"], "v", high=UINT32) != version:
        raise FormatError(f"{what} is of a version that is not known here; version {version} is")
    return obj


def integer(value: object, name: str, *, low: int = 0, high: int = UINT64) -> int:
    """Return an integer in [low, high]; a bool is none."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise FormatError(f"{name} must be an integer in [{low}, {high}]")
    return value


def boolean(value: object, name: str) -> bool:
    """Return a bool."""
    if not isinstance(value, bool):
        raise FormatError(f"{name} must be true or false")
    return value


def text(value: object, name: str, *, max_bytes: int, min_bytes: int = 0) -> str:
    """Return text of so many bytes of UTF-8."""
    try:
        if not isinstance(value, str) or not min_bytes <= len(value.encode()) <= max_bytes:
            raise FormatError(f"{name} must be text of {min_bytes} to {max_bytes} bytes")
    except UnicodeEncodeError as error:
        raise FormatError(f"{name} must be text that UTF-8 can encode") from error
    return value


def sequence(value: object, name: str, *, max_items: int, min_items: int = 0) -> list[Any]:
    """Return a list of so many items."""
    if not isinstance(value, list) or not min_items <= len(value) <= max_items:
        raise FormatError(f"{name} must be a list of {min_items} to {max_items} items")
    return value


def mapping(value: object, name: str, *, max_items: int) -> Json:
    """Return an object with any members, at most so many."""
    if not isinstance(value, dict) or len(value) > max_items:
        raise FormatError(f"{name} must be an object of at most {max_items} members")
    return value


def exact(value: object, name: str, *, length: int) -> bytes:
    """Return bytes of exactly this length (a Python value, not JSON)."""
    if not isinstance(value, bytes) or len(value) != length:
        raise FormatError(f"{name} must be exactly {length} bytes")
    return value


def from_hex(
    value: object, name: str, *, length: int | None = None, max_bytes: int = 4096
) -> bytes:
    """Return the bytes of lower-case hex without prefix, of an exact length if one is given."""
    if not isinstance(value, str) or len(value) > 2 * (max_bytes if length is None else length):
        raise FormatError(f"{name} must be lower-case hexadecimal of the right length")
    try:
        decoded = bytes.fromhex(value)
    except ValueError as error:
        raise FormatError(f"{name} must be lower-case hexadecimal") from error
    if decoded.hex() != value or (length is not None and len(decoded) != length):
        raise FormatError(f"{name} must be lower-case hexadecimal of {length} bytes")
    return decoded


def to_base64(data: bytes) -> str:
    """Encode bytes as standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def from_base64(value: object, name: str, *, max_bytes: int) -> bytes:
    """Return the bytes of canonical base64, at most `max_bytes` of them."""
    if not isinstance(value, str) or len(value) > (max_bytes + 2) // 3 * 4:
        raise FormatError(f"{name} must be base64 of at most {max_bytes} bytes")
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(f"{name} must be base64") from error
    if len(decoded) > max_bytes or to_base64(decoded) != value:
        raise FormatError(f"{name} must be canonical base64 of at most {max_bytes} bytes")
    return decoded


def account(value: object, name: str) -> Account:
    """Return an account written as `0x` and 40 lower-case hexadecimal digits."""
    if not isinstance(value, str) or value != value.lower():
        raise FormatError(f"{name} must be an account in lower case")
    return normal_account(value, name)


def normal_account(value: object, name: str) -> Account:
    """Return an account from text of any case (a Python value, not JSON) in its one form."""
    try:
        if not isinstance(value, str):
            raise ValueError
        return to_account(value)
    except ValueError as error:
        raise FormatError(f"{name} must be 0x and 40 hexadecimal digits") from error


def from_account(value: Account) -> str:
    """Write an account the way canonical JSON holds it."""
    return normal_account(value, "an account").lower()


def days(value: object, name: str, *, max_items: int) -> dict[int, bytes]:
    """Return 32-byte keys by UTC day number, from an object whose keys are decimal day numbers."""
    keys: dict[int, bytes] = {}
    for day_text, key in mapping(value, name, max_items=max_items).items():
        if not (day_text.isascii() and day_text.isdigit() and len(day_text) <= 10):
            raise FormatError(f"{name} must be keyed by UTC day numbers")
        day = integer(int(day_text), f"a day of {name}", high=MAX_DAY)
        if str(day) != day_text:
            raise FormatError(f"{name} must be keyed by day numbers without leading zeros")
        keys[day] = from_hex(key, f"a key of {name}", length=32)
    return keys


def from_days(keys: dict[int, bytes]) -> dict[str, str]:
    """Write keys by day the way canonical JSON holds them."""
    for day, key in keys.items():
        integer(day, "a day", high=MAX_DAY)
        exact(key, "a nonce key", length=32)
    return {str(day): key.hex() for day, key in keys.items()}
