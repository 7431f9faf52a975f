"""A node's desk for selections: check the group, deal and deliver, or decline (protocol §5.4)."""

from __future__ import annotations

from typing import Any

from offchain.chain.facts import Receipt
from offchain.chain.pairing import configured_pairing
from offchain.crypto import kem, sharing
from offchain.crypto.sharing import Grant, Transcript
from offchain.errors import CryptoError, RecordError
from offchain.index.asked import locks as asked_locks
from offchain.index.asked.rows import LogPlace, Row
from offchain.member.consent import lacking_consent_as_of
from offchain.member.crash_points import crash_point
from offchain.member.errors import MemberError, NotOnChain, RequestRefused
from offchain.member.grants import GrantBook, Selection
from offchain.member.lock_terms import sharing_conditions, terms_of
from offchain.member.locks import Lock
from offchain.member.roles import LockState, MemberRole, Reason
from offchain.node.desk import Desk, NodeParts
from offchain.node.outcome import MAX_OBJECT_BYTES, Outcome
from offchain.node.request_check import MessagePending
from offchain.node.store import GrantJob, GrantState, StoredDataSet
from offchain.records import contexts
from offchain.records import sharing as sharing_records
from offchain.storage.errors import ObjectMalformed, ObjectNotFound, ObjectTooLarge

# Where a lock may be once its delivery is mined.
_EARNED = (LockState.DELIVERED, LockState.DISPUTED, LockState.SETTLED, LockState.SLASHED)
# Of a delivery that the node's own account sends: the contract does not read it.
_OWN_DELIVERY = (0, bytes(32), bytes(32))
_UNREADABLE = (ObjectMalformed, ObjectTooLarge, CryptoError, RecordError)


class DealDesk(Desk):
    """Serve the sharing locks that name this node. Each method is one step and idempotent."""

    def __init__(self, parts: NodeParts) -> None:
        super().__init__(parts)
        self._grants = GrantBook(self._gateway, self._index, confirmations=self._depth)

    def selections(self) -> list[bytes]:
        """Return the sharing locks that wait for this node's shares, or for an end to be final."""
        self._take_in()
        waiting = (
            GrantState.DELIVERING,
            GrantState.DEALT,
            GrantState.NEW,
            GrantState.DECLINING,
        )
        return [job.lock_id for state in waiting for job in self._held.grants(state)]

    def deliveries(self) -> list[bytes]:
        """Return the sharing locks whose delivery was begun and is not known to have ended."""
        return [job.lock_id for job in self._held.grants(GrantState.DELIVERING)]

    def deliver(self, lock_id: bytes) -> Outcome:
        """Deal the key to the group and deliver, or decline with a reason."""
        job, lock = self._job(lock_id), self._book.lock(lock_id)
        if lock.state is not LockState.SELECTED:
            return self._catch_up(lock, job)
        left_s = lock.expires_at - self._gateway.now()
        if job.state is GrantState.DELIVERING:
            return self._deliver_again(lock, left_s)
        if job.state is GrantState.DECLINING and self._is_declined(lock_id):
            return Outcome("skipped", lock_id, "waits: the refusal is not yet deep enough")
        if left_s <= 0:
            return self._too_late(lock, 0, "T passed before delivery; no share was sent")
        if job.state is GrantState.DECLINING:
            return self._decline(lock_id, _refusal_of(job))
        try:
            if job.transcript is None and left_s < 2 * self._terms.margin_s:
                raise RequestRefused(
                    Reason.TOO_LITTLE_TIME,
                    f"{left_s} s are left before T, {2 * self._terms.margin_s} s are needed",
                )
            self.transcript(lock_id)
        except RequestRefused as refusal:
            return self._decline(lock_id, refusal)
        except MessagePending as pending:
            if not self._may_wait(left_s):
                why = f"{pending}; select again later"
                return self._decline(lock_id, RequestRefused(Reason.MESSAGE_UNREADABLE, why))
            return Outcome("skipped", lock_id, f"waits: {pending}")
        if lock.expires_at - self._gateway.now() <= self._terms.margin_s:
            why = "too near to T to reveal the shares; they stay secret"
            return self._too_late(lock, self._terms.margin_s, why)
        receipt = self.submit(lock_id)
        return Outcome("delivered", lock_id, f"{lock.earned_wei} wei earned", receipt)

    def _too_late(self, lock: Lock, margin_s: int, why: str) -> Outcome:
        """Give up for good only when a block says so: this machine's clock may be wrong."""
        if lock.expires_at - self._gateway.contract_time() > margin_s:
            return Outcome("skipped", lock.lock_id, f"waits for a block: {why}")
        return self._give_up(lock.lock_id, why)

    def _deliver_again(self, lock: Lock, left_s: int) -> Outcome:
        """Go on with shares that may be public: only the chain says that they came too late."""
        if self._newest.lock(lock.lock_id).state in _EARNED:
            return Outcome("skipped", lock.lock_id, "waits: the delivery is not yet deep enough")
        if left_s > 0:
            receipt = self.submit(lock.lock_id)
            return Outcome("delivered", lock.lock_id, f"{lock.earned_wei} wei earned", receipt)
        if self._book.is_missed(lock.lock_id):
            return self._give_up(lock.lock_id, "the shares were sent and not mined before T")
        return Outcome("skipped", lock.lock_id, "waits: the shares that were sent may be mined")

    def transcript(self, lock_id: bytes) -> tuple[Selection, Transcript]:
        """Check the selection, deal once, verify the own transcript and keep it durably.

        Sends nothing. Raises RequestRefused with the reason to decline, and MessagePending while
        nobody has the buyer's message.
        """
        selection, job = self._grants.selection(lock_id), self._job(lock_id)
        if job.state is not GrantState.DELIVERING:  # else the shares may be public already
            self._check_consent(selection)
        if job.transcript is not None:
            return selection, job.transcript
        stored = self._check_selection(selection)
        dealt = sharing.deal(
            stored.data_key,
            threshold=selection.lock.threshold,
            delivery_keys=selection.delivery_keys,
        )
        grant = Grant(
            chain_id=self._gateway.chain_id,
            prepaid_lock=self._gateway.deployment.address("PrepaidLock"),
            lock_id=lock_id,
            data_set_id=selection.data_set_id,
            threshold=selection.lock.threshold,
            delivery_keys=selection.delivery_keys,
            key_commitment=sharing.key_commitment(stored.data_key),
        )
        check = configured_pairing(self._gateway)
        if not sharing.verify_transcript(dealt, grant, pairing_check=check):
            raise MemberError(
                f"the transcript dealt for lock {lock_id.hex()} does not verify; nothing was sent"
            )
        self._held.prepare_transcript(lock_id, dealt)
        crash_point("deal:journaled")
        return selection, dealt

    def submit(self, lock_id: bytes) -> Receipt:
        """Send the kept transcript; a retry sends the same one."""
        selection, dealt = self.transcript(lock_id)
        self._held.set_grant_state(lock_id, GrantState.DELIVERING)
        crash_point("deal:begun")
        receipt = self._gateway.transact(
            "PrepaidLock",
            "deliver",
            *deliver_arguments(selection, dealt),
            intent=f"deliver:{lock_id.hex()}",
            secret=True,
        )
        crash_point("deal:sent")
        if self._depth == 0:  # else it may yet be taken off: the safe block says
            self._held.set_grant_state(lock_id, GrantState.DELIVERED)
        return receipt

    # ---- inside

    def _take_in(self) -> None:
        """Note what was selected deep enough, and forget new selections that the chain has no more;
        they come again with their blocks.
        """
        final, newest = self._final(), self._index.newest()
        for job in self._held.grants(GrantState.NEW):
            if asked_locks.lock(self._index, job.lock_id, newest) is None:
                self._held.drop_grant(job.lock_id)
        me, states = self._keys.address, [LockState.SELECTED]
        told = asked_locks.waiting(self._index, me, final, states)
        new = [one for one in told if self._held.grant(one["lock_id"]) is None]
        self._take_each("a selection", new, self._note)

    def _note(self, lock: Row) -> None:
        self._held.put_grant(
            lock["lock_id"], data_set_id=lock["subject"], expires_at=lock["expires_at"]
        )

    def _job(self, lock_id: bytes) -> GrantJob:
        job = self._held.grant(lock_id)
        if job is None:
            self._index.follower.catch_up()
            self._take_in()
            job = self._held.grant(lock_id)
        if job is None:
            raise MemberError(f"lock {lock_id.hex()} is no selection of this node")
        return job

    def _check_selection(self, selection: Selection) -> StoredDataSet:
        stored = self._held.data_set(selection.data_set_id)
        if stored is None:
            raise RequestRefused(
                Reason.WINDOW_UNAVAILABLE,
                "this node's store has no key of the data set; is it the store that published it?",
            )
        for account, key in zip(selection.members, selection.delivery_keys, strict=True):
            self._check_member(account, key)
        self._check_terms(selection)
        self._check_message(selection)
        return stored

    def _check_consent(self, selection: Selection) -> None:
        """Refuse to deliver against a withdrawal that the chain has before the selection: at no
        cost, where delivering could cost the bond.

        A withdrawal and a selection may cross on their way, also in one block: their order in it
        counts, as deep as this node believes blocks.
        """
        stored = self._held.data_set(selection.data_set_id)
        if stored is None:  # which is refused
            return
        lock_id = selection.lock.lock_id
        told = asked_locks.lock(self._index, lock_id, self._final())
        if told is None:
            raise NotOnChain(f"the tables have no lock {lock_id.hex()} (any more); they follow")
        lacking = lacking_consent_as_of(
            self._index,
            stored.devices,
            LogPlace(told["began_block"], told["began_log"]),
            at_s=self._gateway.block(told["began_block"]).timestamp,
        )
        if lacking:
            named = "; ".join(f"{device}: {why}" for device, why in lacking.items())
            raise RequestRefused(Reason.CONSENT_WITHDRAWN, f"when it was selected, {named}")

    def _check_member(self, account: str, delivery_key: object) -> None:
        try:
            member = self._directory.active_member(account, MemberRole.SHARER)
        except MemberError as error:
            raise RequestRefused(Reason.MEMBER_NOT_ACCEPTABLE, str(error)) from error
        if member.delivery_key != delivery_key:
            raise RequestRefused(
                Reason.MEMBER_NOT_ACCEPTABLE, f"{account} registered another delivery key"
            )

    def _check_terms(self, selection: Selection) -> None:
        """Compare what the lock began under with what this node offered: the versions of its line
        in the form, and the terms that they give at this price.
        """
        lock = selection.lock
        form = self._gateway.call("DataMarket", "formOf", selection.broadcast_id)
        for line in form:
            if line.processor != self._keys.address:
                continue
            offered = sharing_conditions(self._gateway, line.rulesVersion, line.sharingVersion)
            if terms_of(lock, sharing_version=line.sharingVersion) == offered.terms(lock.price_wei):
                return
        raise RequestRefused(
            Reason.NOT_SERVED, f"the selection is under rules {lock.rules_version}, not offered so"
        )

    def _check_message(self, selection: Selection) -> None:
        lock = selection.lock
        context = contexts.sharing(
            chain_id=self._gateway.chain_id,
            prepaid_lock=self._gateway.deployment.address("PrepaidLock"),
            requester=lock.payer,
            processor=lock.payee,
            nonce=selection.nonce,
        )
        length = min(selection.message_length, MAX_OBJECT_BYTES)
        try:
            sealed = self._search.get(selection.message_digest, max_bytes=length)
            plain = kem.open_sealed(self._keys.decryption_key, sealed, context=context)
            text = sharing_records.decode_selection(plain)
        except ObjectNotFound as error:
            raise MessagePending(f"nobody has the message: {error}") from error
        except _UNREADABLE as error:
            raise RequestRefused(Reason.MESSAGE_UNREADABLE, str(error)) from error
        said = (text.broadcast_id, text.data_set_id, tuple(text.members))
        if said != (selection.broadcast_id, selection.data_set_id, selection.members):
            raise RequestRefused(
                Reason.MESSAGE_UNREADABLE, "the message speaks of another selection"
            )

    def _catch_up(self, lock: Lock, job: GrantJob) -> Outcome:
        ended = {
            **dict.fromkeys(_EARNED, GrantState.DELIVERED),
            LockState.DECLINED: GrantState.DECLINED,
            LockState.REFUNDED: GrantState.FAILED,
        }.get(lock.state)
        if lock.state is LockState.NONE and self._gateway.contract_time() >= job.expires_at:
            ended = GrantState.FAILED  # a reorganisation took the lock away, and its time is over
        if ended is not None and job.state is not ended:
            self._held.set_grant_state(lock.lock_id, ended, reason="taken from the chain")
        kind = "delivered" if ended is GrantState.DELIVERED else "skipped"
        return Outcome(kind, lock.lock_id, f"the lock is {lock.state.name}")

    def _is_declined(self, lock_id: bytes) -> bool:
        return self._newest.lock(lock_id).state is LockState.DECLINED

    def _decline(self, lock_id: bytes, refusal: RequestRefused) -> Outcome:
        reason = str(refusal)
        self._held.set_grant_state(lock_id, GrantState.DECLINING, reason=reason)
        crash_point("decline:journaled")
        receipt = self._gateway.transact(
            "PrepaidLock",
            "decline",
            lock_id,
            int(refusal.reason),
            intent=f"decline:{lock_id.hex()}",
        )
        if self._depth == 0:
            self._held.set_grant_state(lock_id, GrantState.DECLINED)
        return Outcome("declined", lock_id, reason, receipt)

    def _give_up(self, lock_id: bytes, why: str) -> Outcome:
        self._held.set_grant_state(lock_id, GrantState.FAILED, reason=why)
        return Outcome("expired", lock_id, why)


def _refusal_of(job: GrantJob) -> RequestRefused:
    """Return the refusal that was journaled before it was sent."""
    name, _, why = (job.reason or "").partition(": ")
    return RequestRefused(Reason[name], why)


def deliver_arguments(selection: Selection, dealt: Transcript) -> tuple[Any, ...]:
    """Return the arguments of `PrepaidLock.deliver`."""
    return (
        selection.lock.lock_id,
        list(selection.members),
        [key.words() for key in selection.delivery_keys],
        [point.words() for point in dealt.commitments],
        [point.words() for point in dealt.shares],
        _OWN_DELIVERY,
    )
