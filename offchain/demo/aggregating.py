"""A region's energy added under encryption: consent, deal, announce, open by t, compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from offchain.audit.aggregate_opening import Totals, combine_openings
from offchain.audit.aggregates import AggregateBook
from offchain.buyer.aggregates import AggregateOpener
from offchain.buyer.opening_record import OpeningRecord
from offchain.demo.world import BuyerSite, HomeSite, NodeSite, World
from offchain.errors import DmsmError
from offchain.household.neighbourhood import Neighbourhood, compare, own_slots
from offchain.member.directory import MemberDirectory
from offchain.node.aggregate_key import AggregateDealer
from offchain.node.aggregate_set import AggregatePublisher
from offchain.node.aggregate_store import AggregateStore
from offchain.records.aggregate_opening import MemberOpening
from offchain.records.aggregate_set import AGGREGATION_PURPOSE, Announcement
from offchain.records.slots import SlotEnergy
from offchain.storage import open_store
from offchain.types import SECONDS_PER_DAY, Reading, to_account

MIN_DAYS = 3
CONSENT_S = 30 * SECONDS_PER_DAY
MIN_HOMES = 3


class TotalsWrong(DmsmError):
    """What the members opened is not the sum of the meters."""


@dataclass(frozen=True, slots=True)
class AggregateRound:
    """What t sharing nodes opened of a region's day, and what its meters show in the clear."""

    totals: Totals
    expected: tuple[SlotEnergy, ...]
    neighbourhood: Neighbourhood

    @property
    def is_right(self) -> bool:
        """Whether every total is the sum of the meters' energies."""
        return self.totals.slots == self.expected


def is_possible(world: World) -> bool:
    """Whether the first region has enough real homes and days (their readings fill every slot)."""
    homes = world.homes_of(world.nodes[0])
    has_days = all(len(home.days) >= MIN_DAYS for home in homes)
    return world.options.readings is None and len(homes) >= MIN_HOMES and has_days


def show_neighbourhood(world: World) -> None:
    """Add the first region's day, and tell its first home how it compares.

    Raises TotalsWrong when a total is not the sum of the meters.
    """
    found = aggregate_region(world, world.nodes[0])
    if not found.is_right:
        raise TotalsWrong(f"opened {found.totals.slots}, the meters say {found.expected}")
    home = world.homes_of(world.nodes[0])[0].home.name
    world.report.results[f"{home}: the neighbourhood"] = (
        f"{found.neighbourhood.own.import_wh / 1000:.1f} kWh in a day against "
        f"{found.neighbourhood.mean.import_wh / 1000:.1f} kWh a home of the others, whose readings "
        f"it never saw: {len(found.expected)} hourly totals opened under a threshold key"
    )


def aggregate_region(world: World, node: NodeSite) -> AggregateRound:
    """Add the second day of a region's homes under encryption, open the totals by t members, and
    compare the first home with its neighbours.

    Needs three homes with readings of three days (NothingToPublish for fewer); the first region
    of the default run has them. Some 10 s at full size, most of it for the primes.
    """
    homes = world.homes_of(node)
    for home in homes:
        until = home.gateway.now() + CONSENT_S
        home.household.consents.give(home.device, expires_at=until, purpose=AGGREGATION_PURPOSE)
    start = homes[0].utc_window[0] + SECONDS_PER_DAY
    announcement, threshold = _announce(world, node, start)
    with open_store(world.ground.content_urls[-1]) as content:  # as everybody else reads it
        book = AggregateBook(
            node.gateway, node.index, content, MemberDirectory(node.gateway, content)
        )
        openings = [
            _open(world, sharer, announcement, number)
            for number, sharer in enumerate(world.buyers[:threshold])
        ]
        totals = combine_openings(book.open(announcement), openings)
    energies = [_energies(home, totals) for home in homes]
    columns = zip(*energies, strict=True)
    return AggregateRound(
        totals=totals,
        expected=tuple(SlotEnergy.total([one for one in column if one]) for column in columns),
        neighbourhood=compare(totals, energies[0], is_in_set=True),
    )


def _announce(world: World, node: NodeSite, start: int) -> tuple[Announcement, int]:
    directory = MemberDirectory(node.gateway, node.content)
    common: dict[str, Any] = {
        "gateway": node.gateway,
        "store": node.content,
        "directory": directory,
    }
    members = [sharer.keys.address for sharer in world.buyers]
    threshold = max(world.options.threshold, len(members) // 2 + 1)
    with AggregateStore(world.folder / f"node-{node.region_name}" / "aggregates.sqlite") as held:
        dealer = AggregateDealer(**common, held=held, processor=to_account(node.keys.address))
        dealer.deal(members, min_homes=MIN_HOMES, threshold=threshold)
        publisher = AggregatePublisher(
            **common,
            index=node.index,
            keys=node.keys,
            readings=node.held,
            held=held,
            book=AggregateBook(node.gateway, node.index, node.content, directory),
        )
        return publisher.publish(start, start + SECONDS_PER_DAY), threshold


def _open(
    world: World, sharer: BuyerSite, announcement: Announcement, number: int
) -> MemberOpening:
    record = OpeningRecord(world.folder / f"sharer-{number}" / "opened.sqlite")
    with record, open_store(world.ground.content_urls[-1]) as content:
        directory = MemberDirectory(sharer.gateway, content)
        book = AggregateBook(sharer.gateway, sharer.index, content, directory)
        opener = AggregateOpener(store=content, keys=sharer.keys, book=book, record=record)
        return opener.open(announcement)[0]


def _energies(home: HomeSite, totals: Totals) -> list[SlotEnergy | None]:
    """What the home's meter shows, slot by slot, without chain and node."""
    readings = [
        Reading(
            chain_id=0,
            device=home.device,
            seq=seq,
            time_s=sample.time_s,
            import_wh=sample.import_wh,
            export_wh=sample.export_wh,
            power_w=sample.power_w,
            temperature_dc=sample.temperature_dc,
            flags=sample.flags,
            nonce=bytes(32),
        )
        for seq, sample in enumerate(home.home.samples, start=1)
    ]
    return own_slots({home.device: readings}, totals)
