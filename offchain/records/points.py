"""Curve points in parsed JSON, read as strictly as every other field."""

from offchain.crypto.curve import G1
from offchain.errors import CryptoError, FormatError
from offchain.records.fields import from_hex


def point(value: object, name: str) -> G1:
    """Return a G1 point, not infinity, from 64 bytes of lower-case hex."""
    data = from_hex(value, name, length=64)
    try:
        return G1.from_bytes(data)
    except CryptoError as error:
        raise FormatError(f"{name} must be a point of G1: {error}") from error
