"""The devices that a node serves, as the chain says it, remembered for a few seconds."""

import threading
import time
from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.crypto.curve import G2
from offchain.node.refusal import not_a_device
from offchain.types import Account, Role

CACHE_S = 5.0
_MAX_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class _Found:
    until: float
    bls_key: G2 | None  # None: no active device of the region


class Region:
    """Look devices of the region of `processor` up on chain, at most once in `cache_s` seconds."""

    def __init__(
        self, gateway: ChainGateway, processor: Account, *, cache_s: float = CACHE_S
    ) -> None:
        self._gateway = gateway
        self._processor = processor
        self._cache_s = cache_s
        self._cached: dict[Account, _Found] = {}
        self._lock = threading.Lock()

    def bls_key(self, device: Account) -> G2:
        """Return the BLS key of an active device of the region. Raises IntakeRefused (403)."""
        now = time.monotonic()
        with self._lock:
            found = self._cached.get(device)
        if found is None or found.until < now:
            found = _Found(now + self._cache_s, self._look_up(device))
            with self._lock:
                if len(self._cached) >= _MAX_CACHED:
                    self._cached.clear()
                self._cached[device] = found
        if found.bls_key is None:
            raise not_a_device(device)
        return found.bls_key

    def may_start_at(self, device: Account, seq: int) -> bool:
        """Whether all below a seq is anchored and final, and a batch begins, or will, with it."""
        next_seq, anchor = self._gateway.call_many(
            [
                ("DataLedger", "nextSeqOf", (device,)),
                ("DataLedger", "anchorOf", (device, seq)),
            ],
            self._gateway.final(),
        )
        return int(next_seq) == seq or bytes(anchor) != bytes(32)

    def _look_up(self, device: Account) -> G2 | None:
        (profile, active), (role, region) = self._gateway.call_many(
            [
                ("MemberRegistry", "memberOf", (device,)),
                ("MemberRegistry", "activeRoleOf", (self._processor,)),
            ]
        )
        serves = role == Role.PROCESSOR and bytes(profile[1]) == bytes(region)
        if not active or profile[0] != Role.DEVICE or not serves:
            return None
        return G2.from_words(profile[5])
