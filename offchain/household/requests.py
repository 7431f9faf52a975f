"""A household's requests: sealed to the local node and prepaid (protocol §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.chain.facts import ContractRevert, Receipt
from offchain.chain.gateway import ChainGateway
from offchain.household.request_draft import RequestDraft, draft_request, require_devices
from offchain.member.directory import MemberDirectory
from offchain.member.errors import TermsUnfit, UnfitMember
from offchain.member.keys import MemberKeys
from offchain.member.locks import REQUEST_GAS
from offchain.member.request_notes import AskedRequest, RequestNotes
from offchain.member.roles import MemberRole
from offchain.storage import ContentStore
from offchain.types import SECONDS_PER_DAY


@dataclass(frozen=True)
class PaidRequest:
    """A request that was paid: the lock, its T, and the transaction."""

    lock_id: bytes
    expires_at: int
    price_wei: int
    receipt: Receipt


class Requests:
    """Ask and prepay. What was asked is noted first: the chain holds it only sealed to the node."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
        notes: RequestNotes,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._keys = keys
        self._directory = directory
        self._notes = notes

    def ask(
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
        until = self._gateway.now() + 2 * shortest_s if expires_at is None else expires_at
        if until - self._gateway.now() < shortest_s:
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
