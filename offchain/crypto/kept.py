"""What is given to nobody by accident: neither pickled nor copied."""

from typing import NoReturn

from offchain.errors import CryptoError


class Kept:
    """Base of what holds a secret, or the opening of one."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise CryptoError(f"{type(self).__name__} may not be pickled or copied; use its own bytes")
