"""The port: what every content store promises, whatever keeps the bytes."""

from collections.abc import Sequence
from typing import Protocol, Self, runtime_checkable

from offchain.storage.cid import Cid


@runtime_checkable
class ContentStore(Protocol):
    """Keep objects under the identifier that follows from their bytes.

    Promises: equal bytes have equal identifiers in every store; nothing is returned whose digest
    was not recomputed; what `put` returned is durable, pinned and was read back. `cid` is the text
    or the 32-byte digest.
    """

    def put(self, data: bytes, *, lasting: bool = False) -> Cid:
        """Store, pin, read back and check `data`; idempotent. `lasting`: kept until it is let go
        by name, else for the store's retention.

        Raises ObjectTooLarge, ObjectCorrupt (other bytes came back), PinMissing, StoreUnavailable.
        """

    def put_all(self, objects: Sequence[bytes], *, lasting: bool = False) -> list[Cid]:
        """Store objects that belong together, in one go where the store can; else as `put`.

        They are kept and let go together, in this order. Raises as `put`.
        """

    def stage(self, objects: Sequence[bytes]) -> list[Cid]:
        """Make objects durable on this machine where the store has a place for that, and nothing
        else: so their bytes are safe before anything depends on them. Else as `put_all`.

        What is staged and not put within a week may be forgotten.
        """

    def get(self, cid: str | bytes, *, max_bytes: int) -> bytes:
        """Return the object's bytes, at most `max_bytes`; nothing longer is read into memory.

        Raises CidInvalid, ObjectNotFound, ObjectTooLarge, ObjectCorrupt, StoreUnavailable.
        """

    def has(self, cid: str | bytes) -> bool:
        """Tell whether every block of the object is in this store itself (no network search)."""

    def is_pinned(self, cid: str | bytes) -> bool:
        """Tell whether every block of the object is here and safe from garbage collection."""

    def unpin(self, *cids: str | bytes) -> None:
        """Let objects go, those put together together: their blocks may be removed at any time.
        Idempotent.
        """

    def close(self) -> None:
        """Release connections; the store cannot be used afterwards."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...
