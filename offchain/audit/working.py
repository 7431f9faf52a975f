"""What comes of readings by the chain's tariffs, for whoever asks: node, household and judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.billing.advice import Advice
from offchain.billing.answering import ADVICE, Prices, work_out
from offchain.billing.bill import Bill
from offchain.billing.book import Booked
from offchain.billing.coming_days import DAYS_AHEAD
from offchain.billing.registers import Span
from offchain.chain.gateway import ChainGateway
from offchain.member.tariff_book import TariffBook
from offchain.types import SECONDS_PER_DAY, Account, Reading


@dataclass(frozen=True, repr=False)
class Worked:
    """A bill or advice, and by which tariffs of the book it was made."""

    result: Bill | Advice
    booked: Booked

    def tariffs_text(self) -> str:
        """Name the tariffs, and say which were entered by vote after their days had begun."""
        names = {
            one.tariff.digest: f"{one.tariff.name!r} {one.tariff.digest[:8]}…"
            + (", a correction by the consortium's vote" if one.entry.is_correction else "")
            for one in self.booked.held
        }
        return "; ".join(names[digest] for digest in self.result.tariffs)


def worked_out(
    kind: str,
    devices: Mapping[Account, Sequence[Reading]],
    *,
    window: Span,
    product: str,
    region_id: bytes,
    as_of_block: int,
    tariffs: TariffBook,
    gateway: ChainGateway,
) -> Worked:
    """Make the bill of a window, or advice on it, by a product of a region.

    Everything is as of a block: tariffs and series are those of the book then, and the coming days
    of advice begin at its time. Raises BillingError; DocumentMissing, ChainError and
    ChainIndexError say that nothing follows yet.
    """
    where = (region_id, product)
    booked = tariffs.look_up(*where, window, as_of_block=as_of_block)
    prices = Prices(booked, booked.series)
    as_of_s, ahead = 0, None  # a bill is of no day to come
    if kind == ADVICE:
        as_of_s = gateway.block(as_of_block).timestamp
        coming = (as_of_s, as_of_s + (DAYS_AHEAD + 2) * SECONDS_PER_DAY)
        later = tariffs.look_up(*where, coming, as_of_block=as_of_block)
        ahead = Prices(later, later.series)
    found = work_out(kind, devices, prices, window=window, as_of_s=as_of_s, ahead=ahead)
    return Worked(found, booked)


def region_of(gateway: ChainGateway, processor: str) -> bytes:
    """Return the region of a processor, active or revoked: it never changes."""
    profile, _ = gateway.call("MemberRegistry", "memberOf", processor)
    return bytes(profile[1])
