"""What a member acts with when it asks others for something: its chain, store, keys, and whom it
knows.
"""

from __future__ import annotations

from offchain.chain.gateway import ChainGateway
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.storage import ContentStore


class Acting:
    """One kind of what a member does in its own name."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._keys = keys
        self._directory = directory
