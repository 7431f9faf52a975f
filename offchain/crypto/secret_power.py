"""Powers with secret exponents in constant time: by libcrypto where there is one, else by GMP.

OpenSSL's BN_mod_exp_mont_consttime takes half the time of GMP's mpz_powm_sec, and less than GMP's
plain power, whose time tells the exponent (docs/cryptography.md). The library is the one that
Python's own hashlib stands on, or the system's; nothing is installed for it. Constant is the time
for exponents and moduli of one length, on one processor.
"""

import _hashlib  # names the libcrypto that is loaded already
import ctypes
from functools import cache

import gmpy2
from gmpy2 import mpz

from offchain.errors import CryptoError

_PLACES = (_hashlib.__file__, "libcrypto.so.3")
_POINTER, _BYTES, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_FUNCTIONS = {
    "BN_new": (_POINTER, ()),
    "BN_clear_free": (None, (_POINTER,)),
    "BN_CTX_new": (_POINTER, ()),
    "BN_CTX_free": (None, (_POINTER,)),
    "BN_bin2bn": (_POINTER, (_BYTES, _INT, _POINTER)),
    "BN_bn2binpad": (_INT, (_POINTER, _BYTES, _INT)),
    "BN_mod_exp_mont_consttime": (_INT, (_POINTER,) * 6),
}


def secret_power(base: int, exponent: int, modulus: int) -> mpz:
    """Return base^exponent for an exponent >= 0 that stays secret, and an odd modulus above 1.

    Raises CryptoError for other numbers.
    """
    if exponent < 0 or modulus < 3 or modulus % 2 == 0:
        raise CryptoError("a secret power needs an exponent of 0 and up, and an odd modulus")
    library = _library()
    if library is not None:
        return library.power(base, exponent, modulus)
    return gmpy2.powmod_sec(base, exponent, modulus) if exponent else mpz(1)


class _Libcrypto:
    """OpenSSL's numbers. Each power has its own, so that threads need no lock."""

    def __init__(self, place: str) -> None:
        """Raises OSError or AttributeError where there is no such library."""
        library = ctypes.CDLL(place)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._library = library

    def power(self, base: int, exponent: int, modulus: int) -> mpz:
        library, width = self._library, -(-modulus.bit_length() // 8)
        context, result = library.BN_CTX_new(), library.BN_new()
        numbers = [self._number(one) for one in (base % modulus, exponent, modulus)]
        try:
            octets = ctypes.create_string_buffer(width)
            done = (
                all((context, result, *numbers))
                and library.BN_mod_exp_mont_consttime(result, *numbers, context, None)
                and library.BN_bn2binpad(result, octets, width) == width
            )
            if not done:
                raise CryptoError("libcrypto has no memory for a power; free some and try again")
            return mpz(int.from_bytes(octets.raw, "big"))
        finally:
            for number in (result, *numbers):
                library.BN_clear_free(number)
            library.BN_CTX_free(context)

    def _number(self, value: int) -> int | None:
        octets = int(value).to_bytes(-(-value.bit_length() // 8), "big")
        found: int | None = self._library.BN_bin2bn(octets, len(octets), None)
        return found


@cache
def _library() -> _Libcrypto | None:
    """Return the first libcrypto that reckons rightly."""
    for place in _PLACES:
        try:
            library = _Libcrypto(place)
        except (OSError, AttributeError):
            continue  # none there, or one that shows no numbers
        if library.power(3, 2**64, 2**127 - 1) == pow(3, 2**64, 2**127 - 1):
            return library
    return None
