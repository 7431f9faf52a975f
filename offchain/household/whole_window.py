"""The one bill, or advice, of a window that was asked in parts: made of the readings of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from offchain.audit.answers import AuditReport
from offchain.audit.working import region_of, worked_out
from offchain.billing.advice import Advice
from offchain.billing.answering import Prices, work_out
from offchain.billing.bill import Bill
from offchain.billing.registers import Span
from offchain.chain.gateway import ChainGateway
from offchain.member.errors import MemberError
from offchain.member.request_notes import AskedRequest
from offchain.member.tariff_book import TariffBook
from offchain.types import Account, Reading


@dataclass(frozen=True, repr=False)
class AuditedPart:
    """One answer of several: what was asked, and what the audit of it found."""

    lock_id: bytes
    processor: str
    asked: AskedRequest
    report: AuditReport


class WholeWindow:
    """What audited answers hold together. The parts may come in any order.

    Raises MemberError for parts that are not of one question, leave days between them, or lack
    readings.
    """

    def __init__(self, parts: Sequence[AuditedPart], *, kind: str) -> None:
        self._parts = sorted(parts, key=lambda part: part.asked.window_from)
        self._kind = kind
        _require_one_question([part.asked for part in self._parts])
        self.readings = _joined([part.report.readings for part in self._parts])

    @property
    def window(self) -> Span:
        """From where the first part begins to where the last one ends."""
        return self._parts[0].asked.window_from, self._parts[-1].asked.window_to

    @property
    def as_of_block(self) -> int:
        """The newest block of an answer: the tariffs of then price the whole."""
        return max(part.report.as_of_block for part in self._parts)

    def by_the_chain(self, gateway: ChainGateway, tariffs: TariffBook) -> Bill | Advice:
        """Work it out by the chain's tariffs. Raises BillingError."""
        first = self._parts[0]
        return worked_out(
            self._kind,
            self.readings,
            window=self.window,
            product=first.asked.product,
            region_id=region_of(gateway, first.processor),
            as_of_block=self.as_of_block,
            tariffs=tariffs,
            gateway=gateway,
        ).result

    def by_own(self, prices: Prices, gateway: ChainGateway) -> Bill | Advice:
        """Work it out by tariffs of one's own, which say nothing about the node's bill."""
        as_of_s = gateway.block(self.as_of_block).timestamp
        return work_out(self._kind, self.readings, prices, window=self.window, as_of_s=as_of_s)


def _require_one_question(asked: Sequence[AskedRequest]) -> None:
    if not asked:
        raise MemberError("there is no answer to make a bill of")
    first = asked[0]
    for before, after in pairwise(asked):
        same = ("type_id", "time_zone", "product")
        is_same = all(getattr(after, name) == getattr(first, name) for name in same)
        if not is_same or set(after.devices) != set(first.devices):
            raise MemberError(
                "the answers are of different questions (type, devices, zone or product): audit "
                "them one by one"
            )
        if after.window_from != before.window_to:
            raise MemberError(
                f"no answer is there for the time from {before.window_to} to {after.window_from} "
                "(unix): give the locks of all parts"
            )


def _joined(
    parts: Sequence[Mapping[Account, Sequence[Reading]]],
) -> dict[Account, list[Reading]]:
    """Return each device's readings of all parts, each once, in order."""
    found: dict[Account, dict[int, Reading]] = {}
    for part in parts:
        for device, readings in part.items():
            found.setdefault(device, {}).update((one.seq, one) for one in readings)
    joined = {device: [rows[seq] for seq in sorted(rows)] for device, rows in found.items()}
    for device, rows in joined.items():
        for before, after in pairwise(rows):
            if after.seq != before.seq + 1:
                raise MemberError(
                    f"the readings {before.seq + 1} to {after.seq - 1} of {device} are in none of "
                    "the answers"
                )
    return joined
