"""Search again, ever more rarely, for what nobody had: bytes may come later than their digest.

Anybody may name bytes on chain that do not exist, and each search for such costs seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from offchain.storage.errors import ObjectNotFound
from offchain.storage.port import ContentStore

_FIRST_S, _LAST_S = 0.5, 60.0
_MOST_MISSES = 10_000


@dataclass(frozen=True, slots=True)
class _Miss:
    """From when on to search again, how long that was waited for, and what the search said."""

    again_at: float
    waited_s: float
    why: str


class PatientSearch:
    """Read from a store what may not be there yet. One thread uses it."""

    def __init__(self, store: ContentStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._misses: dict[bytes, _Miss] = {}

    def get(self, digest: bytes, *, max_bytes: int) -> bytes:
        """Return an object. Raises what the store raises; ObjectNotFound also while the next search
        is not due: half a second after the first, then after twice as long, at most a minute.
        """
        miss = self._misses.get(digest)
        if miss is not None and self._clock() < miss.again_at:
            raise ObjectNotFound(miss.why)
        try:
            found = self._store.get(digest, max_bytes=max_bytes)
        except ObjectNotFound as error:
            self._note(digest, miss, str(error))
            raise
        self._misses.pop(digest, None)
        return found

    def _note(self, digest: bytes, before: _Miss | None, why: str) -> None:
        wait_s = _FIRST_S if before is None else min(2 * before.waited_s, _LAST_S)
        self._misses.pop(digest, None)
        while len(self._misses) >= _MOST_MISSES:
            del self._misses[next(iter(self._misses))]
        self._misses[digest] = _Miss(self._clock() + wait_s, wait_s, why)
