"""The answers to a household's requests: waited for, opened and audited (protocol §3)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from offchain.audit.answers import AuditReport, audit_answer
from offchain.audit.opened_answer import OpenedAnswer, open_answer
from offchain.chain.heads import POLL_S, head_or_none, wait_for_block
from offchain.errors import DmsmError
from offchain.household.whole_window import AuditedPart, WholeWindow
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.member.acting import Acting
from offchain.member.errors import AnswerNotReady, NotOnChain
from offchain.member.locks import LockBook
from offchain.member.request_notes import RequestNotes
from offchain.member.roles import LockState
from offchain.member.tariff_book import TariffBook
from offchain.storage.errors import StoreUnavailable

_log = logging.getLogger(__name__)
_CLAIM_POLL_S = 0.003  # once accepted, the claim is near
# NONE: a reorganisation took the request off the chain, and it comes back (or nobody asked).
_PENDING = (LockState.NONE, LockState.REQUESTED, LockState.ACCEPTED)


class Answers(Acting):
    """Open answers and check them; `type_names` says what each request type asks for. `own` is what
    `Acting` takes.
    """

    def __init__(
        self,
        *,
        index: ChainIndex,
        notes: RequestNotes,
        locks: LockBook,
        type_names: Mapping[int, str],
        tariffs: TariffBook,
        **own: Any,
    ) -> None:
        super().__init__(**own)
        self._index = index
        self._notes = notes
        self._locks = locks
        self._type_names = type_names
        self._tariffs = tariffs

    def open(self, lock_id: bytes) -> OpenedAnswer:
        """Open the answer once its factor was revealed. Raises AnswerNotReady, AnswerInvalid."""
        book = self._locks.as_of_now()
        return open_answer(
            book.lock(lock_id),
            gateway=self._gateway,
            store=self._store,
            keys=self._keys,
            directory=self._directory,
            book=book,
        )

    def wait(self, lock_id: bytes, *, timeout_s: float, poll_s: float = 0.5) -> OpenedAnswer:
        """Wait for the answer and open it; look at each new block, and every `poll_s` at least.

        Raises AnswerNotReady when the lock ended otherwise, or time is up; StoreUnavailable when no
        store answered until then, NotOnChain when the claim was off the chain.
        """
        give_up_at, fetching = time.monotonic() + timeout_s, None
        head, look_s = head_or_none(self._gateway), POLL_S
        while True:
            try:
                return self.open(lock_id)
            except AnswerNotReady as not_ready:
                if not_ready.state not in _PENDING or time.monotonic() >= give_up_at:
                    raise
                if fetching is None and not_ready.state is LockState.ACCEPTED:
                    fetching = threading.Thread(
                        target=self._fetch, args=(lock_id,), name="fetch-answer", daemon=True
                    )
                    fetching.start()
                    look_s = _CLAIM_POLL_S
            except (NotOnChain, StoreUnavailable, IndexBehind):  # taken off since, or down
                if time.monotonic() >= give_up_at:
                    raise
            head = wait_for_block(self._gateway, after=head, timeout_s=poll_s, poll_s=look_s)

    def audit_parts(self, lock_ids: Sequence[bytes]) -> list[AuditedPart]:
        """Audit the answers to several requests, each by itself."""
        return [
            AuditedPart(lock_id, self._locks.lock(lock_id).payee, self._notes.read(lock_id), report)
            for lock_id in lock_ids
            for report in [self.audit(lock_id)]
        ]

    def whole(self, parts: Sequence[AuditedPart]) -> WholeWindow:
        """Put audited answers together, from whose readings one bill, or advice, can be made.

        Raises MemberError for answers that are not of one question, or leave days between them.
        """
        return WholeWindow(parts, kind=self._kind_of(parts[0].asked.type_id))

    def audit(self, lock_id: bytes) -> AuditReport:
        """Audit an answer against what was asked, the anchored readings and the chain's tariffs."""
        opened, asked = self.open(lock_id), self._notes.read(lock_id)
        return audit_answer(
            opened,
            asked,
            self._tariffs,
            gateway=self._gateway,
            index=self._index,
            kind=self._kind_of(asked.type_id),
        )

    def _kind_of(self, type_id: int) -> str:
        return self._type_names.get(type_id, f"type {type_id}")

    def _fetch(self, lock_id: bytes) -> None:
        """Have one's own store fetch the sealed answer while the claim is on its way."""
        try:
            lock = self._locks.lock(lock_id)
            self._store.get(lock.answer_digest, max_bytes=lock.answer_length)
        except DmsmError as error:  # whoever opens the answer meets it again, and says so
            _log.info("the answer of %s was not fetched beforehand: %s", lock_id.hex(), error)
