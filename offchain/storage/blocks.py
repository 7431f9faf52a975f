"""How an object is cut into blocks and put together again (docs/formats.md §6).

Up to 256 KiB an object is one raw block. A larger one is blocks of exactly 256 KiB (the last one
shorter) listed by an index block: ``"DMSMIDX1" ‖ uint64 total length ‖ SHA-256 of each block``.
Both directions accept one form only, so equal bytes have equal identifiers in every store.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.storage.errors import ObjectCorrupt, ObjectMalformed, ObjectTooLarge

BLOCK_BYTES = 256 * 1024
INDEX_TAG = b"DMSMIDX1"
_HEAD_BYTES = len(INDEX_TAG) + 8
_DIGEST_BYTES = 32
MAX_OBJECT_BYTES = (BLOCK_BYTES - _HEAD_BYTES) // _DIGEST_BYTES * BLOCK_BYTES


@dataclass(frozen=True)
class CutObject:
    """The root block (the object itself, or its index) and the blocks that the index lists."""

    root: bytes
    blocks: Sequence[bytes]


@dataclass(frozen=True)
class Index:
    """What an index block says: the object's length in bytes and its blocks' digests, in order."""

    total_bytes: int
    digests: tuple[bytes, ...]

    def block_bytes(self, position: int) -> int:
        """Return the exact length that block `position` must have."""
        return min(BLOCK_BYTES, self.total_bytes - position * BLOCK_BYTES)


def cut(data: bytes) -> CutObject:
    """Cut an object into its root block and listed blocks.

    Raises ObjectTooLarge above MAX_OBJECT_BYTES (one index block), ObjectCorrupt for a small object
    that begins like an index: a reader could not tell it from one.
    """
    if len(data) <= BLOCK_BYTES:
        if data[: len(INDEX_TAG)] == INDEX_TAG:
            raise ObjectCorrupt(
                f"an object may not begin with {INDEX_TAG!r}, an index's tag; wrap it"
            )
        return CutObject(root=bytes(data), blocks=())
    if len(data) > MAX_OBJECT_BYTES:
        raise ObjectTooLarge(f"{len(data)} bytes, at most {MAX_OBJECT_BYTES} fit; split the object")
    view = memoryview(data)
    blocks = tuple(bytes(view[at : at + BLOCK_BYTES]) for at in range(0, len(data), BLOCK_BYTES))
    digests = b"".join(hashlib.sha256(block).digest() for block in blocks)
    return CutObject(root=INDEX_TAG + len(data).to_bytes(8, "big") + digests, blocks=blocks)


def read_index(root: bytes) -> Index | None:
    """Return the index in a root block, or None when the block is an object by itself.

    Raises ObjectMalformed for a block that begins like an index and is not in the one form that
    `cut` writes.
    """
    if root[: len(INDEX_TAG)] != INDEX_TAG:
        return None
    total = int.from_bytes(root[len(INDEX_TAG) : _HEAD_BYTES], "big")
    count = -(-total // BLOCK_BYTES)
    if total <= BLOCK_BYTES or len(root) != _HEAD_BYTES + count * _DIGEST_BYTES:
        raise ObjectMalformed(f"an index of {len(root)} bytes does not fit an object of {total}")
    cuts = range(_HEAD_BYTES, len(root), _DIGEST_BYTES)
    return Index(total_bytes=total, digests=tuple(root[at : at + _DIGEST_BYTES] for at in cuts))
