"""The public owners' list of a published data set, checked against what was published."""

from __future__ import annotations

from offchain.errors import FormatError, StorageError
from offchain.member.data_sets import PublishedDataSet
from offchain.member.errors import DataSetInvalid, DataSetNotServed
from offchain.records import owners
from offchain.records.owners import OwnedRows
from offchain.storage import ContentStore


def owned_rows(store: ContentStore, published: PublishedDataSet) -> tuple[OwnedRows, ...]:
    """Return how many rows each device has in a data set.

    Raises DataSetNotServed while nobody serves the list, DataSetInvalid when it is not the one
    whose root was published: then no leaf of it can be proven.
    """
    length = owners.length_of(published.device_count)
    try:
        data = store.get(published.owners_digest, max_bytes=length)
    except StorageError as error:
        raise DataSetNotServed(f"its owners' list cannot be had: {error}") from error
    try:
        owned = owners.decode(data)
        is_same = owners.root(owned) == published.owners_root
    except FormatError as error:
        raise DataSetInvalid(f"its owners' list is malformed: {error}") from error
    if not is_same or len(owned) != published.device_count:
        raise DataSetInvalid("its owners' list has another root than was published")
    return owned
