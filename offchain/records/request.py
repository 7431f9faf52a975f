"""The text M of a user's request, before it is sealed to the node (docs/formats.md §10)."""

from dataclasses import dataclass

from offchain.crypto.commitment import MAX_IDENTITY_BYTES, SALT_BYTES
from offchain.crypto.kept import Kept
from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.records.reading import MAX_TIME_S
from offchain.types import Account

VERSION = 2
MAX_BYTES = 16_384
MAX_DEVICES = 256
MAX_PRODUCT_BYTES = 128
MAX_ZONE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RequestText(Kept):
    """Who asks (the opening of the ID commitment), for which devices, window and product.

    The window [from_s, to_s) is local days of `time_zone`, an IANA name; the answering node says
    whether it is. `product` is the name under which the region's tariffs are published. Not shown
    by repr: it opens an identity.
    """

    identity: str
    salt: bytes
    devices: tuple[Account, ...]
    from_s: int
    to_s: int
    time_zone: str
    product: str


def encode(text: RequestText) -> bytes:
    """Encode a request text; raises FormatError for what `decode` would refuse."""
    obj = {
        "v": VERSION,
        "id": text.identity,
        "salt": text.salt.hex(),
        "devices": [fields.from_account(device) for device in text.devices],
        "from": text.from_s,
        "to": text.to_s,
        "time_zone": text.time_zone,
        "product": text.product,
    }
    data = canonical_json.dumps(obj)
    decode(data)
    return data


def decode(data: bytes) -> RequestText:
    """Decode a request text. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_BYTES)
    names = "id salt devices from to time_zone product"
    obj = fields.versioned(value, names, what="a request", version=VERSION)
    items = fields.sequence(obj["devices"], "devices", min_items=1, max_items=MAX_DEVICES)
    devices = tuple(fields.account(item, "a device") for item in items)
    if len(set(devices)) != len(devices):
        raise FormatError("a request names each device once")
    from_s = fields.integer(obj["from"], "from", high=MAX_TIME_S)
    return RequestText(
        identity=identity(obj["id"]),
        salt=fields.from_hex(obj["salt"], "salt", length=SALT_BYTES),
        devices=devices,
        from_s=from_s,
        to_s=fields.integer(obj["to"], "to", low=from_s + 1, high=MAX_TIME_S),
        time_zone=fields.text(obj["time_zone"], "time_zone", min_bytes=1, max_bytes=MAX_ZONE_BYTES),
        product=fields.text(obj["product"], "product", min_bytes=1, max_bytes=MAX_PRODUCT_BYTES),
    )


def identity(value: object) -> str:
    """Return a member's secret ID, 1..64 bytes of UTF-8. Raises FormatError."""
    return fields.text(value, "id", min_bytes=1, max_bytes=MAX_IDENTITY_BYTES)
