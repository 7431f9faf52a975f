"""A household's requests: sealed to the local node and prepaid (protocol §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offchain.billing.registers import Span
from offchain.billing.window import is_day_start, require_window
from offchain.billing.zones import zone
from offchain.chain.facts import ContractRevert, Receipt
from offchain.errors import BillingError, DmsmError
from offchain.household.planning import AskingPlan
from offchain.household.request_draft import RequestDraft, draft_request, require_devices
from offchain.index.asked import members as asked_members
from offchain.index.chain_index import ChainIndex
from offchain.member.acting import Acting
from offchain.member.directory import MemberDirectory
from offchain.member.errors import PartlyAsked, TermsUnfit, UnfitMember
from offchain.member.lock_terms import (
    OTHER_TERMS,
    LockTerms,
    RequestConditions,
    read_conditions,
    request_conditions,
)
from offchain.member.locks import REQUEST_GAS
from offchain.member.request_notes import AskedRequest, RequestNotes
from offchain.member.roles import MemberRole
from offchain.types import Account

# A price is no term: it is what is sent along.
_CHANGED = (OTHER_TERMS, "PrepaidLock_WrongValue")


@dataclass(frozen=True)
class PaidRequest:
    """A request that was paid: the lock, its T, the terms it was signed for, the transaction."""

    lock_id: bytes
    expires_at: int
    price_wei: int
    terms: LockTerms
    receipt: Receipt


class Requests(Acting):
    """Ask and prepay. What was asked is noted first: the chain holds it only sealed to the node.

    `own` is what `Acting` takes.
    """

    def __init__(
        self,
        *,
        index: ChainIndex,
        notes: RequestNotes,
        **own: Any,
    ) -> None:
        super().__init__(**own)
        self._index = index
        self._notes = notes

    def ask(
        self,
        type_id: int,
        *,
        devices: Sequence[str],
        window_from: int,
        window_to: int,
        time_zone: str,
        product: str,
        expires_at: int | None = None,
        processor: str | None = None,
    ) -> PaidRequest:
        """Check the terms, seal and sign the request, and prepay it.

        The window [window_from, window_to) is whole local days of `time_zone`; `product` names the
        tariffs. `expires_at` is T; left out, twice
        the type's shortest time from now. Raises TermsUnfit before anything is paid, also when the
        terms that were signed do not hold any more, and the contract's named error if it refuses.
        """
        require_devices(devices)
        _require_days((window_from, window_to), time_zone)
        now, conditions, directory = self._look_ahead(type_id, processor)
        shortest_s = conditions.shortest_s
        until = now + 2 * shortest_s if expires_at is None else expires_at
        if until - now < shortest_s:
            raise TermsUnfit(f"T must lie at least {shortest_s} s ahead; choose a later one")
        prepared = self._prepared(
            type_id,
            devices=devices,
            window=(window_from, window_to),
            time_zone=time_zone,
            product=product,
            expires_at=until,
            price_wei=conditions.price_wei,
            terms=conditions.terms,
            processor=processor or _local_processor(directory, self._keys.address),
            directory=directory,
            signed_at=now,
        )
        receipt = self._paid(prepared, type_id, conditions)
        return PaidRequest(prepared.lock_id, until, prepared.price_wei, conditions.terms, receipt)

    def ask_parts(
        self, plan: AskingPlan, *, expires_at: int | None = None, processor: str | None = None
    ) -> list[PaidRequest]:
        """Ask and prepay every part of a plan, one after another.

        Raises as `ask` does; PartlyAsked names the locks that were paid before that.
        """
        paid: list[PaidRequest] = []
        for start, end in plan.parts:
            try:
                one = self.ask(
                    plan.wanted.type_id,
                    devices=plan.wanted.devices,
                    window_from=start,
                    window_to=end,
                    time_zone=plan.wanted.time_zone,
                    product=plan.wanted.product,
                    expires_at=expires_at,
                    processor=processor,
                )
            except DmsmError as error:
                if paid:
                    raise PartlyAsked([one.lock_id for one in paid], error) from error
                raise
            paid.append(one)
        return paid

    def prepare(
        self,
        type_id: int,
        *,
        devices: Sequence[str],
        window_from: int,
        window_to: int,
        time_zone: str,
        product: str,
        expires_at: int,
        price_wei: int,
        terms: LockTerms,
        processor: str,
    ) -> RequestDraft:
        """Seal and sign a request and note what it asks, without checking terms and without
        paying.
        """
        return self._prepared(
            type_id,
            devices=devices,
            window=(window_from, window_to),
            time_zone=time_zone,
            product=product,
            expires_at=expires_at,
            price_wei=price_wei,
            terms=terms,
            processor=processor,
            directory=self._directory,
        )

    def _prepared(
        self,
        type_id: int,
        *,
        devices: Sequence[str],
        window: Span,
        time_zone: str,
        product: str,
        **rest: Any,
    ) -> RequestDraft:
        draft = draft_request(
            type_id,
            devices=devices,
            window=window,
            time_zone=time_zone,
            product=product,
            gateway=self._gateway,
            store=self._store,
            keys=self._keys,
            **rest,
        )
        asked = AskedRequest(
            type_id,
            tuple(devices),
            *window,
            time_zone,
            product,
            message=draft.message,
            opening=draft.opening,
        )
        self._notes.write(draft.lock_id, asked)
        return draft

    def _paid(self, draft: RequestDraft, type_id: int, signed: RequestConditions) -> Receipt:
        """Send the order. Raises TermsUnfit when what was signed does not hold any more."""
        try:
            return self._gateway.transact(
                "PrepaidLock",
                "request",
                draft.order,
                draft.signature,
                value_wei=draft.price_wei,
                gas=REQUEST_GAS,
                intent=f"request:{draft.lock_id.hex()}",
            )
        except ContractRevert as revert:
            if revert.name not in _CHANGED:
                raise
            present = request_conditions(self._gateway, type_id)
            raise TermsUnfit(
                f"the terms changed while this was asked, and nothing was paid: signed were "
                f"{signed.text()}; asked again would be {present.text()}"
            ) from revert

    def _look_ahead(
        self, type_id: int, processor: str | None
    ) -> tuple[int, RequestConditions, MemberDirectory]:
        """Ask at once for all that a request needs to know: the time, what the type asks for, the
        members in question and who serves the region. The tables say whom to ask about; where they
        know too little, or what has changed since, is asked for when it is needed.
        """
        me, region_id, served_by = self._keys.address, None, processor
        newest = self._index.newest()
        if (told := asked_members.member(self._index, me, newest)) is not None:
            region_id = told["region_id"]
        if served_by is None and region_id is not None:
            role = MemberRole.PROCESSOR
            serving = asked_members.active(self._index, role, newest, region_id=region_id)
            served_by = serving[0]["account"] if serving else None
        members = [one for one in (me, served_by) if one is not None]
        ask = self._gateway.asking
        asked = [ask("RequestCatalogue", "requestConditions", type_id)]
        asked += [ask(*MemberDirectory.question(one)) for one in members]
        if region_id is not None:
            asked.append(ask(*MemberDirectory.region_question(region_id)))
        block, (conditions, *answers) = self._gateway.ask_together(asked)
        known = dict(zip(members, answers[: len(members)], strict=True))
        serves = {} if region_id is None else {region_id: answers[-1]}
        return (
            self._gateway.now(block),
            read_conditions(type_id, conditions),
            self._directory.knowing(known, serves=serves),
        )


def _local_processor(directory: MemberDirectory, account: str) -> Account:
    try:
        me = directory.active_member(account, MemberRole.USER)
        return directory.processor_of(me.region_id)
    except UnfitMember as error:
        raise TermsUnfit(str(error)) from error


def _require_days(window: Span, time_zone: str) -> None:
    """Raise TermsUnfit unless a window is whole local days of a zone."""
    try:
        local = zone(time_zone)
        require_window(*window)
    except BillingError as error:
        raise TermsUnfit(str(error)) from error
    for instant in window:
        if not is_day_start(instant, local):
            raise TermsUnfit(
                f"a window is whole local days; no day of {time_zone} begins at {instant}"
            )
