"""Content-addressed storage: one port, an embedded directory store, and Kubo (IPFS)."""

from offchain.storage.cid import Cid
from offchain.storage.directory import DirectoryStore
from offchain.storage.errors import StoreUnavailable
from offchain.storage.port import ContentStore

__all__ = ["Cid", "ContentStore", "open_store"]


def open_store(url: str, *, timeout_s: float = 10.0) -> ContentStore:
    """Open the content store named by `url`.

    ``dir:/path`` is a folder (made when missing), ``http://host:port`` the RPC of a Kubo daemon;
    `timeout_s` bounds one answer of the latter. Raises StoreUnavailable for any other form.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "dir" and rest:
        return DirectoryStore(rest)
    if scheme in ("http", "https"):
        from offchain.storage.kubo import (
            KuboStore,  # the directory store alone needs no IPFS client
        )

        return KuboStore(url, timeout_s=timeout_s)
    raise StoreUnavailable(f"unknown content store {url!r}; write dir:/path or http://host:port")
