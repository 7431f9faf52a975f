"""Data sharing on the real contracts, from publishing to the audit of tampered data."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from offchain.audit.opened_data_set import OpenedDataSet
from offchain.buyer.buyer import Buyer
from offchain.buyer.export import export_csv, export_parquet
from offchain.buyer.form import form_of
from offchain.buyer.inbox_http import create_share_app
from offchain.chain.facts import ContractRevert
from offchain.crypto import paillier
from offchain.crypto.curve import G1_GENERATOR, add
from offchain.errors import NotEnoughSharesError
from offchain.member.errors import DataSetInvalid, GrantNotReady, NothingToPublish, ShareRefused
from offchain.member.grants import GrantBook
from offchain.member.roles import LockState
from offchain.node.market import deliver_arguments
from offchain.node.serve import serve
from offchain.records import ciphertexts
from tests.integration.town import (
    APPLICATION_WEI,
    DATA_SET_PRICE_WEI,
    SHORTEST_S,
    Town,
    found,
    go_back,
    poll,
    sold_wei,
)


@dataclass
class Market:
    town: Town
    broadcast_id: bytes
    lock_ids: list[bytes]
    kinds: list[str]


def publish_both(town: Town) -> None:
    for node in town.nodes:
        node.publisher.publish(*town.houses[0].window)


def call_for_data(town: Town, buyer: Buyer | None = None, *, respond_s: int = 600) -> bytes:
    buyer, (start, end) = buyer or town.buyers[0], town.houses[0].window
    now = buyer.gateway.now()
    return buyer.broadcasts.make(
        regions=[node.region for node in town.nodes],
        window_from=start,
        window_to=end,
        max_price_wei=2 * DATA_SET_PRICE_WEI,
        group_size=3,
        respond_by=now + respond_s,
        select_by=now + 2 * respond_s,
        purpose="a study of standing loads",
    )


def select_both(town: Town, broadcast_id: bytes) -> list[bytes]:
    first = town.buyers[0]
    return first.selection.select(
        broadcast_id,
        members=[buyer.keys.address for buyer in town.buyers],
        processors=[line.processor for line in form_of(first.gateway, broadcast_id)],
        expires_at=first.gateway.now() + 10 * SHORTEST_S,
    )


@pytest.fixture(scope="module")
def market(town: Town) -> Iterator[Market]:
    snapshot = town.anvil.snapshot()
    started = time.monotonic()
    publish_both(town)
    print(f"publish two data sets: {time.monotonic() - started:.2f} s")
    broadcast_id = call_for_data(town)
    kinds = [outcome.kind for node in town.nodes for outcome in poll(node.worker)]
    lock_ids = select_both(town, broadcast_id)
    started = time.monotonic()
    kinds += [outcome.kind for node in town.nodes for outcome in poll(node.worker)]
    print(f"deal and deliver twice: {time.monotonic() - started:.2f} s")
    yield Market(town, broadcast_id, lock_ids, kinds)
    go_back(town, snapshot)


@pytest.fixture(scope="module")
def opened(market: Market) -> OpenedDataSet:
    """The first data set, opened by the first buyer with one other member's share."""
    first, second = market.town.buyers[:2]
    lock_id = market.lock_ids[0]
    first.shares.own(lock_id)
    with pytest.raises(NotEnoughSharesError):
        first.shares.recover(lock_id)
    with serve(create_share_app(first.inbox)) as server:
        took = second.shares.hand_over(lock_id, {first.keys.address: server.url})
    assert took == [first.keys.address]
    started = time.monotonic()
    recovery = first.shares.recover(lock_id)
    print(f"recover: {time.monotonic() - started:.2f} s")
    return first.data_sets.open(lock_id, group_secret=recovery.group_secret)


def test_market__given_two_data_sets__delivers_and_pays(market: Market) -> None:
    town, buyer = market.town, market.town.buyers[0]

    assert market.kinds == ["responded", "responded", "delivered", "delivered"]
    for lock_id in market.lock_ids:
        assert buyer.locks.lock(lock_id).state is LockState.SETTLED
    for node in town.nodes:
        owed = node.gateway.call("PrepaidLock", "withdrawableOf", node.keys.address)
        assert owed == sold_wei(DATA_SET_PRICE_WEI)
    assert buyer.gateway.call("PrepaidLock", "withdrawableOf", buyer.keys.address) == (
        APPLICATION_WEI
    )
    assert [node.worker.run_once() for node in town.nodes] == [[], []]


@pytest.mark.real_chain
def test_grants__given_delivery__show_every_member_its_locks(market: Market) -> None:
    for buyer in market.town.buyers:
        assert (
            GrantBook(buyer.gateway, market.town.index).delivered_to(buyer.keys.address)
            == market.lock_ids
        )
    outsider = market.town.houses[0]
    with pytest.raises(GrantNotReady):
        GrantBook(market.town.buyers[0].gateway, market.town.index).grant(
            market.lock_ids[0], outsider.keys.address
        )


@pytest.mark.real_chain
def test_verify__given_intact_data__rebuilds_every_reading(
    market: Market, opened: OpenedDataSet, tmp_path
) -> None:
    buyer, house = market.town.buyers[0], house_of_first_lock(market)
    started = time.monotonic()
    report = buyer.data_sets.verify(market.lock_ids[0], opened=opened)
    print(f"audit {len(report.readings)} rows: {time.monotonic() - started:.2f} s")

    assert report.ok, report.findings
    true = [one for one in house.readings if house.window[0] <= one.time_s < house.window[1]]
    assert [one for one in report.readings if one.device == house.device.address] == true
    assert export_csv(report.readings, tmp_path / "data.csv") == len(report.readings)
    assert export_parquet(report.readings, tmp_path / "data.parquet") == len(report.readings)
    lines = (tmp_path / "data.csv").read_text().splitlines()
    assert len(lines) == len(report.readings) + 1


@pytest.mark.real_chain
def test_verify__given_tampered_ciphertext__names_device_and_rows(
    market: Market, opened: OpenedDataSet
) -> None:
    file = ciphertexts.decode_ciphertexts(opened.ciphertext_bytes)
    victim = file.devices[0]
    key = opened.private_key.public_key
    other = paillier.ciphertext_to_bytes(key, paillier.encrypt(key, 12_345 << 80))
    broken = replace(victim, ciphertexts=(other, *victim.ciphertexts[1:]))
    tampered = ciphertexts.encode_ciphertexts(replace(file, devices=(broken, *file.devices[1:])))

    report = market.town.buyers[0].data_sets.verify(
        market.lock_ids[0], opened=replace(opened, ciphertext_bytes=tampered)
    )

    wrong = {finding.name for finding in report.findings if not finding.ok}
    assert {"files_intact", "rows_match", "batches_anchored"} <= wrong
    assert report.bad_devices == (victim.device,)
    first_seq = opened.companion.devices[0].packed.first_seq
    assert report.devices[0].bad_rows[0] == first_seq + 1  # the first row's value is 0 in both
    assert all(one.device != victim.device for one in report.readings if one.seq > first_seq)


@pytest.mark.real_chain
def test_verify__given_noise_for_a_ciphertext__names_device(
    market: Market, opened: OpenedDataSet
) -> None:
    data = bytearray(opened.ciphertext_bytes)
    data[400] ^= 1

    report = market.town.buyers[0].data_sets.verify(
        market.lock_ids[0], opened=replace(opened, ciphertext_bytes=bytes(data))
    )

    assert not report.ok
    assert report.bad_devices == (opened.companion.devices[0].packed.device,)


@pytest.mark.real_chain
def test_recover__given_false_share__names_its_sender(
    market: Market, opened: OpenedDataSet
) -> None:
    first, lock_id = market.town.buyers[0], market.lock_ids[0]
    grant = first.shares.grant(lock_id)
    liar = next(index for index in (1, 2, 3) if index not in first.inbox.shares(lock_id))
    first.inbox.keep(lock_id, liar, add(first.inbox.shares(lock_id)[grant.my_index], G1_GENERATOR))

    recovery = first.shares.recover(lock_id)

    assert recovery.false_indices == (liar,)
    assert recovery.group_secret  # the two true ones still suffice


@pytest.mark.real_chain
def test_accept__given_share_of_another_sender__refuses(market: Market) -> None:
    first, second, third = market.town.buyers
    lock_id = market.lock_ids[0]
    grant, share = second.shares.grant(lock_id), second.shares.own(lock_id)
    delivery = second.shares._delivery(grant, share, first.keys.address)
    body = replace(delivery, sender=third.keys.address).to_json()

    with pytest.raises(ShareRefused, match="signature"):
        first.inbox.accept(body)


@pytest.mark.real_chain
def test_open_data_set__given_wrong_key__raises(market: Market, opened: OpenedDataSet) -> None:
    with pytest.raises(DataSetInvalid):
        market.town.buyers[0].data_sets.open(market.lock_ids[1], group_secret=G1_GENERATOR)


@pytest.mark.real_chain
def test_deliver__given_one_wrong_share__is_refused_by_the_contract(fresh: Town) -> None:
    publish_both(fresh)
    broadcast_id = call_for_data(fresh)
    node = fresh.nodes[0]
    poll(node.worker)
    (lock_id,) = select_both(fresh, broadcast_id)
    assert found(node.worker.market.selections)[-1] == lock_id
    selection, dealt = node.worker.market.transcript(lock_id)
    shares = (add(dealt.shares[0], G1_GENERATOR), *dealt.shares[1:])

    with pytest.raises(ContractRevert, match="BadShares"):
        node.gateway.transact(
            "PrepaidLock",
            "deliver",
            *deliver_arguments(selection, replace(dealt, shares=shares)),
        )

    assert node.worker.market.deliver(lock_id).kind == "delivered"


def test_deliver__given_revoked_member__declines(fresh: Town) -> None:
    publish_both(fresh)
    broadcast_id = call_for_data(fresh)
    node = fresh.nodes[0]
    node.worker.run_once()
    before = owed_to(fresh.buyers[0])
    (lock_id,) = select_both(fresh, broadcast_id)
    fresh.admin.revoke(fresh.buyers[2].keys.address)

    outcome = node.worker.market.deliver(lock_id)

    assert outcome.kind == "declined" and outcome.detail.startswith("MEMBER_NOT_ACCEPTABLE")
    assert fresh.buyers[0].locks.lock(lock_id).state is LockState.DECLINED
    assert owed_to(fresh.buyers[0]) - before == DATA_SET_PRICE_WEI + APPLICATION_WEI


def test_publish__given_consent_withdrawn__leaves_the_device_out(fresh: Town) -> None:
    house, node = fresh.houses[1], fresh.nodes[1]
    house.household.consents.withdraw(house.device.address)

    assert node.publisher.gather(*house.window).windows == ()
    start, end = house.window
    with pytest.raises(NothingToPublish):
        node.publisher.publish(start, end - 86_400)


@pytest.mark.real_chain
def test_respond__given_unknown_identity__does_not_respond(fresh: Town) -> None:
    publish_both(fresh)
    buyer = fresh.buyers[0]
    liar = Buyer(
        gateway=buyer.gateway,
        index=fresh.index,
        store=fresh.store,
        keys=replace(buyer.keys, identity="somebody else"),
        directory=fresh.directory,
        inbox=buyer.inbox,
    )
    broadcast_id = call_for_data(fresh, liar)

    (outcome,) = poll(fresh.nodes[0].worker)

    assert outcome.kind == "skipped" and "registered commitment" in outcome.detail
    assert form_of(liar.gateway, broadcast_id) == []
    assert fresh.nodes[0].worker.run_once() == []


def owed_to(buyer: Buyer) -> int:
    return buyer.gateway.call("PrepaidLock", "withdrawableOf", buyer.keys.address)


def house_of_first_lock(market: Market):
    seller = market.town.buyers[0].shares.grant(market.lock_ids[0]).processor
    return next(house for house in market.town.houses if house.node.keys.address == seller)
