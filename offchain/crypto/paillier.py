"""Paillier encryption (Eurocrypt 1999): the one door to encryption, decryption and sums.

Plaintexts and ciphertexts are integers; floats are refused because phe would leak their exponent.
Raw Paillier is malleable: messages go through `kem`, whose coins are full elements of Z*_n. Data
are encrypted with the short random exponents of `paillier_noise`, which states what that rests on.

Powers with secret exponents take constant time, the rest does not: encryption runs where the
plaintext lies open anyway; decryption is blinded too; sums touch public values only.
"""

import secrets
from collections.abc import Iterable

import gmpy2
from gmpy2 import mpz

from offchain.crypto.encoding import fixed_width, is_integer
from offchain.crypto.modulus import DEFAULT_BITS, MAX_BITS
from offchain.crypto.paillier_keys import (
    PRIVATE_MAGIC,
    PUBLIC_MAGIC,
    PaillierPrivateKey,
    PaillierPublicKey,
    generate_private_key,
)
from offchain.crypto.paillier_noise import NoiseSource
from offchain.crypto.secret_power import secret_power
from offchain.errors import DecryptionError, InvalidKeyError, InvalidPlaintextError

__all__ = [
    "DEFAULT_BITS",
    "MAX_BITS",
    "PRIVATE_MAGIC",
    "PUBLIC_MAGIC",
    "PaillierPrivateKey",
    "PaillierPublicKey",
    "add_ciphertexts",
    "ciphertext_from_bytes",
    "ciphertext_to_bytes",
    "decrypt",
    "encrypt",
    "encrypt_as_owner",
    "encrypt_with_coins",
    "encrypt_with_noise",
    "extract_coins",
    "generate_private_key",
    "random_unit",
]


def random_unit(n: int) -> int:
    """Draw a uniform element of Z*_n."""
    while True:
        candidate = 1 + secrets.randbelow(n - 1)
        if gmpy2.gcd(candidate, n) == 1:
            return candidate


def encrypt(public_key: PaillierPublicKey, plaintext: int) -> int:
    """Encrypt an integer in [0, n). Random. Raises InvalidPlaintextError for anything else.

    The first use of a key costs two exponentiations, the third makes a small table, the 257th a
    large one: see `fixed_base`.
    """
    return encrypt_with_noise(public_key, plaintext, public_key.noise)


def encrypt_as_owner(private_key: PaillierPrivateKey, plaintext: int) -> int:
    """Encrypt to one's own key, faster: the ciphertexts are like those of `encrypt`."""
    return encrypt_with_noise(private_key.public_key, plaintext, private_key.noise)


def encrypt_with_noise(public_key: PaillierPublicKey, plaintext: int, noise: NoiseSource) -> int:
    """Encrypt with one draw from `noise`. Raises InvalidKeyError for a source of another key."""
    _require_plaintext(public_key, plaintext)
    if noise.n != public_key.n:
        raise InvalidKeyError("the Paillier noise is of another key: make it for this one")
    return int((1 + plaintext * mpz(public_key.n)) * noise.draw() % public_key.n_squared)


def encrypt_with_coins(public_key: PaillierPublicKey, plaintext: int, *, coins: int) -> int:
    """Compute (1 + plaintext·n)·coins^n mod n² for given coins in Z*_n.

    Only for the KEM's derived coins and for checking an opening: chosen coins hide nothing.
    """
    _require_plaintext(public_key, plaintext)
    n = mpz(public_key.n)
    if not is_integer(coins) or not 0 < coins < n or gmpy2.gcd(coins, n) != 1:
        raise InvalidPlaintextError("Paillier coins must be an integer in Z*_n")
    n_squared = n * n
    noise = secret_power(coins, n, n_squared)  # the longest of all; others run meanwhile
    return int((1 + plaintext * n) * noise % n_squared)


def _require_plaintext(public_key: PaillierPublicKey, plaintext: int) -> None:
    if not is_integer(plaintext) or not 0 <= plaintext < public_key.n:
        raise InvalidPlaintextError("a Paillier plaintext must be an integer in [0, n)")


def _require_in_range(public_key: PaillierPublicKey, ciphertext: int) -> None:
    if not is_integer(ciphertext) or not 0 < ciphertext < public_key.n_squared:
        raise DecryptionError


def _require_ciphertext(public_key: PaillierPublicKey, ciphertext: int) -> None:
    _require_in_range(public_key, ciphertext)
    if gmpy2.gcd(ciphertext, public_key.n) != 1:
        raise DecryptionError


def decrypt(private_key: PaillierPrivateKey, ciphertext: int) -> int:
    """Decrypt to an integer in [0, n), on a blinded copy.

    Raises DecryptionError, always the same, for whatever is not an element of Z*_{n²}.
    """
    _require_ciphertext(private_key.public_key, ciphertext)
    return private_key.decryptor.decrypt(ciphertext)


def extract_coins(private_key: PaillierPrivateKey, ciphertext: int) -> int:
    """Recover the coins in Z*_n of a ciphertext: with its plaintext, a full opening.

    Raises DecryptionError for whatever is not an element of Z*_{n²}.
    """
    plaintext = decrypt(private_key, ciphertext)
    n = private_key.public_key.n
    masked = ciphertext * (1 - plaintext * n) % n  # (1+n)^-m = 1 − m·n; only coins^n is left
    order = (private_key._p - 1) * (private_key._q - 1)
    return int(secret_power(masked, int(gmpy2.invert(n, order)), n))


def has_coins(private_key: PaillierPrivateKey, ciphertext: int, coins: int) -> bool:
    """Tell whether `coins` in Z*_n are the coins of an element of Z*_{n²}, as only the owner can.

    c = (1 + m·n)·coins^n mod n² says c = coins^n mod n; and coins ↦ coins^n is one to one on Z*_n,
    so that the latter holds for the coins of c alone, whatever m is. Modulo each prime that is a
    twentieth of the work of encrypting anew.
    """
    n = private_key.public_key.n
    same = [
        secret_power(coins, n % (prime - 1), prime) == ciphertext % prime
        for prime in (private_key._p, private_key._q)
    ]
    return all(same)


def add_ciphertexts(public_key: PaillierPublicKey, ciphertexts: Iterable[int]) -> int:
    """Return a fresh encryption of the sum modulo n of one or more plaintexts.

    One pass, whatever their number. Raises DecryptionError for an invalid ciphertext,
    InvalidPlaintextError when there is none.
    """
    n_squared = mpz(public_key.n_squared)
    product = public_key.noise.draw()  # first of all, so that the result is fresh
    count = 0
    for count, ciphertext in enumerate(ciphertexts, start=1):  # noqa: B007
        _require_in_range(public_key, ciphertext)
        product = product * ciphertext % n_squared
    if count == 0:
        raise InvalidPlaintextError("a sum needs at least one ciphertext")
    _require_ciphertext(public_key, int(product))  # a unit if and only if every factor is one
    return int(product)


def ciphertext_to_bytes(public_key: PaillierPublicKey, ciphertext: int) -> bytes:
    """Encode a ciphertext in twice the width of n."""
    _require_ciphertext(public_key, ciphertext)
    return fixed_width(ciphertext, 2 * public_key.byte_length)


def ciphertext_from_bytes(public_key: PaillierPublicKey, data: bytes) -> int:
    """Read a ciphertext strictly. Raises DecryptionError for a wrong width or value."""
    if not isinstance(data, (bytes, bytearray)) or len(data) != 2 * public_key.byte_length:
        raise DecryptionError
    ciphertext = int.from_bytes(data, "big")
    _require_ciphertext(public_key, ciphertext)
    return ciphertext
