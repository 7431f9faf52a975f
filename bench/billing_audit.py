"""A year of quarter hours as a household audits it, for `bench.billing`.

The node's side is prepared, not timed: its own code packs the year out of a store into as many
answers as a household's plan asks for. The chain is a stand-in, so that asking it costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from bench.billing_held import hold, recorded
from bench.billing_inputs import ZONE, home, years
from bench.billing_stand_ins import BLOCK, CHAIN_ID, PRODUCT, REGION, Anchored, NoTables, Shelf
from offchain.audit.answers import AuditReport, audit_answer
from offchain.audit.coverage import rebuild_device
from offchain.audit.opened_answer import OpenedAnswer
from offchain.audit.working import worked_out
from offchain.billing.answering import BILL
from offchain.billing.registers import Span
from offchain.billing.window_parts import whole_utc_days
from offchain.chain.gateway import ChainGateway
from offchain.crypto.curve import G1_GENERATOR
from offchain.household.planning import Wanted, fitting_parts
from offchain.household.whole_window import AuditedPart, WholeWindow
from offchain.index.chain_index import ChainIndex
from offchain.member.locks import Lock
from offchain.member.request_notes import AskedRequest
from offchain.member.roles import LockState
from offchain.member.tariff_book import TariffBook
from offchain.node.held_days import held_days
from offchain.node.reply import compose_answer
from offchain.node.store import NodeStore
from offchain.node.windows import held_window
from offchain.records import answer as answers
from offchain.types import to_account

_DEVICE, _NODE = (to_account("0x" + text * 20) for text in ("d1", "e2"))
_BILL_TYPE = 1


@dataclass(frozen=True, repr=False)
class _Part:
    """An answer as the node packed it, and the question to it."""

    lock: Lock
    asked: AskedRequest
    data: bytes


class AuditedYear:
    """Make the answers; then `audit` them, from packed bytes to the bill of the year."""

    def __init__(self, folder: Path) -> None:
        window = years(1)
        self._tariffs = cast(TariffBook, Shelf())
        with NodeStore(folder / "node.sqlite") as held:
            made = hold(held, recorded(home(window), device=_DEVICE, chain_id=CHAIN_ID))
            self._chain = cast(ChainGateway, Anchored(made))
            self._parts = [self._answered(one, held) for one in self._planned(window, held)]

    @property
    def parts(self) -> int:
        """Return in how many answers the year came."""
        return len(self._parts)

    def rebuild(self) -> None:
        """Do of the audit only what comes before the bills: every reading, commitment and root."""
        for part in self._parts:
            for device in answers.decode(part.data).devices:
                rebuild_device(device, CHAIN_ID)

    def audit(self) -> None:
        """Audit each answer as `Answers.audit_parts` does, and make the one bill of the year.

        Left out is what is asked of others: the chain (it agrees at once; in which blocks a lock's
        steps stand is not asked), the content store, and the opening of seals and the check of σ_p.
        Raises AssertionError for a finding that does not hold.
        """
        audited = [
            AuditedPart(part.lock.lock_id, _NODE, part.asked, self._report(part))
            for part in self._parts
        ]
        whole = WholeWindow(audited, kind=BILL)
        bill = whole.by_the_chain(self._chain, self._tariffs)
        assert bill.to_json()["is_complete"], "the parts leave something out"

    def _report(self, part: _Part) -> AuditReport:
        opened = OpenedAnswer(part.lock, answers.decode(part.data), part.data, G1_GENERATOR, True)
        report = audit_answer(
            opened,
            part.asked,
            self._tariffs,
            gateway=self._chain,
            index=cast(ChainIndex, NoTables()),
            kind=BILL,
        )
        unlike = [one for one in report.findings if not one.ok and one.name != "as_of_block"]
        assert not unlike, unlike
        assert all(line.ok for line in report.lines)
        return report

    def _planned(self, window: Span, held: NodeStore) -> list[Span]:
        wanted = Wanted(
            type_id=_BILL_TYPE,
            kind=BILL,
            devices=(_DEVICE,),
            window=window,
            time_zone=ZONE.name,
            product=PRODUCT,
        )
        booked = self._tariffs.look_up(REGION, PRODUCT, window, as_of_block=BLOCK)
        return fitting_parts(wanted, booked, held_days(held, _DEVICE, window))

    def _answered(self, window: Span, held: NodeStore) -> _Part:
        start, end = whole_utc_days(window)
        found = held_window(held, self._chain, _DEVICE, from_s=start, to_s=end)
        assert found is not None
        bill = worked_out(
            BILL,
            {_DEVICE: found.all_readings},
            window=window,
            product=PRODUCT,
            region_id=REGION,
            as_of_block=BLOCK,
            tariffs=self._tariffs,
            gateway=self._chain,
        ).result
        lock = _lock(window)
        answer = compose_answer(
            lock,
            [found],
            kind=BILL,
            result=bill.to_json(),
            held=held,
            signed_at=end,
            as_of_block=BLOCK,
        )
        asked = AskedRequest(_BILL_TYPE, (_DEVICE,), *window, ZONE.name, PRODUCT)
        return _Part(lock, asked, answers.encode(answer))


def _lock(window: Span) -> Lock:
    """Return the claimed lock of a request for a window: only what an audit looks at matters."""
    return Lock(
        lock_id=window[0].to_bytes(32, "big"),
        payer=_DEVICE,
        payee=_NODE,
        state=LockState.CLAIMED,
        subject=_BILL_TYPE.to_bytes(32, "big"),
        **dict.fromkeys(("binding", "answer_digest"), bytes(32)),
        **dict.fromkeys(
            (
                "expires_at",
                "due_at",
                "price_wei",
                "threshold",
                "group_size",
                "is_demanded",
                "dispute_window_s",
                "answer_length",
                "fee_bps",
                "rules_version",
                "bond_wei",
            ),
            0,
        ),
    )
