"""A data set's files as its node notes them, the manifest last: stored again as the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from offchain.node.store import NodeStore, StoredDataSet
from offchain.storage import Cid, ContentStore


def note(held: NodeStore, data_set_id: bytes, cids: Sequence[Cid], files: Sequence[bytes]) -> None:
    """Note which files a data set has, before it is journaled."""
    lengths = map(len, files)
    noted_files = [[str(cid), length] for cid, length in zip(cids, lengths, strict=True)]
    held.remember(_name(data_set_id), json.dumps(noted_files).encode())


def noted(held: NodeStore, stored: StoredDataSet) -> list[tuple[str, int]]:
    """Return CIDs and lengths of the files."""
    found = held.recall(_name(stored.data_set_id)) or b"[]"
    return [(cid, length) for cid, length in json.loads(found)]


def put_all(store: ContentStore, held: NodeStore, stored: StoredDataSet) -> list[Cid]:
    """Store all files, the same bytes at each call.

    Raises ObjectNotFound for one that the store never had or has lost, and as `store.put_all`.
    """
    *others, _ = noted(held, stored)
    files = [store.get(cid, max_bytes=length) for cid, length in others]
    return store.put_all([*files, stored.manifest], lasting=True)


def _name(data_set_id: bytes) -> str:
    return f"files:{data_set_id.hex()}"
