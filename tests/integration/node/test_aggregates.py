"""A region's aggregate set on the real contracts: dealt, announced, added, opened by t of n."""

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from offchain.audit.aggregate_board import AggregateBoard
from offchain.audit.aggregate_opening import Totals, combine_openings
from offchain.audit.aggregates import Aggregate, AggregateBook
from offchain.buyer.aggregates import AggregateOpener
from offchain.buyer.buyer import Buyer
from offchain.buyer.opening_record import OpeningRecord
from offchain.chain.anvil import start_anvil
from offchain.crypto import paillier
from offchain.crypto.secret import SecretBytes
from offchain.errors import NotEnoughSharesError, StoreConflict
from offchain.household.neighbourhood import compare, own_slots
from offchain.index.errors import IndexBehind
from offchain.member.aggregation_consent import consenting_devices
from offchain.member.errors import (
    AggregateInvalid,
    AggregateRefused,
    MemberError,
    NothingToPublish,
)
from offchain.node.aggregate_intake import add_aggregates
from offchain.node.aggregate_key import AggregateDealer
from offchain.node.aggregate_set import AggregatePublisher
from offchain.node.aggregate_store import AggregateStore
from offchain.node.intake import NodeIdentity, create_intake
from offchain.node.serve import serve
from offchain.records import aggregate_set, signing
from offchain.records.aggregate_opening import MemberOpening
from offchain.records.aggregate_set import AGGREGATION_PURPOSE, Announcement, HomeRow
from offchain.types import SECONDS_PER_DAY, Reading
from tests.integration.town import (
    BITS,
    FIRST_DAY,
    Builder,
    House,
    Node,
)
from tests.unit.crypto.threshold_keys import public_primes

HOMES, MIN_HOMES, HOUR_S = 4, 3, 3_600
WINDOW = FIRST_DAY * SECONDS_PER_DAY, (FIRST_DAY + 1) * SECONDS_PER_DAY


@dataclass(kw_only=True)
class Street:
    """A region of four homes, the last of which does not consent, and three buyers."""

    builder: Builder
    node: Node
    homes: list[House]
    buyers: list[Buyer]
    held: AggregateStore
    book: AggregateBook
    publisher: AggregatePublisher
    openers: list[AggregateOpener]
    announcement: Announcement
    url: str

    def opener(self, number: int, **changes: object) -> AggregateOpener:
        parts = {
            "store": self.builder.store,
            "keys": self.buyers[number].keys,
            "book": self.book,
            "record": OpeningRecord(self.builder.folder / f"opened-{time.monotonic_ns()}.sqlite"),
        }
        return AggregateOpener(**{**parts, **changes})  # type: ignore[arg-type]

    def announce(self, rows: list[HomeRow], **changes: object) -> Announcement:
        """Announce another set, as a node that does not keep to the rules could."""
        genuine = self.book.open(self.announcement)
        width = genuine.public_key.encryption.byte_length
        data = aggregate_set.encode_rows(rows, modulus_bytes=width)
        cid = self.builder.store.put(data)
        parts = {"homes": len(rows), "rows_digest": cid.digest, "rows_length": len(data)}
        entry = dataclasses.replace(genuine.entry, rows_sha256=cid.digest, **(parts | changes))
        digest = self.builder.store.put(aggregate_set.encode_aggregate_set(entry)).digest
        unsigned = dataclasses.replace(self.announcement, set_digest=digest)
        key = SecretBytes(bytes(self.node.keys.account.key))
        return dataclasses.replace(unsigned, signature=signing.sign(unsigned.digest(), key))


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with start_anvil() as anvil:
        builder = Builder(anvil, tmp_path_factory.mktemp("street"))
        node = builder._node("north")
        homes = [builder._house(node, number) for number in range(HOMES)]
        for home in homes[:-1]:
            until = home.gateway.now() + 30 * SECONDS_PER_DAY
            home.household.consents.give(
                home.device.address, expires_at=until, purpose=AGGREGATION_PURPOSE
            )
        buyers = [builder._buyer() for _ in range(3)]
        held = AggregateStore(builder.folder / "aggregates.sqlite")
        book = AggregateBook(
            node.gateway, builder.index, builder.store, builder.directory, paillier_bits=BITS
        )
        common = {"gateway": node.gateway, "store": builder.store, "directory": builder.directory}
        dealer = AggregateDealer(**common, held=held, processor=node.keys.address)
        publisher = AggregatePublisher(
            **common, index=builder.index, keys=node.keys, readings=node.held, held=held, book=book
        )
        with pytest.raises(NothingToPublish, match="deal a key"):
            publisher.publish(*WINDOW)
        members = [buyer.keys.address for buyer in buyers]
        dealer.deal(members, min_homes=MIN_HOMES, primes=public_primes(BITS))
        app = create_intake(
            store=node.held,
            gateway=node.gateway,
            identity=NodeIdentity(account=node.keys.address, paillier=node.keys.decryption_key),
            content=builder.store,
        )
        add_aggregates(app, held=held, book=book, content=builder.store)
        with serve(app) as server:
            made = Street(
                builder=builder,
                node=node,
                homes=homes,
                buyers=buyers,
                held=held,
                book=book,
                publisher=publisher,
                openers=[],
                announcement=publisher.publish(*WINDOW),
                url=server.url,
            )
            made.openers = [made.opener(number) for number in range(3)]
            yield made


@pytest.fixture(scope="module")
def aggregate(street: Street) -> Aggregate:
    (announced,) = AggregateBoard(street.url).announcements()
    return street.book.open(announced)


@pytest.fixture(scope="module")
def openings(street: Street) -> list[MemberOpening]:
    return [opener.open(street.announcement)[0] for opener in street.openers[:2]]


@pytest.fixture(scope="module")
def totals(aggregate: Aggregate, openings: list[MemberOpening]) -> Totals:
    return combine_openings(aggregate, openings)


def energies(readings: list[Reading], hour: int) -> tuple[int, int]:
    """The steps of the registers over the interval that starts in an hour of the window's day."""
    start = WINDOW[0] + hour * HOUR_S
    at = next(n for n, one in enumerate(readings) if start <= one.time_s < start + HOUR_S)
    before, after = readings[at], readings[at + 1]
    return after.import_wh - before.import_wh, after.export_wh - before.export_wh


def test_publish__given_consents__holds_consenting_homes_alone(
    street: Street, aggregate: Aggregate
) -> None:
    owners = {home.keys.address for home in street.homes[:-1]}
    assert {row.owner for row in aggregate.rows} == owners
    assert aggregate.slots == 24
    assert street.publisher.publish(*WINDOW) == street.announcement  # nothing anew


def test_publish__given_an_overlap_or_too_few_homes__is_refused(street: Street) -> None:
    with pytest.raises(NothingToPublish, match="0 homes"):  # no reading after the last day
        street.publisher.publish(WINDOW[0], WINDOW[1] + SECONDS_PER_DAY)
    with pytest.raises(StoreConflict):
        street.held.put_set(
            from_s=WINDOW[0], to_s=WINDOW[1] + 1, set_digest=bytes(32), announcement=b"other"
        )


def test_totals__opened_by_two_of_three__are_the_sums_of_the_homes(
    street: Street, totals: Totals
) -> None:
    homes = street.homes[:-1]
    shown = [[energies(home.readings, hour) for home in homes] for hour in range(24)]
    expected = [tuple(map(sum, zip(*of_hour, strict=True))) for of_hour in shown]
    assert list(totals.slots) == expected
    assert any(export_wh for _, export_wh in expected)
    assert (totals.homes, totals.false_members) == (3, ())


def test_combine_openings__given_one_or_a_false_one__opens_nothing_and_names_it(
    street: Street, aggregate: Aggregate, openings: list[MemberOpening]
) -> None:
    first, second = openings
    with pytest.raises(NotEnoughSharesError):
        combine_openings(aggregate, [first])
    with pytest.raises(NotEnoughSharesError):
        combine_openings(aggregate, [first, first])
    stolen = dataclasses.replace(second, partials=first.partials)
    key = SecretBytes(bytes(street.buyers[1].keys.account.key))
    signed = dataclasses.replace(
        stolen, signature=signing.sign(stolen.digest(street.announcement), key)
    )
    for false in (stolen, signed):  # not signed; signed, with another's proof
        with pytest.raises(NotEnoughSharesError):
            combine_openings(aggregate, [first, false])
    third, _ = street.openers[2].open(street.announcement)
    found = combine_openings(aggregate, [signed, first, third])
    assert found.false_members == (street.buyers[1].keys.address,)


def test_board__given_openings__serves_good_ones_alone(
    street: Street, aggregate: Aggregate, openings: list[MemberOpening]
) -> None:
    board, store = AggregateBoard(street.url), street.builder.store
    assert board.openings(aggregate.set_digest, store) == []
    for opening in openings:
        board.hand_in(opening)
    assert board.openings(aggregate.set_digest, store) == sorted(
        openings, key=lambda one: one.member
    )
    forged = dataclasses.replace(openings[0], partials=openings[1].partials)
    with pytest.raises(MemberError, match="opening_refused"):
        board.hand_in(forged)
    with pytest.raises(MemberError, match="no_such_set"):
        board.hand_in(dataclasses.replace(openings[0], set_digest=bytes(32)))
    answer = httpx.post(f"{street.url}/v1/aggregates/openings", content=b"{}", trust_env=False)
    assert answer.status_code == 422
    with pytest.raises(AggregateInvalid):
        board.announcement(bytes(32))


def test_open__given_another_set_of_the_slots__is_refused(street: Street) -> None:
    rows = list(street.book.open(street.announcement).rows)
    width = street.book.open(street.announcement).public_key.encryption
    again = paillier.ciphertext_to_bytes(width, paillier.encrypt(width, 7))
    changed = street.announce([dataclasses.replace(rows[0], ciphertexts=(again,)), *rows[1:]])
    opener = street.opener(0)
    opener.open(street.announcement)
    opener.open(street.announcement)  # a repeat is the same set
    with pytest.raises(AggregateRefused, match="no other set"):
        opener.open(changed)


def test_open__given_too_few_homes__is_refused(street: Street) -> None:
    rows = list(street.book.open(street.announcement).rows)
    with pytest.raises(AggregateInvalid, match="needs 3"):
        street.opener(0).open(street.announce(rows[:2], homes=3))
    with pytest.raises(AggregateRefused, match="4 homes"):
        street.opener(0, min_homes=4).open(street.announcement)


def test_open__given_invented_homes__is_refused(street: Street) -> None:
    rows = list(street.book.open(street.announcement).rows)
    silent = street.homes[-1]
    stranger = street.buyers[0].keys.address
    for changes, reason in (
        ({"owner": silent.keys.address, "devices": (silent.device.address,)}, "no consent"),
        ({"owner": stranger}, "no home"),
        ({"owner": silent.keys.address}, "no device of"),
    ):
        changed = [dataclasses.replace(rows[0], **changes), *rows[1:]]
        changed.sort(key=lambda row: row.owner.lower())
        with pytest.raises(AggregateInvalid, match=reason):
            street.opener(0).open(street.announce(changed))
    with pytest.raises(AggregateInvalid, match="no block"):
        street.opener(0).open(street.announce(rows, block=10**9))


def test_open__given_an_announcement_of_somebody_else__is_refused(street: Street) -> None:
    good = street.announcement
    for announcement, reason in (
        (dataclasses.replace(good, set_digest=bytes(32)), "not signed"),
        (dataclasses.replace(good, chain_id=1), "another chain"),
        (signed_by(street.buyers[0], good), "no processor"),
    ):
        with pytest.raises(AggregateInvalid, match=reason):
            street.opener(0).open(announcement)


def signed_by(buyer: Buyer, announcement: Announcement) -> Announcement:
    unsigned = dataclasses.replace(announcement, processor=buyer.keys.address)
    key = SecretBytes(bytes(buyer.keys.account.key))
    return dataclasses.replace(unsigned, signature=signing.sign(unsigned.digest(), key))


def test_open__by_somebody_without_a_share__is_refused(street: Street) -> None:
    with pytest.raises(AggregateRefused, match="holds no share"):
        street.opener(0, keys=street.node.keys).open(street.announcement)


def test_withdrawn_consent__after_the_announcement__binds_the_next_set(street: Street) -> None:
    home, gateway, index = street.homes[0], street.node.gateway, street.builder.index
    before = gateway.block_number()
    home.household.consents.withdraw(home.device.address, purpose=AGGREGATION_PURPOSE)
    street.opener(1).open(street.announcement)  # announced before: still opens
    after = gateway.block_number()
    assert home.device.address in consenting_devices(gateway, index, block=before)
    assert home.device.address not in consenting_devices(gateway, index, block=after)
    for block in (before, after):  # the contract counts, however old the block of the set is
        homes = street.publisher.homes(*WINDOW, slot_s=HOUR_S, block=block).homes
        assert home.keys.address not in {one.owner for one in homes}


def test_consenting_devices__of_a_block_to_come__are_not_known(street: Street) -> None:
    with pytest.raises(IndexBehind):
        consenting_devices(
            street.node.gateway, street.builder.index, block=street.node.gateway.block_number() + 1
        )


def test_neighbourhood__of_a_home_in_the_set__compares_with_the_mean_of_the_others(
    street: Street, totals: Totals
) -> None:
    home, others = street.homes[0], street.homes[1:-1]
    own = own_slots({home.device.address: home.readings}, totals)
    found = compare(totals, own, is_in_set=True)
    mine = [energies(home.readings, hour) for hour in range(24)]
    shown = [[energies(one.readings, hour) for one in others] for hour in range(24)]
    theirs = [tuple(map(sum, zip(*of_hour, strict=True))) for of_hour in shown]
    assert [slot.own for slot in found.slots] == mine
    means = [tuple((2 * energy + 2) // 4 for energy in one) for one in theirs]
    assert [slot.mean for slot in found.slots] == means
    assert (found.others, found.own) == (2, tuple(map(sum, zip(*mine, strict=True))))
