"""Content-addressed storage: one port, an embedded directory store, Kubo (IPFS), and several of
them as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from offchain.storage.cid import Cid
from offchain.storage.directory import DirectoryStore
from offchain.storage.errors import StoreUnavailable
from offchain.storage.port import ContentStore

if TYPE_CHECKING:
    from offchain.storage.objects import BlockBackedStore

__all__ = ["Cid", "ContentStore", "open_copied_store", "open_store"]

_SECOND_SEARCH_S = 2.0


def open_copied_store(
    urls: Sequence[str],
    folder: Path,
    *,
    copies: int | None = None,
    keep_days: int = 400,
    timeout_s: float = 10.0,
) -> ContentStore:
    """Open the stores of a member as one, with its own copies in `folder`.

    `urls` are as for `open_store`, the member's own first: the others search among their peers for
    a shorter time. copies: how many must have an object before it counts as put (two, or one where
    there is one). keep_days: how long what is not lasting is kept. A folder alone (``dir:``) needs
    nothing beside itself and is opened as such. Raises StoreUnavailable.
    """
    from offchain.storage.copies import CopiedStore

    if len(urls) == 1 and urls[0].startswith("dir:"):
        return open_store(urls[0])
    stores = {
        url: _open(url, timeout_s=min(timeout_s, _SECOND_SEARCH_S) if number else timeout_s)
        for number, url in enumerate(urls)
    }
    return CopiedStore(
        stores,
        folder,
        copies=min(2, len(stores)) if copies is None else copies,
        keep_s=keep_days * 86_400,
    )


def open_store(url: str, *, timeout_s: float = 10.0) -> BlockBackedStore:
    """Open the content store named by `url`.

    ``dir:/path`` is a folder (made when missing), ``http://host:port`` the RPC of a Kubo daemon;
    `timeout_s` bounds one answer of the latter. Raises StoreUnavailable for any other form.
    """
    return _open(url, timeout_s=timeout_s, may_be_away=False)


def _open(url: str, *, timeout_s: float, may_be_away: bool = True) -> BlockBackedStore:
    scheme, _, rest = url.partition(":")
    if scheme == "dir" and rest:
        return DirectoryStore(rest, may_be_away=may_be_away)
    if scheme in ("http", "https"):
        from offchain.storage.kubo import (
            KuboStore,  # the directory store alone needs no IPFS client
        )

        return KuboStore(url, timeout_s=timeout_s)
    raise StoreUnavailable(f"unknown content store {url!r}; write dir:/path or http://host:port")
