"""What a window costs to ask, before anything is paid: how many requests it takes, and the price.

The node tells how many readings it holds of each UTC day, and the chain has them in batches; what
they can take of an answer at most follows from their number alone (`records.answer_size`). So the
parts fit their answers, and the whole price is known. A node that tells too few rejects its own
requests, and the prices come back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from offchain.billing.answering import BILL
from offchain.billing.book import Booked, calendar
from offchain.billing.registers import Span
from offchain.billing.result_size import result_bytes_at_most
from offchain.billing.window_parts import split_window, utc_days
from offchain.billing.zones import zone
from offchain.chain.gateway import ChainGateway
from offchain.index.asked import ledger
from offchain.index.asked.tariffs import all_entries
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import TermsUnfit
from offchain.member.lock_terms import request_conditions
from offchain.member.tariff_book import TariffBook
from offchain.records.answer_size import day_bytes, room_bytes
from offchain.records.held_days import HeldDay
from offchain.types import SECONDS_PER_DAY, utc

DaysOf = Callable[[str, Span], list[HeldDay]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Wanted:
    """What is to be asked: a request type by id and kind, devices, a window of local days of a
    zone, and the product whose tariffs price it.
    """

    type_id: int
    kind: str
    devices: tuple[str, ...]
    window: Span
    time_zone: str
    product: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AskingPlan:
    """The requests that a window takes, each for a part of it, and what each costs.

    `readings` None: the node was not asked, and one request was wanted, whatever its answer takes.
    """

    wanted: Wanted
    parts: tuple[Span, ...]
    price_wei: int
    readings: int | None

    @property
    def total_wei(self) -> int:
        """The price of all parts."""
        return self.price_wei * len(self.parts)


class Planner:
    """Plan requests to the region's node, which `days_of` asks for what it holds."""

    def __init__(
        self, gateway: ChainGateway, index: ChainIndex, tariffs: TariffBook, days_of: DaysOf
    ) -> None:
        self._gateway, self._index = gateway, index
        self._tariffs, self._days_of = tariffs, days_of

    def plan(self, wanted: Wanted, *, region_id: bytes) -> AskingPlan:
        """Return the parts that a window is asked in, and the price. Pays nothing.

        Raises TermsUnfit when nothing can be billed by what the node holds, or what it tells is not
        what the chain has; BillingError for a day that no tariff prices, or that fits no answer.
        """
        newest = self._index.follower.catch_up()
        booked = self._tariffs.look_up(region_id, wanted.product, wanted.window, as_of_block=newest)
        for day in zone(booked.tariffs[0].time_zone).days_between(*wanted.window):
            booked.on(day)
        told = {device: self._told(device, wanted, newest) for device in wanted.devices}
        asked = utc_days(wanted.window)
        days = [day for of_device in told.values() for day in of_device if day.day in asked]
        parts = fitting_parts(wanted, booked, days)
        _require_ground(parts, told)
        if wanted.kind != BILL and not days:
            raise TermsUnfit("the node holds no readings in this window: nothing to advise on")
        return AskingPlan(
            wanted=wanted,
            parts=tuple(parts),
            price_wei=request_conditions(self._gateway, wanted.type_id).price_wei,
            readings=sum(one.readings for one in days),
        )

    def as_one(self, wanted: Wanted) -> AskingPlan:
        """Return the plan of one request for the whole window, without asking the node. It rejects
        what no answer has room for, and the price comes back.
        """
        price_wei = request_conditions(self._gateway, wanted.type_id).price_wei
        return AskingPlan(wanted=wanted, parts=(wanted.window,), price_wei=price_wei, readings=None)

    def product(self, region_id: bytes, wanted: str | None) -> str:
        """Return the product to ask by: the wanted one, or the region's only one.

        Raises TermsUnfit naming those that there are.
        """
        newest = self._index.follower.catch_up()
        entries = all_entries(self._index, region_id, newest)
        names = list(dict.fromkeys(bytes(row["product_name"]) for row in entries))
        known = [name.decode() for name in names if _is_text(name)]
        if wanted in known or (wanted is None and len(known) == 1):
            return wanted or known[0]
        if not known:
            raise TermsUnfit("the region's book has no tariff yet; nothing can be priced")
        listed = ", ".join(ascii(name) for name in known)
        raise TermsUnfit(f"name one of the region's products by --product: {listed}")

    def time_zone(self, region_id: bytes, product: str) -> str:
        """Return the zone of a product's newest tariff. Raises BillingError."""
        newest = self._index.follower.catch_up()
        book = self._tariffs.at(region_id, product, as_of_block=newest)
        lines = [one.tariff for one in calendar(book) if one.tariff is not None]
        if not lines:
            raise TermsUnfit(f"no tariff of {product!r} can be read now; give the zone by --zone")
        return lines[-1].time_zone

    def _told(self, device: str, wanted: Wanted, block: int) -> list[HeldDay]:
        """Return what the node says that it holds in a window and beside it. What the window will
        be billed by is as the chain has it: the days in it, or where there are none those beside.
        """
        days = self._days_of(device, wanted.window)
        asked = utc_days(wanted.window)
        used = [one for one in days if one.day in asked] or days
        if not used:
            return []
        first, end = used[0].from_seq, used[-1].next_seq
        anchored = ledger.batches_over(self._index, device, block, from_seq=first, to_seq=end)
        starts = [row["from_seq"] for row in anchored]
        ends = {row["next_seq"] for row in anchored}
        for one in used:
            batches = sum(one.from_seq <= seq < one.next_seq for seq in starts)
            is_whole = one.from_seq in starts and one.next_seq in ends
            if not is_whole or batches != one.batches:
                raise TermsUnfit(
                    f"the node tells of {one.readings} readings of {device} from seq "
                    f"{one.from_seq} in {one.batches} batches; the chain has them otherwise, or "
                    "not yet: try again"
                )
        return days


def _require_ground(parts: Sequence[Span], told: Mapping[str, Sequence[HeldDay]]) -> None:
    """Raise TermsUnfit for a part that lies before a device's first reading or behind its last."""
    for device, days in told.items():
        for asked in map(utc_days, parts):
            before = any(one.day < asked.stop for one in days)
            behind = any(one.day >= asked.start for one in days)
            if not (before and behind):
                raise _unfit(device, asked)


def _unfit(device: str, days: range) -> TermsUnfit:
    first, last = (utc(day * SECONDS_PER_DAY)[:10] for day in (days.start, days.stop - 1))
    return TermsUnfit(
        f"the node holds no readings of {device} in the UTC days {first} to {last}, nor on both "
        "sides of them: nothing can be billed; ask for days between its first reading and its last"
    )


def fitting_parts(wanted: Wanted, booked: Booked, days: Sequence[HeldDay]) -> list[Span]:
    """Return a window in as few parts as fit an answer each, whatever the readings are.

    `booked` is what prices the window, `days` what the node holds of all devices. Raises
    BillingError for a local day that fits no answer.
    """
    result = result_bytes_at_most(
        wanted.kind,
        booked.tariffs,
        series=len(booked.series.by_digest) + sum(map(len, booked.series.by_name.values())),
        devices=len(wanted.devices),
        window=wanted.window,
    )
    sizes: Counter[int] = Counter()
    for one in days:
        sizes[one.day] += day_bytes(one.readings, one.batches)
    return split_window(
        wanted.window,
        zone(wanted.time_zone),
        bytes_of_day=sizes,
        room_bytes=room_bytes(len(wanted.devices), result),
    )


def _is_text(name: bytes) -> bool:
    try:
        return bool(name.decode())
    except UnicodeDecodeError:
        return False
