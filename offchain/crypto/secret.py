"""Holders of secrets that do not print, pickle or compare in variable time."""

import hmac
import secrets
from typing import Self

from offchain.crypto.curve import GROUP_ORDER
from offchain.crypto.encoding import WORD_BYTES, any_bytes, exact_bytes, is_integer
from offchain.crypto.kept import Kept
from offchain.errors import InvalidScalarError


class Secret(Kept):
    """Base of everything secret: redacted in text, refused by pickle, not hashable."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def to_bytes(self) -> bytes:
        """Return the secret's fixed-width bytes."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} redacted>"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self.to_bytes(), other.to_bytes())


class SecretBytes(Secret):
    """Hold secret bytes; `reveal()` is the only way to read them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = any_bytes(value, name=f"a {type(self).__name__}")

    def reveal(self) -> bytes:
        """Return the bytes."""
        return self._value

    def to_bytes(self) -> bytes:
        """Return the bytes."""
        return self._value


class SecretScalar(Secret):
    """Hold a secret scalar in [1, group order); `reveal()` is the only way to read it.

    Raises InvalidScalarError for anything else.
    """

    __slots__ = ("_value",)

    def __init__(self, value: int) -> None:
        if not is_integer(value) or not 1 <= value < GROUP_ORDER:
            raise InvalidScalarError(f"a {type(self).__name__} must be in [1, group order)")
        self._value = value

    @classmethod
    def generate(cls) -> Self:
        """Draw a uniform secret from the operating system's randomness."""
        return cls(random_scalar())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read 32 big-endian bytes; raises EncodingError or InvalidScalarError."""
        return cls(int.from_bytes(exact_bytes(data, WORD_BYTES, name=f"a {cls.__name__}"), "big"))

    def reveal(self) -> int:
        """Return the scalar."""
        return self._value

    def to_bytes(self) -> bytes:
        """Return the scalar as 32 big-endian bytes."""
        return self._value.to_bytes(WORD_BYTES, "big")


def random_scalar() -> int:
    """Draw a uniform integer in [1, group order)."""
    return 1 + secrets.randbelow(GROUP_ORDER - 1)
