"""The symmetric box: AES-256-GCM under a 32-byte key (docs/formats.md §3).

"DMS1" ‖ nonce (12) ‖ ciphertext and tag          (associated data = context)
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offchain.crypto.encoding import any_bytes, exact_bytes
from offchain.errors import DecryptionError

MAGIC = b"DMS1"
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD = len(MAGIC) + NONCE_BYTES + TAG_BYTES


def gcm_encrypt(key: bytes, plaintext: bytes, *, associated_data: bytes) -> bytes:
    """Return nonce (12) ‖ ciphertext and tag, with a fresh random nonce."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    cipher = AESGCM(exact_bytes(key, 32, name="a box key"))
    return nonce + cipher.encrypt(nonce, any_bytes(plaintext, name="a plaintext"), associated_data)


def gcm_decrypt(key: bytes, data: bytes, *, associated_data: bytes) -> bytes:
    """Open nonce ‖ ciphertext and tag. Raises DecryptionError for anything that is not it."""
    cipher = AESGCM(exact_bytes(key, 32, name="a box key"))
    if len(data) < NONCE_BYTES + TAG_BYTES:
        raise DecryptionError
    try:
        return cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], associated_data)
    except InvalidTag:
        raise DecryptionError from None


def seal(key: bytes, plaintext: bytes, *, context: bytes) -> bytes:
    """Seal bytes under a 32-byte key; `context` is authenticated and not sent. Random."""
    return MAGIC + gcm_encrypt(key, plaintext, associated_data=any_bytes(context, name="a context"))


def open_sealed(key: bytes, sealed: bytes, *, context: bytes) -> bytes:
    """Open a box. Raises DecryptionError for a wrong key, context or any changed byte."""
    if not isinstance(sealed, (bytes, bytearray)) or sealed[: len(MAGIC)] != MAGIC:
        raise DecryptionError
    context = any_bytes(context, name="a context")
    return gcm_decrypt(key, bytes(sealed[len(MAGIC) :]), associated_data=context)
