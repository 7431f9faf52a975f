"""The few questions about a Kubo node itself; content goes through `offchain.storage`."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import requests

_TIMEOUT_S = 10.0


class KuboRpc:
    """A Kubo node's RPC at `url`, on this machine."""

    def __init__(self, url: str) -> None:
        """Prepare; nothing is asked yet."""
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy has no business with a local node

    def answers(self) -> bool:
        """Whether the daemon is up."""
        try:
            self.ask("version")
        except requests.RequestException:
            return False
        return True

    def peers(self) -> int:
        """Return how many nodes of the swarm it is connected to."""
        return len(self.ask("swarm/peers").get("Peers") or [])

    def pins(self) -> int:
        """Return how many objects it holds against garbage collection."""
        return len(self.ask("pin/ls", type="recursive").get("Keys") or {})

    def disk_bytes(self) -> int:
        """Return the size of its blocks."""
        return int(self.ask("repo/stat", **{"size-only": "true"})["RepoSize"])

    def connect(self, address: str) -> None:
        """Connect to a peer; one that is not up yet will connect by itself later."""
        with suppress(requests.RequestException):
            self.ask("swarm/connect", arg=address)

    def ask(self, command: str, **options: str) -> dict[str, Any]:
        """Return the answer to one RPC command. Raises requests.RequestException."""
        answer = self._session.post(
            f"{self._url}/api/v0/{command}", params=options, timeout=_TIMEOUT_S
        )
        answer.raise_for_status()
        return answer.json()
