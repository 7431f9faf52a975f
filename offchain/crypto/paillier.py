"""Paillier encryption (Eurocrypt 1999), and the only door to phe.

phe alone gives its private key away to one crafted ciphertext and takes moduli like 15, so
nothing else may import it. Plaintexts and ciphertexts are integers; floats are refused because
phe leaks their exponent. Raw Paillier is malleable: messages go through `kem`.

    public key   "DMP1" ‖ uint16 bytes of n ‖ n
    private key  "DMQ1" ‖ uint16 bytes of p ‖ p ‖ q          (p < q, of one width)

Not constant time; decryption is blinded and belongs on the owner's machine.
"""

import hashlib
import secrets
from collections.abc import Sequence
from typing import Self

import gmpy2
from phe import paillier as phe

from offchain.crypto.encoding import exact_bytes, fixed_width, is_integer
from offchain.crypto.modulus import DEFAULT_BITS, MAX_BITS, require_bits, require_sound_modulus
from offchain.crypto.secret import Secret
from offchain.errors import (
    DecryptionError,
    EncodingError,
    InvalidKeyError,
    InvalidPlaintextError,
)

PUBLIC_MAGIC = b"DMP1"
PRIVATE_MAGIC = b"DMQ1"
_HEADER_BYTES = 6


class PaillierPublicKey:
    """A checked modulus n: whoever holds this object may encrypt to it.

    Raises InvalidKeyError for every modulus that `modulus.require_sound_modulus` refuses.
    """

    __slots__ = ("_phe", "n", "n_squared")

    def __init__(self, n: int, *, allow_small: bool = False) -> None:
        require_sound_modulus(n, allow_small=allow_small)
        self.n = n
        self.n_squared = n * n
        self._phe = phe.PaillierPublicKey(n)

    @property
    def bits(self) -> int:
        """Bit length of n."""
        return self.n.bit_length()

    @property
    def byte_length(self) -> int:
        """Bytes of n; a ciphertext has twice as many."""
        return -(-self.bits // 8)

    def n_bytes(self) -> bytes:
        """Return n in its own width."""
        return self.n.to_bytes(self.byte_length, "big")

    def to_bytes(self) -> bytes:
        """Return the one canonical encoding."""
        return PUBLIC_MAGIC + fixed_width(self.byte_length, 2) + self.n_bytes()

    def digest(self) -> bytes:
        """Return SHA-256 of the canonical encoding: what the registry stores."""
        return hashlib.sha256(self.to_bytes()).digest()

    @classmethod
    def from_bytes(
        cls, data: bytes, *, bits: int | None = DEFAULT_BITS, allow_small: bool = False
    ) -> Self:
        """Read a key strictly and check it.

        `bits` is the exact length asked for; None admits every allowed one. Raises EncodingError
        for bytes that are not canonical, InvalidKeyError for a modulus that is refused.
        """
        (n,) = _read_numbers(data, PUBLIC_MAGIC, 1)
        if bits is not None and n.bit_length() != bits:
            raise InvalidKeyError(f"the Paillier modulus must have exactly {bits} bits")
        return cls(n, allow_small=allow_small)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PaillierPublicKey) and other.n == self.n

    def __hash__(self) -> int:
        return hash(self.n)

    def __repr__(self) -> str:
        return f"<PaillierPublicKey {self.bits} bits {self.digest().hex()[:16]}>"


class PaillierPrivateKey(Secret):
    """The primes of a modulus. Redacted; raises InvalidKeyError for a bad pair."""

    __slots__ = ("_p", "_phe", "_q", "public_key")

    def __init__(self, p: int, q: int, *, allow_small: bool = False) -> None:
        p, q = min(p, q), max(p, q)
        if p == q or p.bit_length() != q.bit_length():
            raise InvalidKeyError("the primes must differ and have one bit length")
        if not gmpy2.is_prime(p) or not gmpy2.is_prime(q):
            raise InvalidKeyError("a factor of the Paillier modulus is not prime")
        self.public_key = PaillierPublicKey(p * q, allow_small=allow_small)
        self._p, self._q = p, q
        self._phe = phe.PaillierPrivateKey(self.public_key._phe, p, q)

    def to_bytes(self) -> bytes:
        """Return the one canonical encoding. It is the key itself: seal it before it leaves."""
        width = -(-self._p.bit_length() // 8)
        primes = fixed_width(self._p, width) + fixed_width(self._q, width)
        return PRIVATE_MAGIC + fixed_width(width, 2) + primes

    @classmethod
    def from_bytes(
        cls, data: bytes, *, bits: int | None = DEFAULT_BITS, allow_small: bool = False
    ) -> Self:
        """Read a private key strictly: p < q, both prime, n of exactly `bits` (None: allowed)."""
        p, q = _read_numbers(data, PRIVATE_MAGIC, 2)
        if p >= q:
            raise EncodingError("the primes of a private key must stand in rising order")
        if bits is not None and (p * q).bit_length() != bits:
            raise InvalidKeyError(f"the Paillier modulus must have exactly {bits} bits")
        return cls(p, q, allow_small=allow_small)


def _read_numbers(data: bytes, magic: bytes, count: int) -> list[int]:
    if not isinstance(data, (bytes, bytearray)) or data[: len(magic)] != magic:
        raise EncodingError(f"a Paillier key must begin with {magic.decode()}")
    width = int.from_bytes(data[len(magic) : _HEADER_BYTES], "big")
    if not 0 < width <= MAX_BITS // 8:  # before any big integer is made
        raise EncodingError("the Paillier key's length field is out of range")
    body = exact_bytes(data[_HEADER_BYTES:], count * width, name="a Paillier key's body")
    if body[0] == 0:
        raise EncodingError("the Paillier key is padded with zeros")
    parts = (body[start : start + width] for start in range(0, len(body), width))
    return [int.from_bytes(part, "big") for part in parts]


def generate_private_key(
    bits: int = DEFAULT_BITS, *, allow_small: bool = False
) -> PaillierPrivateKey:
    """Generate a key pair with an n of exactly `bits` bits, from system randomness.

    2048..4096 bits; `allow_small` admits 512 and up, for tests and development chains only.
    """
    require_bits(bits, allow_small=allow_small)
    _, private_key = phe.generate_paillier_keypair(n_length=bits)
    return PaillierPrivateKey(int(private_key.p), int(private_key.q), allow_small=allow_small)


def random_unit(n: int) -> int:
    """Draw a uniform element of Z*_n."""
    while True:
        candidate = 1 + secrets.randbelow(n - 1)
        if gmpy2.gcd(candidate, n) == 1:
            return candidate


def encrypt(public_key: PaillierPublicKey, plaintext: int) -> int:
    """Encrypt an integer in [0, n). Random. Raises InvalidPlaintextError for anything else."""
    return encrypt_with_coins(public_key, plaintext, coins=random_unit(public_key.n))


def encrypt_with_coins(public_key: PaillierPublicKey, plaintext: int, *, coins: int) -> int:
    """Compute (1 + plaintext·n)·coins^n mod n² for given coins in Z*_n.

    Only for the KEM's derived coins and for checking an opening: chosen coins hide nothing.
    """
    n = public_key.n
    if not is_integer(plaintext) or not 0 <= plaintext < n:
        raise InvalidPlaintextError("a Paillier plaintext must be an integer in [0, n)")
    if not is_integer(coins) or not 0 < coins < n or gmpy2.gcd(coins, n) != 1:
        raise InvalidPlaintextError("Paillier coins must be an integer in Z*_n")
    return int(public_key._phe.raw_encrypt(plaintext, r_value=coins))


def _require_ciphertext(public_key: PaillierPublicKey, ciphertext: int) -> None:
    in_range = is_integer(ciphertext) and 0 < ciphertext < public_key.n_squared
    if not in_range or gmpy2.gcd(ciphertext, public_key.n) != 1:
        raise DecryptionError


def _rerandomise(public_key: PaillierPublicKey, ciphertext: int) -> int:
    n, n_squared = public_key.n, public_key.n_squared
    return int(ciphertext * gmpy2.powmod(random_unit(n), n, n_squared) % n_squared)


def decrypt(private_key: PaillierPrivateKey, ciphertext: int) -> int:
    """Decrypt to an integer in [0, n), on a copy blinded with a fresh r^n.

    Raises DecryptionError, always the same, for whatever is not an element of Z*_{n²}.
    """
    _require_ciphertext(private_key.public_key, ciphertext)
    blinded = _rerandomise(private_key.public_key, ciphertext)
    return int(private_key._phe.raw_decrypt(blinded))


def extract_coins(private_key: PaillierPrivateKey, ciphertext: int) -> int:
    """Recover the coins in Z*_n of a ciphertext: with its plaintext, a full opening.

    Raises DecryptionError for whatever is not an element of Z*_{n²}.
    """
    plaintext = decrypt(private_key, ciphertext)
    n = private_key.public_key.n
    masked = ciphertext * (1 - plaintext * n) % n  # (1+n)^-m = 1 − m·n; only coins^n is left
    order = (private_key._p - 1) * (private_key._q - 1)
    return int(gmpy2.powmod(masked, gmpy2.invert(n, order), n))


def add_ciphertexts(public_key: PaillierPublicKey, ciphertexts: Sequence[int]) -> int:
    """Return a fresh encryption of the sum modulo n of one or more plaintexts.

    Raises DecryptionError for an invalid ciphertext, InvalidPlaintextError for an empty list.
    """
    if not ciphertexts:
        raise InvalidPlaintextError("a sum needs at least one ciphertext")
    product = gmpy2.mpz(1)
    for ciphertext in ciphertexts:
        _require_ciphertext(public_key, ciphertext)
        product = product * ciphertext % public_key.n_squared
    return _rerandomise(public_key, int(product))


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
