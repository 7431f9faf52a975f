"""Hash to G1: suite BN254G1_XMD:SHA-256_SVDW_RO_ (RFC 9380, as gnark-crypto)."""

import hashlib

import gmpy2

from offchain.crypto.curve import FIELD_PRIME, G1, add
from offchain.crypto.encoding import any_bytes
from offchain.errors import EncodingError

_BLOCK_BYTES = 64
_DIGEST_BYTES = 32
_FIELD_BYTES = 48  # L: (254 + 128 bits of slack) / 8, rounded up


def expand_message_xmd(message: bytes, *, tag: bytes, length: int) -> bytes:
    """Expand a message to `length` uniform bytes under a domain tag (RFC 9380 §5.3.1).

    Raises EncodingError when the tag is not 1..255 bytes or length not 1..255·32.
    """
    message, tag = any_bytes(message, name="the message"), any_bytes(tag, name="the tag")
    blocks = -(-length // _DIGEST_BYTES)
    if not 1 <= len(tag) <= 255 or not 1 <= blocks <= 255:
        raise EncodingError("the tag must be 1..255 bytes and the length 1..8160")
    suffix = tag + bytes([len(tag)])
    head = bytes(_BLOCK_BYTES) + message + length.to_bytes(2, "big") + b"\0" + suffix
    first = hashlib.sha256(head).digest()
    block = hashlib.sha256(first + b"\x01" + suffix).digest()
    output = block
    for index in range(2, blocks + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = hashlib.sha256(mixed + bytes([index]) + suffix).digest()
        output += block
    return output[:length]


def hash_to_field(message: bytes, *, tag: bytes, count: int = 2) -> list[int]:
    """Hash a message to `count` elements of the base field (RFC 9380 §5.2, m = 1, L = 48)."""
    uniform = expand_message_xmd(message, tag=tag, length=count * _FIELD_BYTES)
    chunks = (uniform[i : i + _FIELD_BYTES] for i in range(0, len(uniform), _FIELD_BYTES))
    return [int.from_bytes(chunk, "big") % FIELD_PRIME for chunk in chunks]


def _square_root(value: int) -> int:
    return int(gmpy2.powmod(value, (FIELD_PRIME + 1) // 4, FIELD_PRIME))


def _is_square(value: int) -> bool:
    return gmpy2.legendre(value, FIELD_PRIME) != -1


def _curve_rhs(x: int) -> int:
    return (x * x * x + 3) % FIELD_PRIME


def _even_root(value: int) -> int:
    root = _square_root(value)
    return root if root % 2 == 0 else FIELD_PRIME - root


# RFC 9380 §6.6.1 for y² = x³ + 3 with Z = 1: g(Z) = 4 and 3Z² + 4A = 3.
_Z = 1
_C1 = 4
_C2 = -pow(2, -1, FIELD_PRIME) % FIELD_PRIME
_C3 = _even_root(-12 % FIELD_PRIME)
_C4 = -16 * pow(3, -1, FIELD_PRIME) % FIELD_PRIME


def map_to_curve(u: int) -> G1:
    """Map a field element to a point: Shallue–van de Woestijne (RFC 9380 §6.6.1). Total."""
    tv1 = u * u * _C1 % FIELD_PRIME
    tv2 = (1 + tv1) % FIELD_PRIME
    tv1 = (1 - tv1) % FIELD_PRIME
    tv3 = tv1 * tv2 % FIELD_PRIME
    tv3 = int(gmpy2.invert(tv3, FIELD_PRIME)) if tv3 else 0
    tv4 = u * tv1 % FIELD_PRIME * tv3 % FIELD_PRIME * _C3 % FIELD_PRIME
    x3 = tv2 * tv2 % FIELD_PRIME * tv3 % FIELD_PRIME
    x3 = (x3 * x3 % FIELD_PRIME * _C4 + _Z) % FIELD_PRIME
    candidates = ((_C2 - tv4) % FIELD_PRIME, (_C2 + tv4) % FIELD_PRIME)
    x = next((value for value in candidates if _is_square(_curve_rhs(value))), x3)
    y = _square_root(_curve_rhs(x))
    return G1(x, y if y % 2 == u % 2 else FIELD_PRIME - y)


def hash_to_curve(message: bytes, *, tag: bytes) -> G1:
    """Hash a message to G1 under a domain tag, as a random oracle (RFC 9380 §3)."""
    first, second = hash_to_field(message, tag=tag)
    return add(map_to_curve(first), map_to_curve(second))


# The second generator: hash_to_curve(b"second generator") under the GENERATOR tag (a test
# recomputes it), so nobody knows its logarithm.
H = G1(
    0x071A7DDD2500A2BE14D9DBA234FCBE87A93EAA36CBCA2F83D662C6130DEB7F96,
    0x1EBC8824CDEF17686F3221DB7799A8A98E32B3BCD956B632377EF0D620C72EF1,
)
