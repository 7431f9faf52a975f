"""A Paillier key with the proofs that it is well formed: one file, one digest on chain.

    key file = public key ("DMP1" …) ‖ "DMZ1" ‖ blum_proof ‖ factor_proof

All lengths follow from the key's; both proofs are bound to chain, registry and account. Some 55 KiB
at 3072 bits. Made again from the private key it is the same, byte for byte.
"""

import hashlib
from functools import lru_cache

from offchain.crypto import blum_proof, factor_proof
from offchain.crypto.modulus import DEFAULT_BITS
from offchain.crypto.paillier_keys import PaillierPrivateKey, PaillierPublicKey
from offchain.crypto.proof_hash import KeyContext
from offchain.errors import EncodingError, InvalidKeyError

__all__ = ["MAX_BYTES", "KeyContext", "digest", "make", "read"]

PROOFS_MAGIC = b"DMZ1"
MAX_BYTES = 1 << 18
_KEY_HEADER_BYTES = 6
_KEPT = 64
_made: dict[bytes, bytes] = {}


def make(private_key: PaillierPrivateKey, context: KeyContext) -> bytes:
    """Make the file of one's own key. Takes some 0.3 s at 3072 bits, once a process.

    Raises InvalidKeyError for a key whose primes are not 3 modulo 4: keys made by
    `generate_private_key` are.
    """
    key = private_key.public_key.to_bytes()
    name = context.seed(b"FILE", key)
    if name not in _made:  # all of it is public, and takes 56 KB
        p, q = private_key._p, private_key._q
        proofs = blum_proof.prove(p, q, context) + factor_proof.prove(p, q, context)
        while len(_made) >= _KEPT:
            _made.pop(next(iter(_made)))
        _made[name] = key + PROOFS_MAGIC + proofs
    return _made[name]


def digest(file: bytes) -> bytes:
    """Return SHA-256 of the file: what the registry stores."""
    return hashlib.sha256(file).digest()


def read(
    file: bytes, context: KeyContext, *, bits: int | None = DEFAULT_BITS, allow_small: bool = False
) -> PaillierPublicKey:
    """Read a key and verify its proofs. Takes some 0.1 s at 3072 bits; the last 64 are remembered.

    Raises EncodingError for bytes that are not canonical, InvalidKeyError for a key that is
    refused or proofs that do not hold for it in this context.
    """
    if not isinstance(file, bytes) or not _KEY_HEADER_BYTES < len(file) <= MAX_BYTES:
        raise EncodingError(f"a Paillier key file is more than a header, at most {MAX_BYTES} bytes")
    return _verified(file, context, bits, allow_small)


@lru_cache(maxsize=_KEPT)  # a refusal is an exception, which is not kept
def _verified(
    file: bytes, context: KeyContext, bits: int | None, allow_small: bool
) -> PaillierPublicKey:
    end = _KEY_HEADER_BYTES + int.from_bytes(file[4:_KEY_HEADER_BYTES], "big")
    public_key = PaillierPublicKey.from_bytes(file[:end], bits=bits, allow_small=allow_small)
    start = end + len(PROOFS_MAGIC)
    middle = start + blum_proof.proof_length(public_key.byte_length)
    if file[end:start] != PROOFS_MAGIC:
        raise EncodingError("the Paillier key file has no proofs; its owner must publish them")
    if len(file) != middle + factor_proof.proof_length(public_key.n):
        raise EncodingError("the proofs of a Paillier key have a wrong length")
    n = public_key.n
    if not blum_proof.verify(n, file[start:middle], context, allow_small=allow_small):
        raise InvalidKeyError("the modulus is not proven to be of two primes 3 modulo 4")
    if not factor_proof.verify(n, file[middle:], context):
        raise InvalidKeyError("the modulus is not proven to have two large factors")
    return public_key
