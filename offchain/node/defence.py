"""A node's desk for what may follow an answer or a delivery: a demand, or a dispute (protocol §3).

A demanded answer is served on chain, a dispute is replied to with what opens the answer or the data
set: both are unique, so that an honest node's reply decides for it. Every step is journaled before
its side effect and can be taken up again after a crash. What ends a duty is no state that a chain
node which is behind could show.
"""

from __future__ import annotations

import logging

from offchain.audit.evidence import judges_of, seal_evidence
from offchain.crypto import kem
from offchain.crypto.sharing import group_secret
from offchain.errors import CryptoError, StorageError
from offchain.index.asked import locks as asked_locks
from offchain.member.cases import CaseBook
from offchain.member.crash_points import crash_point
from offchain.member.errors import MemberError
from offchain.member.locks import Lock
from offchain.member.roles import LockState
from offchain.node import stored_files
from offchain.node.desk import Desk, NodeParts
from offchain.node.duty_tables import Duty
from offchain.node.outcome import Outcome
from offchain.node.store import StoredDataSet
from offchain.records.evidence import AnswerEvidence, DataSetEvidence, Evidence

_log = logging.getLogger(__name__)

# Nothing leads on from these: a chain node that is behind cannot show one that does not hold.
_ENDED = (
    LockState.SETTLED,
    LockState.REFUNDED,
    LockState.SLASHED,
    LockState.REJECTED,  # these two when a reorganisation went back behind the acceptance
    LockState.DECLINED,
)


class DefenceDesk(Desk):
    """Answer for the node's locks behind T. Each method is one step and idempotent."""

    def __init__(self, parts: NodeParts) -> None:
        super().__init__(parts)
        self._cases = CaseBook(self._gateway, self._index, confirmations=self._depth)
        self._newest_cases = CaseBook(self._gateway, self._index, confirmations=0)

    def demands(self) -> list[bytes]:
        """Return the locks whose answer was demanded and that are not known to be served."""
        return self._waiting(Duty.SERVE)

    def serve(self, lock_id: bytes) -> Outcome:
        """Bring the demanded answer on chain.

        It shows nobody anything new, so it goes by the newest block; a demand is let go by what
        lies deep enough. While a unit of gas costs more than the deposit repays, it waits until
        half of the time has gone; then the answer is served at any price: the lock, its bond and
        the credit are at stake.
        """
        deep = self._book.lock(lock_id)
        if deep.state in _ENDED or (deep.is_demanded and deep.state is not LockState.DEMANDED):
            self._held.end_duty(lock_id, Duty.SERVE)
            return Outcome("skipped", lock_id, f"the lock is {deep.state.name}")
        if deep.state is LockState.DEMANDED and self._is_past(deep):
            self._held.end_duty(lock_id, Duty.SERVE)
            return Outcome("expired", lock_id, "the demand was not served in time")
        lock = self._newest.lock(lock_id)
        if lock.state is not LockState.DEMANDED or lock.due_at <= self._gateway.contract_time():
            why = f"waits: the lock is {lock.state.name}, which is not yet deep enough"
            return Outcome("skipped", lock_id, why)
        answer = self._answer(lock)
        if why_dear := self._too_dear(lock):
            return Outcome("skipped", lock_id, why_dear)
        crash_point("serve:begun")
        receipt = self._gateway.transact(
            "PrepaidLock", "serve", lock_id, answer, intent=f"serve:{lock_id.hex()}"
        )
        crash_point("serve:sent")
        if self._depth == 0:
            self._held.end_duty(lock_id, Duty.SERVE)
        return Outcome("served", lock_id, f"{len(answer)} bytes on chain", receipt)

    def disputes(self) -> list[bytes]:
        """Return the disputed locks that this node has not replied to, as far as is known."""
        return self._waiting(Duty.REPLY)

    def reply(self, lock_id: bytes) -> Outcome:
        """Show the judges what opens the answer or the data set, and put all bytes where they
        look.
        """
        lock = self._book.lock(lock_id)
        is_disputed = lock.state is LockState.DISPUTED
        is_over = lock.state in _ENDED or (is_disputed and self._is_past(lock))
        if is_over or self._has_replied(self._cases, lock_id):
            self._held.end_duty(lock_id, Duty.REPLY)
            return Outcome("skipped", lock_id, f"the lock is {lock.state.name}; nothing to add")
        if not is_disputed or lock.due_at <= self._gateway.contract_time():
            why = f"waits: the lock is {lock.state.name} in what is deep enough"
            return Outcome("skipped", lock_id, why)
        if self._has_replied(self._newest_cases, lock_id):
            return Outcome("skipped", lock_id, "waits: the reply is not yet deep enough")
        self._put_again(lock)  # first: the bytes count even if no evidence can be sealed or sent
        evidence = self._sealed_reply(lock)
        crash_point("reply:journaled")
        digest = self._store.put(evidence).digest
        crash_point("reply:stored")
        receipt = self._gateway.transact(
            "DisputeCourt",
            "addEvidence",
            lock_id,
            digest,
            len(evidence),
            intent=f"evidence:{lock_id.hex()}",
        )
        crash_point("reply:sent")
        if self._depth == 0:
            self._held.end_duty(lock_id, Duty.REPLY)
        return Outcome("replied", lock_id, "the judges can look at all of it", receipt)

    # ---- inside

    def _waiting(self, kind: Duty) -> list[bytes]:
        # A reply is evidence for judges: it waits for a dispute that stands. Serving does not.
        serves = kind is Duty.SERVE
        block = self._index.newest() if serves else self._final()
        state = LockState.DEMANDED if serves else LockState.DISPUTED
        told = asked_locks.waiting(self._index, self._keys.address, block, [state])
        known = set(self._held.duties(kind)) if told else set[bytes]()
        new = [one for one in told if one["lock_id"] not in known]
        self._take_each(kind.value, new, lambda lock: self._held.put_duty(lock["lock_id"], kind))
        return self._held.duties(kind)

    def _is_past(self, lock: Lock) -> bool:
        """Whether the lock's stage is over in a block deep enough."""
        deep = self._gateway.block(self._gateway.final(self._depth))
        return lock.due_at <= deep.timestamp

    def _has_replied(self, cases: CaseBook, lock_id: bytes) -> bool:
        return any(one.by == self._keys.address for one in cases.brought(lock_id))

    def _answer(self, lock: Lock) -> bytes:
        """Return the answer's bytes: the node's own, or those of the content store, whose digest
        the lock names.
        """
        job = self._held.request(lock.lock_id)
        if job is not None and job.answer is not None:
            return job.answer
        try:
            return self._store.get(lock.answer_digest, max_bytes=lock.answer_length)
        except StorageError as error:
            raise MemberError(
                f"this node's store has no answer of lock {lock.lock_id.hex()}, which was demanded "
                f"by {lock.due_at}, and the content store gives none ({error}); is it the store "
                "that accepted? Put it back, or price and bond go"
            ) from error

    def _too_dear(self, lock: Lock) -> str | None:
        """Return why serving waits for cheaper gas, None when it does not."""
        told = asked_locks.lock(self._index, lock.lock_id, self._index.newest())
        if told is None or not told["is_demanded"]:
            newest = self._index.follower.catch_up()
            told = asked_locks.lock(self._index, lock.lock_id, newest)
        if told is None or not told["is_demanded"]:
            return "waits: the tables do not have the demand yet"
        half_at, deposit_wei = (told["demanded_at"] + lock.due_at) // 2, told["deposit_wei"]
        if self._gateway.now() >= half_at:
            return None
        # The deposit is a price of a gas times a fixed gas: above that price nothing is repaid.
        repaid_gas = int(self._gateway.call("PrepaidLock", "serveGasOf", lock.answer_length))
        most_wei, price_wei = deposit_wei // repaid_gas, self._gateway.gas_price_wei()
        if price_wei <= most_wei:
            return None
        return (
            f"waits for cheaper gas: it costs {price_wei} wei, the deposit repays {most_wei}; "
            f"from {half_at} on it is served at any price"
        )

    def _sealed_reply(self, lock: Lock) -> bytes:
        kept = self._held.evidence(lock.lock_id)
        if kept is not None:
            return kept
        case = self._cases.case(lock.lock_id)
        sealed = seal_evidence(
            self._document(lock),
            lock_id=lock.lock_id,
            by=self._keys.address,
            judges=judges_of(self._gateway, self._index, before=case.opened_at),
            gateway=self._gateway,
            directory=self._directory,
            needed=case.needed,
        )
        return self._held.keep_evidence(lock.lock_id, sealed)

    def _document(self, lock: Lock) -> Evidence:
        if lock.threshold != 0:
            stored = self._held.data_set(lock.subject)
            return DataSetEvidence(secret=None if stored is None else group_secret(stored.data_key))
        proof = self._held.proof(lock.lock_id)
        if proof is None:
            return AnswerEvidence(answer=None, request=None)
        return AnswerEvidence(answer=proof.opening, request=self._opening_of(proof.message))

    def _opening_of(self, message: bytes) -> bytes | None:
        """Return the opening of a request, which was sealed to this node."""
        key = self._keys.decryption_key
        try:
            return kem.opening(key, message).to_bytes(key.public_key)
        except CryptoError:
            return None

    def _put_again(self, lock: Lock) -> None:
        """Make sure that the content store has what judges will ask for."""
        if lock.threshold != 0:
            stored = self._held.data_set(lock.subject)
            if stored is not None:
                self._put_data_set(stored)
            return
        job, proof = self._held.request(lock.lock_id), self._held.proof(lock.lock_id)
        if job is not None and job.answer is not None:
            self._store.put(job.answer)
        if proof is not None:
            self._store.put(proof.message)

    def _put_data_set(self, stored: StoredDataSet) -> None:
        try:
            stored_files.put_all(self._store, self._held, stored)
        except StorageError as error:  # the manifest is here, and the reply has to go out
            _log.warning(
                "data set %s could not be put again whole: %s", stored.data_set_id.hex(), error
            )
            self._store.put(stored.manifest, lasting=True)
