"""Objects over blocks: what both stores share, so that both give the same identifiers."""

from abc import ABC, abstractmethod
from typing import Self

from offchain.storage.blocks import BLOCK_BYTES, Index, cut, read_index
from offchain.storage.cid import Cid
from offchain.storage.errors import (
    ObjectCorrupt,
    ObjectMalformed,
    ObjectNotFound,
    ObjectTooLarge,
    PinMissing,
)


class BlockBackedStore(ABC):
    """A ContentStore made of five operations on single blocks."""

    @abstractmethod
    def _write_block(self, cid: Cid, data: bytes) -> None:
        """Store and pin one block durably; idempotent."""

    @abstractmethod
    def _read_block(self, cid: Cid, max_bytes: int) -> bytes:
        """Return at most ``max_bytes + 1`` bytes of a block; ObjectNotFound when there is none."""

    @abstractmethod
    def _has_block(self, cid: Cid) -> bool: ...

    @abstractmethod
    def _is_block_pinned(self, cid: Cid) -> bool: ...

    @abstractmethod
    def _unpin_block(self, cid: Cid) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    def put(self, data: bytes) -> Cid:
        """Store, pin, read back and check `data`; see ContentStore."""
        whole = cut(data)
        # The index goes last: whoever finds it finds its blocks.
        for block in (*whole.blocks, whole.root):
            cid = Cid.of_block(block)
            self._write_block(cid, block)
            self._checked_block(cid, len(block))
            if not self._is_block_pinned(cid):
                raise PinMissing(f"{cid} was written but is not pinned; put it again")
        return cid

    def get(self, cid: str | bytes, *, max_bytes: int) -> bytes:
        """Return the object's bytes, checked block by block; see ContentStore."""
        root_cid = Cid.of(cid)
        # A valid index is shorter than its object, so the object's limit bounds the root block too.
        root = self._checked_block(root_cid, min(max_bytes, BLOCK_BYTES))
        index = read_index(root)
        if index is None:
            return root
        if index.total_bytes > max_bytes:
            raise ObjectTooLarge(
                f"{root_cid} has {index.total_bytes} bytes, the limit is {max_bytes}"
            )
        return b"".join(
            self._listed_block(index, position) for position in range(len(index.digests))
        )

    def has(self, cid: str | bytes) -> bool:
        """Tell whether every block is in this store itself; see ContentStore."""
        return all(self._has_block(block) for block in self._local_blocks(Cid.of(cid)))

    def is_pinned(self, cid: str | bytes) -> bool:
        """Tell whether every block is here and pinned; see ContentStore."""
        return all(self._is_block_pinned(block) for block in self._local_blocks(Cid.of(cid)))

    def unpin(self, cid: str | bytes) -> None:
        """Let the object's blocks go; see ContentStore. Blocks of another object go too."""
        for block in reversed(
            self._local_blocks(Cid.of(cid))
        ):  # the index last: a second try still knows the blocks
            self._unpin_block(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _local_blocks(self, cid: Cid) -> list[Cid]:
        """Return the root and the listed blocks, as far as the local root block tells."""
        if not self._has_block(cid):
            return [cid]
        try:
            index = read_index(self._checked_block(cid, BLOCK_BYTES))
        except ObjectNotFound:  # removed since the look above
            return [cid]
        return [cid] if index is None else [cid, *map(Cid.from_digest, index.digests)]

    def _listed_block(self, index: Index, position: int) -> bytes:
        cid, length = Cid.from_digest(index.digests[position]), index.block_bytes(position)
        block = self._checked_block(cid, length)
        if len(block) != length:
            raise ObjectMalformed(
                f"block {position} ({cid}) has {len(block)} bytes, its index says {length}"
            )
        return block

    def _checked_block(self, cid: Cid, max_bytes: int) -> bytes:
        data = self._read_block(cid, max_bytes)
        if len(data) > max_bytes:
            raise ObjectTooLarge(f"{cid} is longer than the limit of {max_bytes} bytes")
        if Cid.of_block(data) != cid:
            raise ObjectCorrupt(
                f"the store returned other bytes for {cid}; fetch it from another node"
            )
        return data
