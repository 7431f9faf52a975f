"""A node's desk for users' requests: check again, answer, accept, claim, settle (protocol §3).

Every step is journaled in the node's store before its side effect and can be taken up again after
a crash: the factor x and the sealed answer are durable before C is sent, and a retry sends the
same bytes.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.audit.opened_answer import answer_context
from offchain.audit.working import worked_out
from offchain.billing.advice import Advice
from offchain.billing.bill import Bill
from offchain.chain.facts import Block, ContractRevert
from offchain.crypto.messages import factor_commitment
from offchain.crypto.paillier import PaillierPublicKey
from offchain.crypto.secret import SecretBytes
from offchain.errors import BillingError, DmsmError, DocumentMissing, FormatError
from offchain.index.asked import locks as asked_locks
from offchain.index.asked import members as asked_members
from offchain.index.asked.rows import Row
from offchain.member.crash_points import crash_point
from offchain.member.directory import MemberDirectory
from offchain.member.errors import MemberError, RequestRefused, UnfitMember
from offchain.member.locks import ACCEPT_GAS, CLAIM_GAS, Lock, LockBook, lock_of
from offchain.member.roles import LockState, Reason
from offchain.member.tariff_book import TariffBook
from offchain.node.bond import BondKeeper, BondState, bond_question, read_bond
from offchain.node.desk import Desk, NodeParts
from offchain.node.outcome import STOPPED, Outcome
from offchain.node.reply import compose_answer, seal_answer
from offchain.node.request_check import MessagePending, RequestCheck
from offchain.node.seals_ahead import SealsAhead
from offchain.node.store import JobState, RequestJob
from offchain.node.windows import HeldWindow, WindowPending
from offchain.records.answer import Answer
from offchain.records.request import RequestText
from offchain.storage import Cid


@dataclass(frozen=True, slots=True)
class _Look:
    """A lock and what concerns it, read by one question before a step.

    `newest`: the newest block, by which `now` goes. `serve_s`: the time to serve a demanded answer,
    None where the tables did not know whose rules to ask for.
    """

    book: LockBook
    lock: Lock
    newest: Block
    now: int
    directory: MemberDirectory
    tariffs: TariffBook
    bond: BondState
    serve_s: int | None

    @property
    def left_s(self) -> int:
        """The time until T."""
        return self.lock.expires_at - self.now


_log = logging.getLogger(__name__)
_NOT_DEEP = "waits: what was said is not yet deep enough"
_MOST_AHEAD = 8  # requests that something is made for before they are deep enough
_MOST_MEMBERS = 20  # that are asked about beforehand: a household may have any number of devices
_MOST_HEADS = 20  # of products and price series that are asked about beforehand
# Where a lock may be once its claim is mined.
_EARNED = (
    LockState.CLAIMED,
    LockState.DEMANDED,
    LockState.DISPUTED,
    LockState.SETTLED,
    LockState.SLASHED,
)


class RequestDesk(Desk):
    """Serve the requests that name this node. Each method is one step and idempotent."""

    def __init__(self, parts: NodeParts, bond: BondKeeper, tariffs: TariffBook) -> None:
        super().__init__(parts)
        self._bond, self._tariffs = bond, tariffs
        self._seals = SealsAhead()
        self._check = RequestCheck(self._gateway, self._store, self._keys, self._held)

    def pending(self) -> list[bytes]:
        """Return the locks that wait for this node's yes or no, or for a no to be final."""
        self._take_in()
        waiting = (JobState.NEW, JobState.ACCEPTING, JobState.REJECTING)
        found = [job.lock_id for state in waiting for job in self._held.requests(state)]
        self._seals.keep_only([*found, *self._look_ahead()])
        return found

    def handle(self, lock_id: bytes) -> Outcome:
        """Accept the request with a sealed answer, or reject it with a reason."""
        job = self._job(lock_id)
        look = self._look_before(job)
        lock, left_s = look.lock, look.left_s
        if lock.state is not LockState.REQUESTED:
            return self._catch_up(lock, job)
        if self._is_on_its_way(job):
            return Outcome("skipped", lock_id, _NOT_DEEP)
        if left_s <= 0 and lock.expires_at > look.newest.timestamp:
            return Outcome("skipped", lock_id, "waits: T has passed, and no block says so yet")
        if left_s <= 0:
            self._held.set_request_state(
                lock_id, JobState.FAILED, reason="T passed before acceptance"
            )
            return Outcome("expired", lock_id, "T passed before acceptance; nothing is owed")
        if job.state is JobState.REJECTING:
            return self._reject(lock, _refusal_of(job))
        try:
            self._require_time(look)
            job = self._prepared(look, job)
        except RequestRefused as refusal:
            return self._reject(lock, refusal)
        except (WindowPending, MessagePending, PricePending) as pending:
            if not self._may_wait(left_s):
                return self._reject(lock, _too_late(pending))
            return Outcome("skipped", lock_id, f"waits: {pending}")
        short = self._bond.why_not_covered(lock.bond_wei, look.bond)
        if short is not None:
            if left_s < 3 * self._terms.margin_s:
                return self._reject(lock, RequestRefused(Reason.NOT_SERVED, short))
            return Outcome("skipped", lock_id, f"waits: {short}")
        try:
            return self._accept(lock, job)
        except ContractRevert as revert:
            if revert.name == STOPPED:  # it may be over before T; later the price goes back
                return Outcome("skipped", lock_id, f"waits: {revert.sentence}")
            raise

    def claimable(self) -> list[bytes]:
        """Return the accepted locks whose factor is yet to reveal, or whose claim is not yet deep
        enough.
        """
        open_jobs = [
            *self._held.requests(JobState.ACCEPTED),
            *self._held.requests(JobState.CLAIMING),
        ]
        return [job.lock_id for job in open_jobs]

    def claim(self, lock_id: bytes) -> Outcome:
        """Reveal x and so fix the right to the price; not revealed with less than the margin
        before T.
        """
        job = self._job(lock_id)
        _, lock, newest, (latest,) = self._book.glance(
            lock_id, "Accepted", self._gateway.asking("PrepaidLock", "lockOf", lock_id)
        )
        newest_state = LockState(latest.state)
        if lock.state is LockState.REQUESTED and job.state is JobState.ACCEPTED:
            if newest_state is not LockState.REQUESTED:
                return Outcome("skipped", lock_id, _NOT_DEEP)
            return self.handle(lock_id)  # a reorganisation took it off
        if lock.state is not LockState.ACCEPTED or job.factor is None:
            return self._catch_up(lock, job)
        left_s = lock.expires_at - self._gateway.now(newest)
        # Once sent, x is public: then only T itself stops another try.
        is_public = job.state is JobState.CLAIMING
        if is_public and newest_state in _EARNED:
            return Outcome("skipped", lock_id, "waits: the claim is not yet deep enough")
        margin_s = 0 if is_public else self._terms.margin_s
        if left_s <= margin_s:
            if is_public and not self._book.is_missed(lock_id):
                return Outcome("skipped", lock_id, "waits: the claim that was sent may be mined")
            if lock.expires_at - newest.timestamp > margin_s:
                why = "waits: T is too near to reveal x, and no block says so yet"
                return Outcome("skipped", lock_id, why)
            self._held.set_request_state(lock_id, JobState.FAILED, reason="too late to claim")
            how = "x was sent and not mined in time" if is_public else "x stays secret"
            return Outcome("expired", lock_id, f"too late to claim, T is {lock.expires_at}: {how}")
        self._held.set_request_state(lock_id, JobState.CLAIMING)
        crash_point("claim:journaled")
        receipt = self._gateway.transact(
            "PrepaidLock",
            "claim",
            lock_id,
            job.factor.reveal(),
            gas=CLAIM_GAS,
            intent=f"claim:{lock_id.hex()}",
            secret=True,
        )
        crash_point("claim:sent")
        if self._depth == 0:  # else it may yet be taken off: the safe block says
            self._held.set_request_state(lock_id, JobState.CLAIMED)
        return Outcome("claimed", lock_id, f"{lock.earned_wei} wei earned", receipt)

    # ---- taking requests in

    def _take_in(self) -> None:
        """Note what was asked deep enough, and forget new requests that the chain has no more; they
        come again with their blocks.
        """
        final, newest = self._final(), self._index.newest()
        for job in self._held.requests(JobState.NEW):
            if asked_locks.lock(self._index, job.lock_id, newest) is None:
                self._held.drop_request(job.lock_id)
        me, states = self._keys.address, [LockState.REQUESTED]
        told = asked_locks.waiting(self._index, me, final, states)
        new = [one for one in told if self._held.request(one["lock_id"]) is None]
        self._take_each("a request", new, lambda lock: self._note(lock, final))

    def _look_ahead(self) -> list[bytes]:
        """Begin what the requests will need that are not deep enough yet: the key of the answer and
        the message, each in a thread. Nothing of it leaves the node; return whose it is.
        """
        if not self._depth:
            return []
        me, newest = self._keys.address, self._index.newest()
        told = asked_locks.waiting(self._index, me, newest, [LockState.REQUESTED])
        ahead = [one for one in told if self._held.request(one["lock_id"]) is None]
        for one in ahead[:_MOST_AHEAD]:
            if one["lock_id"] in self._seals:
                continue
            lock, asked = lock_of(one), asked_locks.request(self._index, one["lock_id"], newest)
            try:
                key = self._directory.paillier_key(lock.payer)
                context = answer_context(lock, self._gateway)
                self._seals.begin(lock.lock_id, key, context=context)
            except DmsmError as error:  # whoever answers the request meets it again, and says so
                _log.info("nothing is made ahead for %s: %s", lock.lock_id.hex(), error)
                continue
            if asked is not None:
                thread = threading.Thread(target=self._fetch, args=(asked,), daemon=True)
                thread.start()
        return [one["lock_id"] for one in ahead]

    def _fetch(self, asked: Row) -> None:
        """Have one's own store fetch the message of a request."""
        try:
            self._store.get(asked["message_digest"], max_bytes=asked["message_length"])
        except DmsmError as error:
            _log.info("the message of %s is not fetched: %s", asked["lock_id"].hex(), error)

    def _note(self, lock: Row, block: int) -> None:
        asked = asked_locks.request(self._index, lock["lock_id"], block)
        if asked is not None:
            self._held.put_request(
                lock["lock_id"],
                requester=lock["payer"],
                type_id=asked["type_id"],
                nonce=asked["nonce"],
                expires_at=lock["expires_at"],
            )

    def _job(self, lock_id: bytes) -> RequestJob:
        job = self._held.request(lock_id)
        if job is None:
            self._index.follower.catch_up()
            self._take_in()
            job = self._held.request(lock_id)
        if job is None:
            raise MemberError(f"lock {lock_id.hex()} is no request to this node")
        return job

    def _look_before(self, job: RequestJob) -> _Look:
        """Ask at once for all that handling a request needs to know. The tables say whom and what
        to ask about; what they did not tell is asked for when it is needed.
        """
        me, newest = self._keys.address, self._index.newest()
        members = [job.requester, me, *asked_members.devices_of(self._index, job.requester, newest)]
        members = members[:_MOST_MEMBERS]
        heads = [] if job.answer is not None else self._tariffs.questions_of(me)[:_MOST_HEADS]
        ask = self._gateway.asking
        beside = [ask(*bond_question(me))]
        beside += [ask(*MemberDirectory.question(one)) for one in members]
        beside += [ask(*one) for one in heads]
        told = asked_locks.lock(self._index, job.lock_id, newest)
        if told is not None and told["dispute_window_s"]:
            beside.append(ask("RequestCatalogue", "rulesAt", told["rules_version"]))
        book, lock, block, answers = self._book.glance(job.lock_id, "Requested", *beside)
        bond, *answers = answers
        known = dict(zip(members, answers, strict=False))
        book_heads = dict(zip(heads, answers[len(members) :], strict=False))
        rules = answers[len(members) + len(heads) :]
        is_told = rules and told is not None and told["rules_version"] == lock.rules_version
        return _Look(
            book=book,
            lock=lock,
            newest=block,
            now=self._gateway.now(block),
            directory=self._directory.knowing(known),
            tariffs=self._tariffs.knowing(book_heads, block=block.number),
            bond=read_bond(bond),
            serve_s=int(rules[0].serveSeconds) if is_told else None,
        )

    def _is_on_its_way(self, job: RequestJob) -> bool:
        """Whether a yes or no was sent that stands in a block which is not final."""
        if job.state not in (JobState.ACCEPTED, JobState.REJECTING):
            return False
        return self._newest.lock(job.lock_id).state is not LockState.REQUESTED

    def _catch_up(self, lock: Lock, job: RequestJob) -> Outcome:
        """Bring the journal to where the chain is: a step was made before a crash, or by somebody
        else.
        """
        ended = {
            LockState.ACCEPTED: JobState.ACCEPTED,
            **dict.fromkeys(_EARNED, JobState.CLAIMED),
            LockState.REJECTED: JobState.REJECTED,
            LockState.REFUNDED: JobState.FAILED,
        }.get(lock.state)
        if lock.state is LockState.NONE and self._gateway.contract_time() >= job.expires_at:
            ended = JobState.FAILED  # a reorganisation took the request away, and its time is over
        if ended is JobState.ACCEPTED and job.state is JobState.CLAIMING:
            ended = None  # the claim was sent and is not yet deep enough
        if ended is not None and job.state is not ended:
            self._held.set_request_state(lock.lock_id, ended, reason="taken from the chain")
        if lock.state is LockState.ACCEPTED and job.answer is not None:
            self._store.put(job.answer)
            return Outcome("accepted", lock.lock_id, "accepted before")
        return Outcome("skipped", lock.lock_id, f"the lock is {lock.state.name}")

    def _require_time(self, look: _Look) -> None:
        """Refuse what leaves no room to claim before T, or to serve the answer if it is demanded:
        the time to serve is the rules' of the lock's version, and cannot be changed later.
        """
        lock, left_s, depth_s = look.lock, look.left_s, self._depth_s()
        needed_s = 2 * self._terms.margin_s + depth_s
        if left_s < needed_s:
            raise RequestRefused(
                Reason.TOO_LITTLE_TIME, f"{left_s} s are left before T, {needed_s} s are needed"
            )
        if lock.dispute_window_s == 0:
            return  # it settles at the claim: nothing can be demanded
        serve_s, needed_s = look.serve_s or self._serve_s(lock), needed_s + depth_s
        if serve_s < needed_s:
            raise RequestRefused(
                Reason.NOT_SERVED,
                f"rules {lock.rules_version} give {serve_s} s to serve a demanded answer, this "
                f"node needs {needed_s} s; ask the consortium for longer, or another node",
            )

    def _serve_s(self, lock: Lock) -> int:
        block = self._gateway.final(self._depth)  # as for the lock: a node behind has neither
        rules = self._gateway.call("RequestCatalogue", "rulesAt", lock.rules_version, block=block)
        if rules.serveSeconds == 0:  # never in real rules
            raise MemberError(
                f"the chain node does not know rules {lock.rules_version}; it may be behind"
            )
        return int(rules.serveSeconds)

    # ---- checking and answering

    def _prepared(self, look: _Look, job: RequestJob) -> RequestJob:
        if job.answer is not None:
            return job
        lock, event = look.lock, look.book.event_of("Requested", look.lock.lock_id)
        kind = self._terms.type_names.get(lock.type_id)
        if kind is None:
            raise RequestRefused(Reason.NOT_SERVED, f"type {lock.type_id} is not served here")
        # The windows have what was anchored by then: no more that may be taken off the chain.
        final = self._gateway.final_number(self._depth, newest=look.newest)
        as_of_block = max(event.block_number, final)
        key = _key_of_payer(lock, look.directory)
        self._seals.begin(lock.lock_id, key, context=answer_context(lock, self._gateway))
        message = self._check.message(event)
        text = self._check.text(lock, event, message, look.directory)
        windows = self._check.windows(text, as_of_block=as_of_block)
        answer = compose_answer(
            lock,
            windows,
            kind=kind,
            result=self._result(look, kind, text, windows, as_of_block).to_json(),
            held=self._held,
            signed_at=look.now,
            as_of_block=as_of_block,
        )
        factor = secrets.token_bytes(32)
        longest = event.args["order"].terms.longestAnswerBytes  # as signed, at most 32 KiB
        sealed, opening = self._sealed_answer(lock, answer, factor, longest)
        self._held.put_proof(lock.lock_id, opening=opening, message=message)
        self._held.prepare_answer(lock.lock_id, factor=SecretBytes(factor), answer=sealed)
        crash_point("request:journaled")
        return self._job(lock.lock_id)

    def _result(
        self,
        look: _Look,
        kind: str,
        text: RequestText,
        windows: Sequence[HeldWindow],
        as_of_block: int,
    ) -> Bill | Advice:
        """Work out what is asked for. Raises RequestRefused when nothing comes of it."""
        try:
            return worked_out(
                kind,
                {one.device: one.all_readings for one in windows},
                window=(text.from_s, text.to_s),
                product=text.product,
                region_id=look.directory.member(self._keys.address).region_id,
                as_of_block=as_of_block,
                tariffs=look.tariffs,
                gateway=self._gateway,
            ).result
        except DocumentMissing as error:
            raise PricePending(str(error)) from error
        except BillingError as error:
            raise RequestRefused(Reason.WINDOW_UNAVAILABLE, str(error)) from error

    def _sealed_answer(
        self, lock: Lock, answer: Answer, factor: bytes, longest: int
    ) -> tuple[bytes, bytes]:
        """Sign and seal an answer. Raises RequestRefused when it has more than `longest` bytes,
        which the signed terms allow.
        """
        try:
            sealed, opening = seal_answer(
                answer,
                lock,
                factor=factor,
                keys=self._keys,
                to_user=self._seals.take(lock.lock_id),
                gateway=self._gateway,
            )
        except FormatError as error:
            raise RequestRefused(
                Reason.ANSWER_TOO_LARGE, f"{error}; ask in several requests"
            ) from error
        if len(sealed) > longest:
            raise RequestRefused(
                Reason.ANSWER_TOO_LARGE,
                f"{len(sealed)} bytes, {longest} are allowed; ask in several requests",
            )
        return sealed, opening

    # ---- saying so on chain

    def _accept(self, lock: Lock, job: RequestJob) -> Outcome:
        if job.factor is None or job.answer is None:
            raise MemberError(f"the journal holds no answer for lock {lock.lock_id.hex()}")
        cid: Cid = self._store.put(job.answer)
        crash_point("request:stored")
        secret_hash = factor_commitment(processor=self._keys.address, factor=job.factor.reveal())
        receipt = self._gateway.transact(
            "PrepaidLock",
            "accept",
            lock.lock_id,
            secret_hash,
            cid.digest,
            len(job.answer),
            gas=ACCEPT_GAS,
            intent=f"accept:{lock.lock_id.hex()}",
        )
        crash_point("request:accepted")
        self._held.set_request_state(lock.lock_id, JobState.ACCEPTED)
        return Outcome("accepted", lock.lock_id, f"an answer of {len(job.answer)} bytes", receipt)

    def _reject(self, lock: Lock, refusal: RequestRefused) -> Outcome:
        reason = str(refusal)
        self._held.set_request_state(lock.lock_id, JobState.REJECTING, reason=reason)
        crash_point("reject:journaled")
        receipt = self._gateway.transact(
            "PrepaidLock",
            "reject",
            lock.lock_id,
            int(refusal.reason),
            intent=f"reject:{lock.lock_id.hex()}",
        )
        if self._depth == 0:
            self._held.set_request_state(lock.lock_id, JobState.REJECTED)
        return Outcome("rejected", lock.lock_id, reason, receipt)


class PricePending(MemberError):
    """A tariff or price series that the book names cannot be had; it may still come."""


def _key_of_payer(lock: Lock, directory: MemberDirectory) -> PaillierPublicKey:
    try:
        return directory.paillier_key(lock.payer)
    except UnfitMember as error:
        raise RequestRefused(Reason.MEMBER_NOT_ACCEPTABLE, str(error)) from error


def _too_late(pending: WindowPending | MessagePending | PricePending) -> RequestRefused:
    is_message = isinstance(pending, MessagePending)
    reason = Reason.MESSAGE_UNREADABLE if is_message else Reason.WINDOW_UNAVAILABLE
    return RequestRefused(reason, f"{pending}; ask again later")


def _refusal_of(job: RequestJob) -> RequestRefused:
    """Return the refusal that was journaled before it was sent."""
    name, _, why = (job.reason or "").partition(": ")
    return RequestRefused(Reason[name], why)
