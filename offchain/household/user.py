"""A user: policies and consent for its devices, prepaid requests, their answers and audits
(protocol §3, §4).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from offchain.audit.audit import AuditReport, audit_answer
from offchain.audit.disputes import AnswerDisputes, PreparedDispute
from offchain.audit.opened_answer import OpenedAnswer, open_answer
from offchain.billing.tariff import Tariff
from offchain.chain.facts import ContractRevert, Receipt
from offchain.chain.gateway import ChainGateway
from offchain.chain.heads import POLL_S, head_or_none, wait_for_block
from offchain.errors import DmsmError
from offchain.household.notifications import Notification, NotificationReader
from offchain.household.request_draft import RequestDraft, draft_request, require_devices
from offchain.member.errors import (
    AnswerNotReady,
    MemberError,
    NotOnChain,
    TermsUnfit,
    UnfitMember,
)
from offchain.member.locks import REQUEST_GAS, Lock, LockBook
from offchain.member.member_keys import MemberKeys
from offchain.member.members import MemberDirectory
from offchain.member.request_notes import AskedRequest, RequestNotes
from offchain.member.roles import REQUEST_TYPE_NAMES, LockState, MemberRole
from offchain.records.contexts import DATA_SHARING_PURPOSE
from offchain.storage import ContentStore
from offchain.storage.errors import StoreUnavailable
from offchain.types import SECONDS_PER_DAY, Policy

_log = logging.getLogger(__name__)
_CLAIM_POLL_S = 0.003  # once accepted, the claim is near
# NONE: a reorganisation took the request off the chain, and it comes back (or nobody asked).
_PENDING = (LockState.NONE, LockState.REQUESTED, LockState.ACCEPTED)


@dataclass(frozen=True)
class PaidRequest:
    """A request that was paid: the lock, its T, and the transaction."""

    lock_id: bytes
    expires_at: int
    price_wei: int
    receipt: Receipt


class UserAgent:
    """Act for a user. `notes` is the user's own folder, where it keeps what it asked."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
        notes: Path,
        type_names: Mapping[int, str] = REQUEST_TYPE_NAMES,
        confirmations: int | None = None,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._keys = keys
        self._directory = directory
        self._notes = RequestNotes(notes)
        self._type_names = type_names
        self._book = LockBook(gateway, confirmations=confirmations)
        self._disputes = AnswerDisputes(
            gateway=gateway,
            store=store,
            keys=keys,
            directory=directory,
            type_names=type_names,
            confirmations=confirmations,
        )

    # ---- devices

    def set_policy(self, device: str, policy: Policy) -> Receipt:
        """Set what the owner wants to be told of a device."""
        return self._gateway.transact("NotificationBoard", "setPolicy", device, policy.as_tuple())

    def give_consent(
        self, device: str, *, expires_at: int, purpose: bytes = DATA_SHARING_PURPOSE
    ) -> Receipt:
        """Let a device's readings into data sets until `expires_at` (unix seconds, exclusive)."""
        return self._gateway.transact("ConsentBook", "give", device, purpose, expires_at)

    def withdraw_consent(self, device: str, *, purpose: bytes = DATA_SHARING_PURPOSE) -> Receipt:
        """Withdraw the consent, effective for the next data set."""
        return self._gateway.transact("ConsentBook", "withdraw", device, purpose)

    def notifications(self, *, from_block: int | None = None) -> list[Notification]:
        """Return the notifications of all own devices, oldest first, with the reports opened and
        verified.
        """
        reader = NotificationReader(self._gateway, self._store, self._keys)
        found = [
            one
            for device in self._directory.devices_of(self._keys.address)
            for one in reader.of_device(device, from_block=from_block)
        ]
        return sorted(found, key=lambda one: one.block_number)

    # ---- requests

    def request(
        self,
        type_id: int,
        *,
        devices: Sequence[str],
        window_from: int,
        window_to: int,
        expires_at: int | None = None,
        processor: str | None = None,
    ) -> PaidRequest:
        """Check the terms, seal and sign the request, and prepay it.

        The window is whole UTC days, [window_from, window_to). `expires_at` is T; left out, twice
        the type's shortest time from now. Raises TermsUnfit before anything is paid, and the
        contract's named error if it refuses.
        """
        require_devices(devices)
        price_wei, shortest_s = self._terms(type_id)
        if window_from % SECONDS_PER_DAY or window_to % SECONDS_PER_DAY or window_from >= window_to:
            raise TermsUnfit("a window runs from one UTC midnight to a later one")
        now = self._gateway.now()
        until = now + 2 * shortest_s if expires_at is None else expires_at
        if until - now < shortest_s:
            raise TermsUnfit(f"T must lie at least {shortest_s} s ahead; choose a later one")
        prepared = self.prepare(
            type_id,
            devices=devices,
            window_from=window_from,
            window_to=window_to,
            expires_at=until,
            price_wei=price_wei,
            processor=processor or self._local_processor(),
        )
        receipt = self._gateway.transact(
            "PrepaidLock",
            "request",
            prepared.order,
            prepared.signature,
            value_wei=price_wei,
            gas=REQUEST_GAS,
            intent=f"request:{prepared.lock_id.hex()}",
        )
        return PaidRequest(prepared.lock_id, until, price_wei, receipt)

    def prepare(
        self,
        type_id: int,
        *,
        devices: Sequence[str],
        window_from: int,
        window_to: int,
        expires_at: int,
        price_wei: int,
        processor: str,
    ) -> RequestDraft:
        """Seal and sign a request and note what it asks, without checking terms and without
        paying.
        """
        draft = draft_request(
            type_id,
            devices=devices,
            window=(window_from, window_to),
            expires_at=expires_at,
            price_wei=price_wei,
            processor=processor,
            gateway=self._gateway,
            store=self._store,
            keys=self._keys,
            directory=self._directory,
        )
        asked = AskedRequest(
            type_id,
            tuple(devices),
            window_from,
            window_to,
            message=draft.message,
            opening=draft.opening,
        )
        self._notes.write(draft.lock_id, asked)
        return draft

    def lock(self, lock_id: bytes) -> Lock:
        """Return a lock as the chain has it."""
        return self._book.lock(lock_id)

    def newest_locks(self) -> list[tuple[Lock, bool]]:
        """Return the own locks as the newest block has them, oldest first, each with whether that
        is final. To inform: nothing may be released for it.
        """
        newest = LockBook(self._gateway, confirmations=0)
        found = newest.locks("Requested", payer=self._keys.address)
        return [(one, self._book.lock(one.lock_id) == one) for one in found]

    def my_locks(self) -> list[bytes]:
        """Return the locks of this user's requests, oldest first."""
        found = self._book.events("Requested", payer=self._keys.address)
        return [bytes(event.args["lockId"]) for event in found]

    # ---- answers

    def answer(self, lock_id: bytes) -> OpenedAnswer:
        """Open the answer once its factor was revealed. Raises AnswerNotReady, AnswerInvalid."""
        book = self._book.as_of_now()
        return open_answer(
            book.lock(lock_id),
            gateway=self._gateway,
            store=self._store,
            keys=self._keys,
            directory=self._directory,
            book=book,
        )

    def wait_answer(self, lock_id: bytes, *, timeout_s: float, poll_s: float = 0.5) -> OpenedAnswer:
        """Wait for the answer and open it; look at each new block, and every `poll_s` at least.

        Raises AnswerNotReady when the lock ended otherwise, or time is up; StoreUnavailable when no
        store answered until then, NotOnChain when the claim was off the chain.
        """
        give_up_at, fetching = time.monotonic() + timeout_s, None
        head, look_s = head_or_none(self._gateway), POLL_S
        while True:
            try:
                return self.answer(lock_id)
            except AnswerNotReady as not_ready:
                if not_ready.state not in _PENDING or time.monotonic() >= give_up_at:
                    raise
                if fetching is None and not_ready.state is LockState.ACCEPTED:
                    fetching = threading.Thread(
                        target=self._fetch, args=(lock_id,), name="fetch-answer", daemon=True
                    )
                    fetching.start()
                    look_s = _CLAIM_POLL_S
            except (NotOnChain, StoreUnavailable):  # taken off since, or down: it comes back
                if time.monotonic() >= give_up_at:
                    raise
            head = wait_for_block(self._gateway, after=head, timeout_s=poll_s, poll_s=look_s)

    def _fetch(self, lock_id: bytes) -> None:
        """Have one's own store fetch the sealed answer while the claim is on its way."""
        try:
            lock = self._book.lock(lock_id)
            self._store.get(lock.answer_digest, max_bytes=lock.answer_length)
        except DmsmError as error:  # whoever opens the answer meets it again, and says so
            _log.info("the answer of %s was not fetched beforehand: %s", lock_id.hex(), error)

    def audit(self, lock_id: bytes, tariff: Tariff) -> AuditReport:
        """Audit an answer against what was asked, the anchored readings and the tariff."""
        opened, asked = self.answer(lock_id), self._notes.read(lock_id)
        kind = self._type_names.get(asked.type_id, f"type {asked.type_id}")
        return audit_answer(opened, asked, tariff, gateway=self._gateway, kind=kind)

    # ---- when the answer is withheld or wrong

    def demand_wei(self, lock_id: bytes) -> int:
        """Return what `demand` deposits. Raises TermsUnfit when nothing can be demanded."""
        return self._disputes.demand_wei(lock_id)

    def demand(self, lock_id: bytes) -> Receipt:
        """Demand the sealed answer on chain, because nobody serves it."""
        return self._disputes.demand(lock_id)

    def slash(self, lock_id: bytes) -> Receipt:
        """End a lock whose answer was demanded and not served in time."""
        return self._disputes.slash(lock_id)

    def prepare_dispute(
        self, lock_id: bytes, tariff: Tariff, *, force: bool = False
    ) -> PreparedDispute:
        """Make the evidence of a dispute and look at it as a judge does. Sends nothing.

        Without a note of the request the judges do not learn the window. `force`: although the
        answer is not served; else that raises TermsUnfit.
        """
        return self._disputes.prepare(lock_id, tariff, self._asked_or_none(lock_id), force=force)

    def dispute(self, prepared: PreparedDispute) -> Receipt:
        """Dispute an answer: put up the bond and show the judges the evidence."""
        return self._disputes.dispute(prepared)

    def add_evidence(self, lock_id: bytes) -> Receipt:
        """Show the judges of one's own dispute an answer that was not served when it began."""
        return self._disputes.add_evidence(lock_id, self._asked_or_none(lock_id))

    # ---- money

    def refund(self, lock_id: bytes) -> Receipt:
        """Take the prepayment back because T passed."""
        return self._book.refund(lock_id)

    def withdrawable_wei(self) -> int:
        """Return what may be withdrawn."""
        return self._book.withdrawable_wei()

    def withdraw(self) -> Receipt | None:
        """Withdraw what is this user's own; None if there is nothing."""
        return self._book.withdraw()

    # ---- inside

    def _asked_or_none(self, lock_id: bytes) -> AskedRequest | None:
        try:
            return self._notes.read(lock_id)
        except MemberError:
            return None

    def _terms(self, type_id: int) -> tuple[int, int]:
        try:
            terms = self._gateway.call("RequestCatalogue", "openType", type_id)
        except ContractRevert as revert:
            raise TermsUnfit(f"request type {type_id} is not open: {revert.sentence}") from revert
        return int(terms.priceWei), int(terms.shortestSeconds)

    def _local_processor(self) -> str:
        try:
            me = self._directory.active_member(self._keys.address, MemberRole.USER)
            return self._directory.processor_of(me.region_id)
        except UnfitMember as error:
            raise TermsUnfit(str(error)) from error
