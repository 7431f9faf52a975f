"""What can go wrong in a content store, by name.

::

    StorageError
    ├── CidInvalid         not a CID (or digest) that this project writes
    ├── ObjectNotFound     nobody asked has it
    ├── ObjectTooLarge     longer than the caller is ready to read, or than an index can list
    ├── ObjectCorrupt      bytes whose digest is not the one asked for
    │   └── ObjectMalformed   the bytes asked for, but no object: a malformed index
    ├── PinMissing         stored, but the store would let garbage collection take it
    └── StoreUnavailable   the store itself does not answer or cannot write
        └── CopiesMissing  kept here, but on fewer stores than there shall be
"""

from offchain.errors import StorageError


class CidInvalid(StorageError):
    """The text or digest is not a CIDv1, raw, sha2-256, base32 identifier."""


class ObjectNotFound(StorageError):
    """The store has no block for this identifier."""


class ObjectTooLarge(StorageError):
    """The object is longer than the limit that was given."""


class ObjectCorrupt(StorageError):
    """The bytes do not have the digest they were asked for, or an index is malformed."""


class ObjectMalformed(ObjectCorrupt):
    """The bytes are the ones asked for, and their index is malformed: no store has better ones."""


class PinMissing(StorageError):
    """A block was written, but the store does not report it as pinned."""


class StoreUnavailable(StorageError):
    """The store does not answer, refuses, or cannot write."""


class CopiesMissing(StoreUnavailable):
    """Fewer stores than required hold the object; it is owed to the others and sent later."""


def says_nothing(error: BaseException | None) -> bool:
    """Whether the store that was asked failed, so that nothing follows about the object itself.

    Its own bytes are spoilt or it does not answer; a malformed index is the object's own fault.
    """
    is_spoilt = isinstance(error, ObjectCorrupt) and not isinstance(error, ObjectMalformed)
    return is_spoilt or isinstance(error, StoreUnavailable)
