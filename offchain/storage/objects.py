"""Objects over blocks: what both stores share, so that both give the same identifiers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from enum import StrEnum
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


def blocks_of_object(data: bytes) -> Sequence[bytes]:
    """Return an object's blocks in the order in which they are put: whoever finds the index, which
    is the last, finds its blocks.
    """
    whole = cut(data)
    return (*whole.blocks, whole.root)


def blocks_of_group(objects: Iterable[Sequence[bytes]]) -> dict[Cid, bytes]:
    """Return the blocks of what is put together, given as the blocks of each object: each block
    once, in the order of the group's tree.
    """
    return {Cid.of_block(block): block for blocks in objects for block in blocks}


class Condition(StrEnum):
    """What may be wrong with an object in a store."""

    MISSING = "missing"
    UNPINNED = "not pinned"
    DAMAGED = "damaged"


class BlockBackedStore(ABC):
    """A ContentStore made of a few operations on single blocks."""

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
    def _remove_block(self, cid: Cid) -> None:
        """Remove a block that nothing pins, at once."""

    @abstractmethod
    def is_up(self) -> bool:
        """Tell soon whether the store answers at all."""

    @abstractmethod
    def close(self) -> None: ...

    def put_all(self, objects: Sequence[bytes], *, lasting: bool = False) -> list[Cid]:
        """Store objects that belong together; see ContentStore."""
        return [self.put(data, lasting=lasting) for data in objects]

    def stage(self, objects: Sequence[bytes]) -> list[Cid]:
        """Make objects durable before anything depends on them; see ContentStore."""
        return self.put_all(objects)

    def put(self, data: bytes, *, lasting: bool = False) -> Cid:
        """Store, pin, read back and check `data`; see ContentStore."""
        for block in blocks_of_object(data):
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

    def get_here(self, cid: str | bytes, *, max_bytes: int) -> bytes:
        """As `get`, but ask nobody else for an object whose root is not in this store itself."""
        root = Cid.of(cid)
        if not self._has_block(root):
            raise ObjectNotFound(f"{root} is not in this store itself")
        return self.get(root, max_bytes=max_bytes)

    def has(self, cid: str | bytes) -> bool:
        """Tell whether every block is in this store itself; see ContentStore."""
        return all(self._has_block(block) for block in self._local_blocks(Cid.of(cid)))

    def is_pinned(self, cid: str | bytes) -> bool:
        """Tell whether every block is here and pinned; see ContentStore."""
        return all(self._is_block_pinned(block) for block in self._local_blocks(Cid.of(cid)))

    def unpin(self, *cids: str | bytes) -> None:
        """Let objects' blocks go; see ContentStore. Blocks of another object go too."""
        self._let_go(self._group_blocks([Cid.of(cid) for cid in cids]))

    def examine(self, *cids: str | bytes) -> dict[Cid, Condition]:
        """Return which of these objects are not in order here: every block is read and its pin
        looked up, and nothing is searched for elsewhere.

        Raises StoreUnavailable.
        """
        found = ((cid, self._condition(cid)) for cid in map(Cid.of, cids))
        return {cid: condition for cid, condition in found if condition is not None}

    def blocks_of(self, cid: str | bytes) -> list[Cid]:
        """Return the blocks of an object, the root first, as far as they are known here."""
        return self._sound_blocks(Cid.of(cid))

    def renew(self, objects: Sequence[bytes]) -> list[Cid]:
        """Put objects again after taking out what is damaged of them, pin and all."""
        cids = [Cid.of_object(data) for data in objects]
        if Condition.DAMAGED in self.examine(*cids).values():
            blocks = list(blocks_of_group(map(blocks_of_object, objects)))
            self._let_go(blocks)
            for block in blocks:
                if self._condition_of_block(block) is Condition.DAMAGED:
                    self._remove_block(block)
        return self.put_all(objects) if len(objects) > 1 else [self.put(one) for one in objects]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _condition(self, cid: Cid) -> Condition | None:
        for block in reversed(self._sound_blocks(cid)):
            if (condition := self._condition_of_block(block)) is not None:
                return condition
        return None

    def _condition_of_block(self, cid: Cid) -> Condition | None:
        if not self._has_block(cid):
            return Condition.MISSING
        try:
            self._checked_block(cid, BLOCK_BYTES)
        except (ObjectCorrupt, ObjectTooLarge):
            return Condition.DAMAGED
        except ObjectNotFound:  # removed since the look above
            return Condition.MISSING
        return None if self._is_block_pinned(cid) else Condition.UNPINNED

    def _let_go(self, blocks: Sequence[Cid]) -> None:
        """Unpin the blocks of what was put together, in the order in which they were put: an index
        comes behind its blocks, so that a second try still knows them.
        """
        for block in blocks:
            self._unpin_block(block)

    def _group_blocks(self, cids: Sequence[Cid]) -> list[Cid]:
        """Return the blocks of objects that were put together, each once, as far as they are here,
        in the order in which they were put.
        """
        ordered: dict[Cid, None] = {}
        for cid in cids:
            root, *blocks = self._sound_blocks(cid)
            ordered |= dict.fromkeys((*blocks, root))
        return list(ordered)

    def _local_blocks(self, cid: Cid) -> list[Cid]:
        """Return the root and the listed blocks, as far as the local root block tells."""
        if not self._has_block(cid):
            return [cid]
        try:
            index = read_index(self._checked_block(cid, BLOCK_BYTES))
        except ObjectNotFound:  # removed since the look above
            return [cid]
        return [cid] if index is None else [cid, *map(Cid.from_digest, index.digests)]

    def _sound_blocks(self, cid: Cid) -> list[Cid]:
        """As `_local_blocks`; a damaged root block stands alone."""
        try:
            return self._local_blocks(cid)
        except (ObjectCorrupt, ObjectTooLarge):
            return [cid]

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
