"""Paillier keys: checked moduli, their primes, and their one canonical encoding.

    public key   "DMP1" ‖ uint16 bytes of n ‖ n
    private key  "DMQ1" ‖ uint16 bytes of p ‖ p ‖ q          (p < q, of one width)

The only importer of phe, whose key objects stand behind `_phe`: what is encrypted here phe can
decrypt, and the other way round. phe alone takes moduli like 15 and gives its private key away to
one crafted ciphertext, so nothing computes with it but the tests of that.
"""

import hashlib
from typing import Self

from phe import paillier as phe

from offchain.crypto.blum_primes import generate_blum_primes
from offchain.crypto.encoding import exact_bytes, fixed_width
from offchain.crypto.modulus import DEFAULT_BITS, MAX_BITS, require_bits, require_sound_modulus
from offchain.crypto.paillier_decryption import Decryptor
from offchain.crypto.paillier_noise import OwnerNoise, PublicNoise
from offchain.crypto.primality import is_prime
from offchain.crypto.secret import Secret
from offchain.errors import EncodingError, InvalidKeyError

PUBLIC_MAGIC = b"DMP1"
PRIVATE_MAGIC = b"DMQ1"
_HEADER_BYTES = 6


class PaillierPublicKey:
    """A checked modulus n: whoever holds this object may encrypt to it.

    Raises InvalidKeyError for every modulus that `modulus.require_sound_modulus` refuses.
    """

    __slots__ = ("_noise", "n", "n_squared")

    def __init__(self, n: int, *, allow_small: bool = False) -> None:
        require_sound_modulus(n, allow_small=allow_small)
        self.n = n
        self.n_squared = n * n
        self._noise: PublicNoise | None = None

    @property
    def bits(self) -> int:
        """Bit length of n."""
        return self.n.bit_length()

    @property
    def byte_length(self) -> int:
        """Bytes of n; a ciphertext has twice as many."""
        return -(-self.bits // 8)

    @property
    def noise(self) -> PublicNoise:
        """Fresh n-th residues for this key; their tables grow with use and go with the object."""
        if self._noise is None:
            self._noise = PublicNoise(self.n)
        return self._noise

    @property
    def _phe(self) -> phe.PaillierPublicKey:
        return phe.PaillierPublicKey(self.n)

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

    __slots__ = ("_decryptor", "_noise", "_p", "_q", "public_key")

    def __init__(self, p: int, q: int, *, allow_small: bool = False) -> None:
        p, q = min(p, q), max(p, q)
        if p == q or p.bit_length() != q.bit_length():
            raise InvalidKeyError("the primes must differ and have one bit length")
        if not is_prime(p) or not is_prime(q):
            raise InvalidKeyError("a factor of the Paillier modulus is not prime")
        self.public_key = PaillierPublicKey(p * q, allow_small=allow_small)
        self._p, self._q = p, q
        self._noise: OwnerNoise | None = None
        self._decryptor: Decryptor | None = None

    @property
    def noise(self) -> OwnerNoise:
        """Fresh n-th residues as only the owner can make them, by CRT."""
        if self._noise is None:
            self._noise = OwnerNoise(self._p, self._q)
        return self._noise

    @property
    def decryptor(self) -> Decryptor:
        """The bare decryption, without checks: only `paillier.decrypt` may call it."""
        if self._decryptor is None:
            self._decryptor = Decryptor(self._p, self._q, self.noise)
        return self._decryptor

    @property
    def _phe(self) -> phe.PaillierPrivateKey:
        return phe.PaillierPrivateKey(self.public_key._phe, self._p, self._q)

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
    """Generate a key pair with a Blum modulus of exactly `bits` bits, from system randomness.

    2048..4096 bits, even; `allow_small` admits 512 and up, for tests and development chains only.
    """
    require_bits(bits, allow_small=allow_small)
    if bits % 2:
        raise InvalidKeyError("a Paillier modulus is generated with an even number of bits")
    p, q = generate_blum_primes(bits)
    return PaillierPrivateKey(p, q, allow_small=allow_small)
