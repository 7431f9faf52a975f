"""Commitments by double SHA-256 (paper §IV.A, §VI.B.2; docs/formats.md §4)."""

import hashlib
import hmac
import secrets

from offchain.crypto.encoding import exact_bytes
from offchain.errors import CryptoError, EncodingError

SALT_BYTES = 32
MAX_IDENTITY_BYTES = 64


def sha256d(data: bytes) -> bytes:
    """Return SHA256(SHA256(data)), 32 bytes.

    Hides nothing by itself: what is hashed must hold 32 random bytes (pitfall of low entropy).
    """
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def generate_salt() -> bytes:
    """Draw the 32 random bytes that hide an identity in its commitment."""
    return secrets.token_bytes(SALT_BYTES)


def identity_commitment(identity: str, salt: bytes) -> bytes:
    """Commit to a member's secret ID: SHA256d(id ‖ salt), id of 1..64 bytes UTF-8, salt 32 bytes.

    Raises EncodingError for other lengths.
    """
    try:
        encoded = identity.encode("utf-8")
    except (AttributeError, UnicodeEncodeError) as error:
        raise EncodingError("an ID must be text that UTF-8 can encode") from error
    if not 1 <= len(encoded) <= MAX_IDENTITY_BYTES:
        raise EncodingError("an ID must be 1..64 bytes of UTF-8")
    return sha256d(encoded + exact_bytes(salt, SALT_BYTES, name="a salt"))


def verify_identity(commitment: bytes, identity: str, salt: bytes) -> bool:
    """Tell whether (identity, salt) opens a commitment."""
    try:
        return hmac.compare_digest(commitment, identity_commitment(identity, salt))
    except (CryptoError, TypeError):
        return False
