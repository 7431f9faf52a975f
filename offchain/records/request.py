"""The text M of a user's request, before it is sealed to the node (docs/formats.md §10)."""

from dataclasses import dataclass

from offchain.crypto.commitment import MAX_IDENTITY_BYTES, SALT_BYTES
from offchain.crypto.kept import Kept
from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.records.reading import MAX_TIME_S
from offchain.types import SECONDS_PER_DAY, Account

MAX_BYTES = 16_384
MAX_DEVICES = 256


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RequestText(Kept):
    """Who asks (the opening of the ID commitment), for which devices and window.

    The window [from_s, to_s) is whole UTC days. Not shown by repr: it opens an identity.
    """

    identity: str
    salt: bytes
    devices: tuple[Account, ...]
    from_s: int
    to_s: int


def encode(text: RequestText) -> bytes:
    """Encode a request text; raises FormatError for what `decode` would refuse."""
    obj = {
        "v": 1,
        "id": text.identity,
        "salt": text.salt.hex(),
        "devices": [fields.from_account(device) for device in text.devices],
        "from": text.from_s,
        "to": text.to_s,
    }
    data = canonical_json.dumps(obj)
    decode(data)
    return data


def decode(data: bytes) -> RequestText:
    """Decode a request text. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_BYTES)
    obj = fields.versioned(value, "id salt devices from to", what="a request")
    items = fields.sequence(obj["devices"], "devices", min_items=1, max_items=MAX_DEVICES)
    devices = tuple(fields.account(item, "a device") for item in items)
    if len(set(devices)) != len(devices):
        raise FormatError("a request names each device once")
    from_s, to_s = window(obj["from"], obj["to"])
    return RequestText(
        identity=identity(obj["id"]),
        salt=fields.from_hex(obj["salt"], "salt", length=SALT_BYTES),
        devices=devices,
        from_s=from_s,
        to_s=to_s,
    )


def identity(value: object) -> str:
    """Return a member's secret ID, 1..64 bytes of UTF-8. Raises FormatError."""
    return fields.text(value, "id", min_bytes=1, max_bytes=MAX_IDENTITY_BYTES)


def window(from_value: object, to_value: object) -> tuple[int, int]:
    """Return a window of whole UTC days, its end exclusive. Raises FormatError."""
    from_s = fields.integer(from_value, "from", high=MAX_TIME_S)
    to_s = fields.integer(to_value, "to", low=from_s + 1, high=MAX_TIME_S + SECONDS_PER_DAY)
    if from_s % SECONDS_PER_DAY or to_s % SECONDS_PER_DAY:
        raise FormatError("a window is whole UTC days: from and to are multiples of 86,400")
    return from_s, to_s
