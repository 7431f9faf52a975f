"""Read what was brought to a case: from one's own store, opened with one's own key.

Anybody concerned may name bytes that nobody has, and each search for such costs seconds: what was
missing is searched for again every few minutes, and once when the judges' patience ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from dataclasses import dataclass

from offchain.audit.evidence import open_evidence
from offchain.chain.gateway import ChainGateway
from offchain.errors import StorageError
from offchain.member.cases import Brought, Case, CaseBook
from offchain.member.errors import EvidenceUnreadable
from offchain.member.keys import MemberKeys
from offchain.records.evidence import Evidence
from offchain.storage import ContentStore
from offchain.storage.errors import says_nothing
from offchain.types import Account

RETRY_S = 180.0


@dataclass(frozen=True, slots=True)
class _Miss:
    """When bytes were missing: by one's own clock, and whether patience had ended by then."""

    at_s: float
    is_late: bool
    why: str


class ShownEvidence:
    """The evidence of cases as one judge can read it.

    clock: counts seconds and never goes back.
    """

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        cases: CaseBook,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._keys = keys
        self._cases = cases
        self._clock = clock
        self._misses: dict[tuple[bytes, Brought], _Miss] = {}

    def read(
        self, case: Case, heard: Container[Account], is_enough: Callable[[Evidence], bool]
    ) -> tuple[list[tuple[Account, Evidence]], list[str]]:
        """Return the documents of who is heard, in the order of the chain, and what is unread.

        Nothing is read behind the first document that is enough. Raises StoreUnavailable, and
        ObjectCorrupt for what one's own store has spoilt.
        """
        documents: list[tuple[Account, Evidence]] = []
        unread = []
        for brought in self._cases.brought(case.lock_id):
            if brought.by not in heard:
                continue
            try:
                documents.append((brought.by, self._read(case, brought)))
            except EvidenceUnreadable as error:
                unread.append(str(error))
                continue
            if is_enough(documents[-1][1]):
                break
        return documents, unread

    def forget_all_but(self, lock_ids: Container[bytes]) -> None:
        """Forget what was missing in other cases."""
        self._misses = {key: miss for key, miss in self._misses.items() if key[0] in lock_ids}

    def _read(self, case: Case, brought: Brought) -> Evidence:
        return open_evidence(
            self._fetch(case, brought),
            lock_id=case.lock_id,
            by=brought.by,
            keys=self._keys,
            gateway=self._gateway,
        )

    def _fetch(self, case: Case, brought: Brought) -> bytes:
        key, is_late = (case.lock_id, brought), self._gateway.now() >= case.patient_until
        miss = self._misses.get(key)
        if miss is not None and not self._is_due(miss, is_late):
            raise EvidenceUnreadable(miss.why)
        try:
            data = self._store.get(brought.digest, max_bytes=brought.length)
        except StorageError as error:
            if says_nothing(error):
                raise
            why = f"the evidence of {brought.by} cannot be had: {error}"
            self._misses[key] = _Miss(self._clock(), is_late, why)
            raise EvidenceUnreadable(why) from error
        self._misses.pop(key, None)
        return data

    def _is_due(self, miss: _Miss, is_late: bool) -> bool:
        return self._clock() - miss.at_s >= RETRY_S or (is_late and not miss.is_late)
