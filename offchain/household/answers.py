"""The answers to a household's requests: waited for, opened and audited (protocol §3)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from offchain.audit.answers import AuditReport, audit_answer
from offchain.audit.opened_answer import OpenedAnswer, open_answer
from offchain.billing.tariff import Tariff
from offchain.chain.heads import POLL_S, wait_for_news
from offchain.errors import DmsmError
from offchain.index.asked import locks as asked_locks
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.member.acting import Acting
from offchain.member.directory import MemberDirectory
from offchain.member.errors import AnswerNotReady, NotOnChain
from offchain.member.locks import Lock, LockBook, lock_of
from offchain.member.request_notes import RequestNotes
from offchain.member.roles import LockState
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
        **own: Any,
    ) -> None:
        super().__init__(**own)
        self._index = index
        self._notes = notes
        self._locks = locks
        self._type_names = type_names

    def open(self, lock_id: bytes) -> OpenedAnswer:
        """Open the answer once its factor was revealed. Raises AnswerNotReady, AnswerInvalid."""
        self._index.follower.catch_up()
        return self._opened(lock_id)

    def wait(self, lock_id: bytes, *, timeout_s: float, poll_s: float = 0.5) -> OpenedAnswer:
        """Wait for the answer and open it; look at each new block, and every `poll_s` at least.

        The tables say when it is time to look, the contract and the node's signature what it is.
        Raises AnswerNotReady when the lock ended otherwise, or time is up; StoreUnavailable when no
        store answered until then, NotOnChain when the claim was off the chain.
        """
        give_up_at, fetching = time.monotonic() + timeout_s, None
        heads, look_s = self._gateway.new_heads, POLL_S
        heads.begin()
        while True:
            told = heads.told
            try:
                state = self._locks.told_state(lock_id)
                if state not in _PENDING:
                    return self._opened(lock_id)
                if time.monotonic() >= give_up_at:
                    raise AnswerNotReady(state, None)
            except AnswerNotReady as not_ready:
                if not_ready.state not in _PENDING or time.monotonic() >= give_up_at:
                    raise
            except (NotOnChain, StoreUnavailable, IndexBehind):  # taken off since, or down
                if time.monotonic() >= give_up_at:
                    raise
            newest = self._index.newest()
            row = asked_locks.lock(self._index, lock_id, newest)
            if fetching is None and row is not None and row["state"] == LockState.ACCEPTED:
                fetching = threading.Thread(
                    target=self._fetch, args=(lock_of(row),), name="fetch-answer", daemon=True
                )
                fetching.start()
                look_s = _CLAIM_POLL_S
            wait_for_news(self._gateway, after=newest, told=told, timeout_s=poll_s, poll_s=look_s)

    def audit(self, lock_id: bytes, tariff: Tariff) -> AuditReport:
        """Audit an answer against what was asked, the anchored readings and the tariff."""
        opened, asked = self.open(lock_id), self._notes.read(lock_id)
        kind = self._type_names.get(asked.type_id, f"type {asked.type_id}")
        return audit_answer(
            opened, asked, tariff, gateway=self._gateway, index=self._index, kind=kind
        )

    def _opened(self, lock_id: bytes) -> OpenedAnswer:
        """Open the answer as what is deep enough by the tables has it, by two questions."""
        row = asked_locks.lock(self._index, lock_id, self._index.newest())
        payee = None if row is None else row["payee"]
        beside = [] if payee is None else [MemberDirectory.question(payee)]
        book, lock, _, answers = self._locks.glance(
            lock_id, "Claimed", *(self._gateway.asking(*one) for one in beside)
        )
        return open_answer(
            lock,
            gateway=self._gateway,
            store=self._store,
            keys=self._keys,
            directory=self._directory.knowing({payee: answers[0]} if payee else {}),
            book=book,
        )

    def _fetch(self, lock: Lock) -> None:
        """Have one's own store fetch the sealed answer while the claim is on its way."""
        try:
            self._store.get(lock.answer_digest, max_bytes=lock.answer_length)
        except DmsmError as error:  # whoever opens the answer meets it again, and says so
            _log.info("the answer of %s was not fetched beforehand: %s", lock.lock_id.hex(), error)
