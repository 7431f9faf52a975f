"""When an answer is withheld or wrong: demand it, or ask the judges (protocol §3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offchain.audit.answer_look import AnswerLook, ShownAnswer
from offchain.audit.disputes import Disputes, PreparedDispute
from offchain.audit.opened_answer import answer_bytes, open_outer
from offchain.chain.facts import Receipt
from offchain.crypto import kem
from offchain.errors import CryptoError
from offchain.member.errors import AnswerNotServed, TermsUnfit
from offchain.member.locks import Lock
from offchain.member.request_notes import AskedRequest, RequestNotes
from offchain.member.roles import LockState
from offchain.records.evidence import AnswerEvidence


class AnswerDisputes(Disputes):
    """Demand or dispute the answer to one's own request.

    The notes of what was asked go to the judges too: without one they do not learn the window.
    """

    def __init__(self, *, notes: RequestNotes, type_names: Mapping[int, str], **parts: Any) -> None:
        super().__init__(**parts)
        self._notes = notes
        self._type_names = type_names

    def demand_wei(self, lock_id: bytes) -> int:
        """Return what a demand deposits. Raises TermsUnfit when none is possible."""
        lock = self._open_lock(lock_id)
        if lock.is_demanded:
            raise TermsUnfit(f"the answer of lock {lock_id.hex()} was demanded and served already")
        return int(self._gateway.call("PrepaidLock", "demandWeiOf", lock_id))

    def demand(self, lock_id: bytes) -> Receipt:
        """Demand the sealed answer on chain. Of the deposit the node gets what serving burns of
        gas; the rest can be withdrawn once it has served.
        """
        return self._gateway.transact(
            "PrepaidLock",
            "demand",
            lock_id,
            value_wei=self.demand_wei(lock_id),
            intent=f"demand:{lock_id.hex()}",
        )

    def slash(self, lock_id: bytes) -> Receipt:
        """End a lock whose answer was demanded and not served in time."""
        return self._gateway.transact("PrepaidLock", "slash", lock_id)

    def prepare(self, lock_id: bytes, *, force: bool = False) -> PreparedDispute:
        """Make the evidence and look at it as a judge does. Sends nothing.

        `force`: although the answer is not served. A node that brings it to the judges later wins
        then, unless evidence is added: nobody else shows them what it says.
        Raises TermsUnfit, NotJudgeable.
        """
        lock, asked = self._open_lock(lock_id), self._notes.find(lock_id)
        try:
            document = self._document(lock, asked)
        except AnswerNotServed as error:
            if not force:
                raise TermsUnfit(
                    f"the answer is not served: demand it first (dmsm user demand {lock_id.hex()})"
                ) from error
            document = AnswerEvidence(answer=None, request=_opening_of(asked))
        self._put_message(asked)
        looks = AnswerLook(**self._parts, type_names=self._type_names)
        look = looks.look(lock, [ShownAnswer(True, document)])
        return self._prepared(lock, document, look)

    def dispute(self, prepared: PreparedDispute) -> Receipt:
        """Send the evidence and put up the bond. Raises NoJudges, or TermsUnfit with too many
        disputes open, before anything is paid.
        """
        self._require_room()
        lock_id = prepared.lock.lock_id
        digest, length = self._stored(lock_id, prepared.document, before=None)
        return self._gateway.transact(
            "PrepaidLock",
            "dispute",
            lock_id,
            digest,
            length,
            value_wei=prepared.cost_wei,
            intent=f"dispute:{lock_id.hex()}",
        )

    def add_evidence(self, lock_id: bytes) -> Receipt:
        """Show the judges of one's own dispute what the answer says, now that it is served.

        An account adds once a case, so that nothing is sent before there is something to show.
        Raises TermsUnfit.
        """
        lock = self._book.lock(lock_id)
        if lock.state is not LockState.DISPUTED:
            raise TermsUnfit(
                f"lock {lock_id.hex()} is {lock.state.name} and not disputed: there is no case to "
                "add to"
            )
        asked = self._notes.find(lock_id)
        try:
            document = self._document(lock, asked)
        except AnswerNotServed as error:
            raise TermsUnfit(
                f"the answer of lock {lock_id.hex()} is not served, so that there is nothing to "
                "show yet: repeat it once the answer can be had"
            ) from error
        self._put_message(asked)
        return self._add(lock_id, document)

    def _put_message(self, asked: AskedRequest | None) -> None:
        if asked is not None and asked.message is not None:
            self._store.put(asked.message)

    def _document(self, lock: Lock, asked: AskedRequest | None) -> AnswerEvidence:
        """Make the evidence. Raises AnswerNotServed."""
        return AnswerEvidence(answer=self._opening(lock), request=_opening_of(asked))

    def _opening(self, lock: Lock) -> bytes | None:
        """Return r ‖ coins of the answer's seal; None where everybody sees that it is none.

        Raises AnswerNotServed: what nobody could read yet may still be garbage.
        """
        outer = answer_bytes(lock, store=self._store, book=self._book)
        try:
            sealed = open_outer(lock, outer, gateway=self._gateway, book=self._book)
            key = self._keys.decryption_key
            return kem.opening(key, sealed).to_bytes(key.public_key)
        except CryptoError:
            return None


def _opening_of(asked: AskedRequest | None) -> bytes | None:
    return None if asked is None else asked.opening
