"""Key derivation: HKDF, the keys of a data set, and a device's day keys (docs/formats.md §3)."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offchain.crypto.encoding import Address, address_word, exact_bytes, fixed_width, word
from offchain.crypto.secret import SecretBytes
from offchain.errors import EncodingError, InvalidPointError

if TYPE_CHECKING:
    from offchain.crypto.curve import G1

KEY_BYTES = 32
SECONDS_PER_DAY = 86_400


class DeviceSecret(SecretBytes):
    """The 32 bytes D of a device from which all its day keys come."""

    __slots__ = ()

    def __init__(self, value: bytes) -> None:
        super().__init__(exact_bytes(value, KEY_BYTES, name="a DeviceSecret"))

    @classmethod
    def generate(cls) -> Self:
        """Draw a fresh secret from the operating system's randomness."""
        return cls(secrets.token_bytes(KEY_BYTES))


def hkdf(key_material: bytes, *, salt: bytes, info: bytes, length: int = KEY_BYTES) -> bytes:
    """Derive `length` bytes by HKDF-SHA256 (RFC 5869). Raises EncodingError beyond 1..8160."""
    if not 1 <= length <= 255 * 32:
        raise EncodingError("HKDF-SHA256 derives 1..8160 bytes")
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(key_material)


def manifest_key(group_secret: G1, data_set_id: bytes) -> bytes:
    """Derive the key that seals a data set's manifest from the group secret [k]H."""
    return _group_key(group_secret, data_set_id, b"DMSM-V1-manifest")


def companion_key(group_secret: G1, data_set_id: bytes) -> bytes:
    """Derive the key that seals a data set's companion file from the group secret [k]H."""
    return _group_key(group_secret, data_set_id, b"DMSM-V1-companion")


def _group_key(group_secret: G1, data_set_id: bytes, info: bytes) -> bytes:
    if group_secret.is_infinity:
        raise InvalidPointError("a group secret may not be the point at infinity")
    salt = exact_bytes(data_set_id, 32, name="a data set id")
    return hkdf(group_secret.to_bytes(), salt=salt, info=info)


def day_number(unix_time_s: int) -> int:
    """Return the UTC day number of a unix time: floor(time / 86400)."""
    return int.from_bytes(fixed_width(unix_time_s, 8), "big") // SECONDS_PER_DAY


def nonce_day_key(
    secret: DeviceSecret, *, chain_id: int, data_ledger: Address, device: Address, day: int
) -> bytes:
    """Derive a device's nonce key of one UTC day on one ledger; it alone is ever disclosed."""
    return _day_key(secret, b"DMSM-V1-nonce-day", chain_id, data_ledger, device, day)


def seal_day_key(
    secret: DeviceSecret, *, chain_id: int, data_ledger: Address, device: Address, day: int
) -> bytes:
    """Derive a device's sealing key of one UTC day on one ledger, independent of the nonce key."""
    return _day_key(secret, b"DMSM-V1-seal-day", chain_id, data_ledger, device, day)


def _day_key(
    secret: DeviceSecret,
    purpose: bytes,
    chain_id: int,
    data_ledger: Address,
    device: Address,
    day: int,
) -> bytes:
    salt = word(chain_id) + address_word(data_ledger) + address_word(device)
    return hkdf(secret.reveal(), salt=salt, info=purpose + fixed_width(day, 4))


def reading_nonce(nonce_key: bytes, seq: int) -> bytes:
    """Compute the 32-byte nonce of the reading `seq` from its day's nonce key (HMAC-SHA256)."""
    key = exact_bytes(nonce_key, KEY_BYTES, name="a nonce key")
    return hmac.digest(key, b"DMSM-V1-nonce" + fixed_width(seq, 8), "sha256")
