"""A node's desk for what may follow an answer or a delivery: a demand, or a dispute (protocol §3).

A demanded answer is served on chain, a dispute is replied to with what opens the answer or the data
set: both are unique, so that an honest node's reply decides for it. Every step is journaled before
its side effect and can be taken up again after a crash.
"""

from __future__ import annotations

from offchain.chain.gateway import ChainGateway
from offchain.chain.receipt import ChainEvent
from offchain.crypto import kem
from offchain.crypto.sharing import group_secret
from offchain.errors import CryptoError
from offchain.records.evidence import AnswerEvidence, DataSetEvidence, Evidence
from offchain.services.court.cases import CaseBook
from offchain.services.crash_points import crash_point
from offchain.services.errors import ServiceError
from offchain.services.evidence import judges_of, seal_evidence
from offchain.services.locks import Lock, LockBook
from offchain.services.member_keys import MemberKeys
from offchain.services.members import MemberDirectory
from offchain.services.node.duty_tables import Duty
from offchain.services.node.inbox_scan import InboxScan
from offchain.services.node.outcome import NodeTerms, Outcome
from offchain.services.node.store import NodeStore
from offchain.services.roles import LockState
from offchain.storage import ContentStore

_EVENTS = {Duty.SERVE: "Demanded", Duty.REPLY: "Disputed"}


class DefenceDesk:
    """Answer for the node's locks behind T. Each method is one step and idempotent."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        readings: NodeStore,
        directory: MemberDirectory,
        terms: NodeTerms,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._keys = keys
        self._held = readings
        self._directory = directory
        self._terms = terms
        self._depth = terms.depth(gateway)
        self._book = LockBook(gateway, confirmations=self._depth)
        self._cases = CaseBook(gateway, confirmations=self._depth)
        self._newest = LockBook(gateway, confirmations=0)
        self._newest_cases = CaseBook(gateway, confirmations=0)
        self._scans = {kind: self._scan_for(kind) for kind in Duty}

    def demands(self) -> list[bytes]:
        """Return the locks whose answer was demanded and that are not known to be served."""
        return self._waiting(Duty.SERVE)

    def serve(self, lock_id: bytes) -> Outcome:
        """Bring the demanded answer on chain.

        While serving costs more gas than was deposited, it waits until half of the time has gone;
        then the answer is served at any price: the lock, its bond and the credit are at stake.
        """
        lock = self._book.lock(lock_id)
        if lock.state is not LockState.DEMANDED:
            self._held.end_duty(lock_id, Duty.SERVE)
            return Outcome("skipped", lock_id, f"the lock is {lock.state.name}")
        if self._newest.lock(lock_id).state is not LockState.DEMANDED:
            return Outcome("skipped", lock_id, "waits: what was served is not yet deep enough")
        if lock.due_at <= self._gateway.now():
            self._held.end_duty(lock_id, Duty.SERVE)
            return Outcome("expired", lock_id, "the demand was not served in time")
        job = self._held.request(lock_id)
        if job is None or job.answer is None:
            raise ServiceError(
                f"this node's store has no answer of lock {lock_id.hex()}, which was demanded by "
                f"{lock.due_at}; is it the store that accepted? Put it back, or price and bond go"
            )
        if why := self._too_dear(lock, job.answer):
            return Outcome("skipped", lock_id, why)
        crash_point("serve:begun")
        receipt = self._gateway.transact(
            "PrepaidLock", "serve", lock_id, job.answer, intent=f"serve:{lock_id.hex()}"
        )
        crash_point("serve:sent")
        if self._depth == 0:
            self._held.end_duty(lock_id, Duty.SERVE)
        return Outcome("served", lock_id, f"{len(job.answer)} bytes on chain", receipt)

    def disputes(self) -> list[bytes]:
        """Return the disputed locks that this node has not replied to, as far as is known."""
        return self._waiting(Duty.REPLY)

    def reply(self, lock_id: bytes) -> Outcome:
        """Show the judges what opens the answer or the data set, and put all bytes where they
        look.
        """
        lock = self._book.lock(lock_id)
        me = self._keys.address
        is_over = lock.state is not LockState.DISPUTED or lock.due_at <= self._gateway.now()
        if is_over or any(one.by == me for one in self._cases.brought(lock_id)):
            self._held.end_duty(lock_id, Duty.REPLY)
            return Outcome("skipped", lock_id, f"the lock is {lock.state.name}; nothing to add")
        if any(one.by == me for one in self._newest_cases.brought(lock_id)):
            return Outcome("skipped", lock_id, "waits: the reply is not yet deep enough")
        evidence = self._sealed_reply(lock)
        crash_point("reply:journaled")
        self._put_again(lock)
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

    def _scan_for(self, kind: Duty) -> InboxScan:
        def take(event: ChainEvent) -> None:
            self._held.put_duty(bytes(event.args["lockId"]), kind)

        return InboxScan(
            self._gateway,
            self._held,
            ("PrepaidLock", _EVENTS[kind]),
            confirmations=self._depth,
            take=take,
            # What a reorganisation took off ends at its next step, and comes again with its event.
            undo=lambda: None,
            payee=self._keys.address,
        )

    def _waiting(self, kind: Duty) -> list[bytes]:
        self._scans[kind].follow()
        return self._held.duties(kind)

    def _too_dear(self, lock: Lock, answer: bytes) -> str | None:
        """Return why serving waits for cheaper gas, None when it does not."""
        demanded = self._book.event_of("Demanded", lock.lock_id)
        begun_at = self._gateway.block(demanded.block_number).timestamp
        half_at, deposit_wei = (begun_at + lock.due_at) // 2, demanded.args["depositWei"]
        if self._gateway.now() >= half_at:
            return None
        cost_wei = self._gateway.cost_wei("PrepaidLock", "serve", lock.lock_id, answer)
        if cost_wei <= deposit_wei:
            return None
        return (
            f"waits for cheaper gas: serving costs {cost_wei} wei, {deposit_wei} are deposited; "
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
            judges=judges_of(self._gateway, before=case.opened_at),
            gateway=self._gateway,
            directory=self._directory,
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
                self._store.put(stored.manifest, lasting=True)
            return
        job, proof = self._held.request(lock.lock_id), self._held.proof(lock.lock_id)
        if job is not None and job.answer is not None:
            self._store.put(job.answer)
        if proof is not None:
            self._store.put(proof.message)
