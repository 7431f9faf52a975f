"""Content identifiers: CIDv1, codec raw, sha2-256, base32 lower case (docs/formats.md §6).

For one block the multihash digest is the SHA-256 of the bytes, so the chain stores 32 bytes and
the text follows from them. No other codec, hash or base is accepted: one object,
one name.
"""

import base64
import hashlib
from typing import Self

from offchain.storage.errors import CidInvalid

DIGEST_BYTES = 32
_PREFIX = bytes((0x01, 0x55, 0x12, DIGEST_BYTES))  # CIDv1 ‖ raw ‖ sha2-256 ‖ digest length
_TEXT_CHARS = 59


class Cid(str):
    """An identifier: the text ``bafkrei…`` itself, with its 32-byte ``digest``."""

    __slots__ = ("digest",)
    digest: bytes

    @classmethod
    def from_digest(cls, digest: bytes) -> Self:
        """Return the identifier of the block whose SHA-256 is `digest` (32 bytes).

        Raises CidInvalid when the length is not 32.
        """
        digest = bytes(digest)
        if len(digest) != DIGEST_BYTES:
            raise CidInvalid(f"a digest has {DIGEST_BYTES} bytes, this one has {len(digest)}")
        text = base64.b32encode(_PREFIX + digest).decode("ascii").rstrip("=").lower()
        cid = super().__new__(cls, "b" + text)
        cid.digest = digest
        return cid

    @classmethod
    def of_block(cls, data: bytes) -> Self:
        """Return the identifier of one raw block; the caller keeps it within the block size."""
        return cls.from_digest(hashlib.sha256(data).digest())

    @classmethod
    def of_object(cls, data: bytes) -> Self:
        """Return the identifier that every store gives `data`, whatever its length; no I/O."""
        from offchain.storage.blocks import cut  # blocks imports this module

        return cls.of_block(cut(data).root)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the identifier written as `text`.

        Raises CidInvalid for another version, codec, hash or base, and for set padding bits.
        """
        if (
            not isinstance(text, str)
            or len(text) != _TEXT_CHARS
            or text[0] != "b"
            or text != text.lower()
        ):
            raise CidInvalid(f"not a lower-case base32 CIDv1 with a sha2-256 digest: {text!r:.80}")
        try:
            raw = base64.b32decode(text[1:].upper() + "=" * (-len(text[1:]) % 8))
        except ValueError as error:
            raise CidInvalid(f"not base32: {text!r:.80}") from error
        if raw[: len(_PREFIX)] != _PREFIX:
            raise CidInvalid(f"not CIDv1, raw, sha2-256: {text!r:.80}")
        cid = cls.from_digest(raw[len(_PREFIX) :])
        if cid != text:
            raise CidInvalid(f"non-canonical base32: {text!r:.80}")
        return cid

    @classmethod
    def of(cls, name: "str | bytes") -> Self:
        """Return `name`, a CID text or a 32-byte digest as the chain stores it, as a CID."""
        if isinstance(name, cls):
            return name
        return cls.parse(name) if isinstance(name, str) else cls.from_digest(name)
