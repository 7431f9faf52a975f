"""Merkle trees of RFC 9162 §2.1 with SHA-256, as the contracts verify them."""

import hashlib
from collections.abc import Sequence

from offchain.crypto.encoding import is_integer
from offchain.errors import MerkleError

HASH_BYTES = 32


def leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf: SHA256(0x00 ‖ leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """Return the largest power of two below `size` (size >= 2)."""
    return 1 << (size - 1).bit_length() - 1


def _root(hashes: Sequence[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    middle = _split(len(hashes))
    return _node_hash(_root(hashes[:middle]), _root(hashes[middle:]))


def root(leaves: Sequence[bytes]) -> bytes:
    """Compute the root over one or more leaves. Raises MerkleError for none."""
    if not leaves:
        raise MerkleError("an empty tree has no root here; pass at least one leaf")
    return _root([leaf_hash(leaf) for leaf in leaves])


def prove(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Build the inclusion proof of leaf `index` (from 0): siblings from the leaf to the root.

    Raises MerkleError when there is no such leaf.
    """
    if not is_integer(index) or not 0 <= index < len(leaves):
        raise MerkleError(f"there is no leaf {index} in a tree of {len(leaves)}")
    hashes = [leaf_hash(leaf) for leaf in leaves]
    proof: list[bytes] = []
    while len(hashes) > 1:
        middle = _split(len(hashes))
        left, right = hashes[:middle], hashes[middle:]
        proof.append(_root(right if index < middle else left))
        hashes, index = (left, index) if index < middle else (right, index - middle)
    return proof[::-1]


def verify_inclusion(
    leaf: bytes, proof: Sequence[bytes], *, index: int, size: int, root: bytes
) -> bool:
    """Tell whether `leaf` is leaf `index` of the tree of `size` leaves (RFC 9162 §2.1.3.2)."""
    if not (is_integer(index) and is_integer(size) and 0 <= index < size):
        return False
    if not all(isinstance(item, bytes) and len(item) == HASH_BYTES for item in proof):
        return False
    last, computed = size - 1, leaf_hash(leaf)
    for sibling in proof:
        if last == 0:
            return False
        if index & 1 or index == last:
            computed = _node_hash(sibling, computed)
            while index & 1 == 0:  # the last of an odd row moved up unpaired
                index, last = index >> 1, last >> 1
        else:
            computed = _node_hash(computed, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and computed == root
