"""Sealed messages: Paillier-KEM with re-encryption, and AES-256-GCM with key commitment.

The Fujisaki–Okamoto transform (Crypto 1999) over Paillier, so that no byte can be changed and
decryption answers nothing about a crafted ciphertext. Layout in docs/formats.md §3:

    "DMK1" ‖ uint16 bytes of n ‖ c ‖ key commitment (32) ‖ GCM nonce (12) ‖ ciphertext and tag

Candidates for the coins are HKDF(ikm = r, salt = SHA256(n), info = "DMSM-V1-kem-coins" ‖
SHA256(context) ‖ uint32 counter) in the width of n, cut to its bits; the first in Z*_n counts.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Self

import gmpy2

from offchain.crypto import paillier
from offchain.crypto.box import NONCE_BYTES, TAG_BYTES, gcm_decrypt, gcm_encrypt
from offchain.crypto.encoding import any_bytes, exact_bytes, fixed_width
from offchain.crypto.kdf import hkdf
from offchain.crypto.kept import Kept
from offchain.crypto.paillier import PaillierPrivateKey, PaillierPublicKey
from offchain.errors import (
    CryptoError,
    DecryptionError,
    InvalidOpeningError,
    InvalidPlaintextError,
)

MAGIC = b"DMK1"
MAX_PLAINTEXT_BYTES = 1 << 20
_HEADER_BYTES = 6
_COMMIT_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class Opening(Kept):
    """The plaintext r and the coins of one KEM ciphertext: they open it, and nothing else."""

    r: int
    coins: int

    def to_bytes(self, public_key: PaillierPublicKey) -> bytes:
        """Return r ‖ coins, each in the width of n."""
        width = public_key.byte_length
        return fixed_width(self.r, width) + fixed_width(self.coins, width)

    @classmethod
    def from_bytes(cls, public_key: PaillierPublicKey, data: bytes) -> Self:
        """Read r ‖ coins. Raises EncodingError for a wrong width."""
        width = public_key.byte_length
        data = exact_bytes(data, 2 * width, name="an opening")
        return cls(int.from_bytes(data[:width], "big"), int.from_bytes(data[width:], "big"))


@dataclass(slots=True, repr=False)
class Encapsulation(Kept):
    """A KEM ciphertext and its key, made before there is a message: for one message alone.

    Whoever seals often to one key under one context makes the next one while it has time.
    """

    public_key: PaillierPublicKey
    context: bytes
    opening: Opening
    _c_bytes: bytes
    _key: bytes
    _commit: bytes
    _is_used: bool = False

    def seal(self, plaintext: bytes) -> bytes:
        """Seal up to 1 MiB. Raises InvalidPlaintextError, also for a second message."""
        if len(any_bytes(plaintext, name="a plaintext")) > MAX_PLAINTEXT_BYTES:
            raise InvalidPlaintextError(f"a message may have at most {MAX_PLAINTEXT_BYTES} bytes")
        if self._is_used:
            raise InvalidPlaintextError("an encapsulation seals one message")
        self._is_used = True
        body = gcm_encrypt(self._key, plaintext, associated_data=_context_digest(self.context))
        width = fixed_width(self.public_key.byte_length, 2)
        return MAGIC + width + self._c_bytes + self._commit + body


def overhead(public_key: PaillierPublicKey) -> int:
    """Return how many bytes longer than its plaintext a sealed message is."""
    body = 2 * public_key.byte_length + _COMMIT_BYTES
    return _HEADER_BYTES + body + NONCE_BYTES + TAG_BYTES


def seal(public_key: PaillierPublicKey, plaintext: bytes, *, context: bytes) -> bytes:
    """Seal up to 1 MiB to a public key; `context` is authenticated and not sent. Random."""
    return seal_with_opening(public_key, plaintext, context=context)[0]


def seal_with_opening(
    public_key: PaillierPublicKey, plaintext: bytes, *, context: bytes
) -> tuple[bytes, Opening]:
    """Seal like `seal`, and return the opening too, for a sealer that may have to show it. Secret
    as the plaintext is: it opens the message.
    """
    if len(any_bytes(plaintext, name="a plaintext")) > MAX_PLAINTEXT_BYTES:  # before the work
        raise InvalidPlaintextError(f"a message may have at most {MAX_PLAINTEXT_BYTES} bytes")
    fresh = encapsulate(public_key, context=context)
    return fresh.seal(plaintext), fresh.opening


def encapsulate(public_key: PaillierPublicKey, *, context: bytes) -> Encapsulation:
    """Draw a fresh key for one message and encrypt it to a public key."""
    r = secrets.randbelow(public_key.n)
    coins = _derive_coins(public_key, r, context)
    ciphertext = paillier.encrypt_with_coins(public_key, r, coins=coins)
    c_bytes = paillier.ciphertext_to_bytes(public_key, ciphertext)
    key, commit = _derive_key(public_key, r, c_bytes, context)
    return Encapsulation(public_key, context, Opening(r, coins), c_bytes, key, commit)


def begin_encapsulation(
    public_key: PaillierPublicKey, *, context: bytes
) -> Callable[[], Encapsulation]:
    """Start `encapsulate` in a thread, and return what waits for it: to be called while there is
    something else to wait for, such as a chain's answers. Nobody need wait for it.
    """
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="encapsulate")
    begun = thread.submit(encapsulate, public_key, context=context)
    thread.shutdown(wait=False)  # it ends with its work
    return begun.result


def open_sealed(private_key: PaillierPrivateKey, sealed: bytes, *, context: bytes) -> bytes:
    """Open a sealed message. Raises one and the same DecryptionError for whatever is wrong."""
    public_key = private_key.public_key
    c_bytes, commit, body = _split(public_key, sealed)
    ciphertext = int.from_bytes(c_bytes, "big")
    r = paillier.decrypt(private_key, ciphertext)
    same = paillier.has_coins(private_key, ciphertext, _derive_coins(public_key, r, context))
    return _open_body(public_key, r, c_bytes, commit, body, context, is_derived=same)


def opening(private_key: PaillierPrivateKey, sealed: bytes) -> Opening:
    """Reveal r and the coins of a sealed message, as evidence for a judge.

    Works for every well-formed c, also one whose coins were not derived as they should be: that
    is what the evidence shows. Raises DecryptionError when c itself is malformed, which everyone
    can see without an opening.
    """
    c_bytes, _, _ = _split(private_key.public_key, sealed)
    ciphertext = int.from_bytes(c_bytes, "big")
    r = paillier.decrypt(private_key, ciphertext)
    return Opening(r, paillier.extract_coins(private_key, ciphertext))


def open_with_opening(
    public_key: PaillierPublicKey, sealed: bytes, opening: Opening, *, context: bytes
) -> bytes:
    """Open a sealed message as a judge does, without the private key.

    Raises InvalidOpeningError when the opening is not this ciphertext's (the opener is wrong),
    DecryptionError when it is and the bytes still do not open (the sender is wrong).
    """
    c_bytes, commit, body = _split(public_key, sealed)
    _require_opening(public_key, c_bytes, opening)
    return _open_with_r(public_key, opening.r, c_bytes, commit, body, context)


def verify_form(public_key: PaillierPublicKey, sealed: bytes) -> bool:
    """Tell whether bytes have the form of a sealed message to this key, with c in Z*_n²: whoever
    has them can see that.
    """
    try:
        c_bytes, _, _ = _split(public_key, sealed)
        paillier.ciphertext_from_bytes(public_key, c_bytes)
    except CryptoError:
        return False
    return True


def verify_opening(public_key: PaillierPublicKey, sealed: bytes, opening: Opening) -> bool:
    """Tell whether an opening is the one of this sealed message's c."""
    try:
        _require_opening(public_key, _split(public_key, sealed)[0], opening)
    except CryptoError:
        return False
    return True


def verify_coins(public_key: PaillierPublicKey, opening: Opening, *, context: bytes) -> bool:
    """Tell whether the coins of an opening are the ones that its r derives in this context."""
    try:
        return _derive_coins(public_key, opening.r, context) == opening.coins
    except CryptoError:
        return False


def _require_opening(public_key: PaillierPublicKey, c_bytes: bytes, opening: Opening) -> None:
    paillier.ciphertext_from_bytes(public_key, c_bytes)
    try:
        again = paillier.encrypt_with_coins(public_key, opening.r, coins=opening.coins)
    except CryptoError:
        raise InvalidOpeningError("the opening is out of range for this key") from None
    if again != int.from_bytes(c_bytes, "big"):
        raise InvalidOpeningError("the opening does not re-encrypt to this ciphertext")


def _open_with_r(
    public_key: PaillierPublicKey,
    r: int,
    c_bytes: bytes,
    commit: bytes,
    body: bytes,
    context: bytes,
) -> bytes:
    coins = _derive_coins(public_key, r, context)
    again = paillier.encrypt_with_coins(public_key, r, coins=coins)
    same = hmac.compare_digest(fixed_width(again, len(c_bytes)), c_bytes)
    return _open_body(public_key, r, c_bytes, commit, body, context, is_derived=same)


def _open_body(
    public_key: PaillierPublicKey,
    r: int,
    c_bytes: bytes,
    commit: bytes,
    body: bytes,
    context: bytes,
    *,
    is_derived: bool,
) -> bytes:
    """Open the body; `is_derived`: the coins of c are those that r gives."""
    key, expected = _derive_key(public_key, r, c_bytes, context)
    if not (is_derived & hmac.compare_digest(expected, commit)):
        raise DecryptionError
    return gcm_decrypt(key, body, associated_data=_context_digest(context))


def _split(public_key: PaillierPublicKey, sealed: bytes) -> tuple[bytes, bytes, bytes]:
    """Cut a sealed message into c, commitment and body; lengths first, no big integer."""
    start, width = _HEADER_BYTES, 2 * public_key.byte_length
    shortest = overhead(public_key)
    if not isinstance(sealed, (bytes, bytearray)):
        raise DecryptionError
    if not shortest <= len(sealed) <= shortest + MAX_PLAINTEXT_BYTES:
        raise DecryptionError
    if sealed[:start] != MAGIC + fixed_width(public_key.byte_length, 2):
        raise DecryptionError
    sealed, middle = bytes(sealed), start + width
    end = middle + _COMMIT_BYTES
    return sealed[start:middle], sealed[middle:end], sealed[end:]


def _context_digest(context: bytes) -> bytes:
    return hashlib.sha256(any_bytes(context, name="a context")).digest()


def _derive_coins(public_key: PaillierPublicKey, r: int, context: bytes) -> int:
    n, width = public_key.n, public_key.byte_length
    salt = hashlib.sha256(public_key.n_bytes()).digest()
    prefix = b"DMSM-V1-kem-coins" + _context_digest(context)
    ikm, mask = fixed_width(r, width), (1 << public_key.bits) - 1
    streams = (
        hkdf(ikm, salt=salt, info=prefix + fixed_width(counter, 4), length=width)
        for counter in count()
    )
    candidates = (int.from_bytes(stream, "big") & mask for stream in streams)
    return next(c for c in candidates if 0 < c < n and gmpy2.gcd(c, n) == 1)


def _derive_key(
    public_key: PaillierPublicKey, r: int, c_bytes: bytes, context: bytes
) -> tuple[bytes, bytes]:
    salt = hashlib.sha256(public_key.n_bytes()).digest()
    info = b"DMSM-V1-kem" + _context_digest(context) + hashlib.sha256(c_bytes).digest()
    okm = hkdf(fixed_width(r, public_key.byte_length), salt=salt, info=info, length=64)
    return okm[:32], okm[32:]
