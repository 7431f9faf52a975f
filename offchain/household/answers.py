"""The answers to a household's requests: waited for, opened and audited (protocol §3)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.audit.answers import AuditReport, audit_answer
from offchain.audit.opened_answer import OpenedAnswer, open_answer
from offchain.chain.heads import POLL_S, wait_for_news
from offchain.errors import DmsmError
from offchain.household.whole_window import AuditedPart, WholeWindow
from offchain.index.asked import locks as asked_locks
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.member.acting import Acting
from offchain.member.directory import MemberDirectory
from offchain.member.errors import AnswerNotReady, NotOnChain
from offchain.member.locks import Lock, LockBook
from offchain.member.request_notes import RequestNotes
from offchain.member.roles import LockState
from offchain.member.tariff_book import TariffBook
from offchain.storage.errors import StoreUnavailable

_log = logging.getLogger(__name__)
_BACK_BLOCKS = 32  # a claim that lies deeper when one begins to wait is found by the tables
_CLAIM_POLL_S = 0.003  # once accepted, the claim is near
# NONE: a reorganisation took the request off the chain, and it comes back (or nobody asked).
_PENDING = (LockState.NONE, LockState.REQUESTED, LockState.ACCEPTED)


@dataclass
class _Waiting:
    """What is known of a lock that somebody waits for; `since`: its claim lies there or later.

    newest: the newest block when it was last looked at, None before.
    """

    lock_id: bytes
    since: int
    newest: int | None = None
    payee: str | None = None
    is_fetching: bool = False


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
        self._index.follower.catch_up()
        return self._opened(lock_id)

    def wait(self, lock_id: bytes, *, timeout_s: float, poll_s: float = 0.5) -> OpenedAnswer:
        """Wait for the answer and open it; look at each new block, and every `poll_s` at least.

        Raises AnswerNotReady when the lock ended otherwise, or time is up; StoreUnavailable when no
        store answered until then, NotOnChain when the claim was off the chain.
        """
        waiting = _Waiting(lock_id, since=max(0, self._gateway.block_number() - _BACK_BLOCKS))
        give_up_at, heads = time.monotonic() + timeout_s, self._gateway.new_heads
        heads.begin()
        while True:
            told, is_late = heads.told, time.monotonic() >= give_up_at
            try:
                opened = self.open(lock_id) if is_late else self._opened_if_ready(waiting)
                if opened is not None:
                    return opened
            except AnswerNotReady as not_ready:
                if is_late or not_ready.state not in _PENDING:
                    raise
            except (NotOnChain, StoreUnavailable, IndexBehind):  # taken off since, or down
                if is_late:
                    raise
            look_s = _CLAIM_POLL_S if waiting.is_fetching else POLL_S
            after = waiting.newest
            wait_for_news(self._gateway, after=after, told=told, timeout_s=poll_s, poll_s=look_s)

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

    def _opened_if_ready(self, waiting: _Waiting) -> OpenedAnswer | None:
        """Look at the newest block; open the answer once its claim lies deep enough, None before.

        Raises what `open` does of a lock that ended otherwise.
        """
        lock_id, payee = waiting.lock_id, waiting.payee
        beside = [] if payee is None else [self._gateway.asking(*MemberDirectory.question(payee))]
        book, lock, newest, claim, answers = self._locks.look(
            lock_id, "Claimed", *beside, since=waiting.since
        )
        waiting.newest = newest.number
        if lock.state is not LockState.NONE:
            waiting.payee = lock.payee
        if lock.state is LockState.ACCEPTED and not waiting.is_fetching:
            waiting.is_fetching = True
            fetching = threading.Thread(
                target=self._fetch, args=(lock,), name="fetch-answer", daemon=True
            )
            fetching.start()
        if lock.state in _PENDING:
            return None
        if claim is None:  # it ended otherwise, or was claimed long ago
            return self.open(lock_id)
        deep = book.lock_if_deep(lock_id, claim.block_number, newest)
        known = {payee: answers[0]} if payee is not None else {}
        return None if deep is None else self._open(deep, book, known)

    def _opened(self, lock_id: bytes) -> OpenedAnswer:
        """Open the answer as what is deep enough by the tables has it, by two questions."""
        row = asked_locks.lock(self._index, lock_id, self._index.newest())
        payee = None if row is None else row["payee"]
        beside = [] if payee is None else [MemberDirectory.question(payee)]
        book, lock, _, answers = self._locks.glance(
            lock_id, "Claimed", *(self._gateway.asking(*one) for one in beside)
        )
        return self._open(lock, book, {payee: answers[0]} if payee is not None else {})

    def _open(self, lock: Lock, book: LockBook, known: Mapping[str, Any]) -> OpenedAnswer:
        return open_answer(
            lock,
            gateway=self._gateway,
            store=self._store,
            keys=self._keys,
            directory=self._directory.knowing(known),
            book=book,
        )

    def _fetch(self, lock: Lock) -> None:
        """Have one's own store fetch the sealed answer while the claim is on its way."""
        try:
            self._store.get(lock.answer_digest, max_bytes=lock.answer_length)
        except DmsmError as error:  # whoever opens the answer meets it again, and says so
            _log.info("the answer of %s was not fetched beforehand: %s", lock.lock_id.hex(), error)
