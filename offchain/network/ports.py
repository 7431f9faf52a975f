"""Free ports for nodes that must have fixed ones."""

from __future__ import annotations

import random
import socket
from collections.abc import Collection

from offchain.network.errors import PlanInvalid

# Below the range from which systems take ports for outgoing connections, or one of those would sit
# on a port between its choice and the node's start.
LOWEST, HIGHEST = 20_000, 32_000
_ATTEMPTS = 2_000
_given: set[int] = set()  # by this process: nobody listens there until its node starts


def free_ports(count: int, *, host: str = "127.0.0.1", avoid: Collection[int] = ()) -> list[int]:
    """Return `count` different ports that nobody listens on at `host`, none that was returned
    before, and none of `avoid`. Raises PlanInvalid.
    """
    found: list[int] = []
    for _ in range(_ATTEMPTS):
        if len(found) == count:
            _given.update(found)
            return found
        port = random.randrange(LOWEST, HIGHEST)
        if port not in {*found, *avoid, *_given} and is_free(port, host=host):
            found.append(port)
    raise PlanInvalid(f"found no {count} free ports between {LOWEST} and {HIGHEST} at {host}")


def is_free(port: int, *, host: str = "127.0.0.1") -> bool:
    """Whether a program could listen on `port` at `host` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
