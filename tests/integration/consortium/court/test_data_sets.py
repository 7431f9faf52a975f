"""Disputes over bought data on the real contracts: by the buyer, by a member, by a false friend."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from offchain.audit.look import Look, Side
from offchain.audit.shown import RETRY_S
from offchain.buyer.buyer import Buyer
from offchain.buyer.disputes import DataSetDisputes
from offchain.chain.facts import ContractRevert
from offchain.consortium.court.judge import JudgeAgent
from offchain.crypto import paillier
from offchain.crypto.curve import G1, G1_GENERATOR, add
from offchain.crypto.sharing import group_secret
from offchain.member.errors import NothingToDispute
from offchain.member.roles import LockState
from offchain.node import data_set_files
from offchain.node import publisher as publishing
from offchain.records import owners, varint
from offchain.records.dataset import Companion
from offchain.records.evidence import DataSetEvidence
from offchain.records.owners import OwnedRows
from offchain.storage.errors import ObjectCorrupt
from offchain.types import to_account
from tests.integration.town import (
    BITS,
    DATA_SET_PRICE_WEI,
    SHORTEST_S,
    Node,
    Town,
)

from .conftest import Court, spoilt
from .test_disputes import owed

DISPUTE_WEI = DATA_SET_PRICE_WEI // 4


@pytest.fixture
def lie(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Callable], None]]:
    """Let the node build another file of its data sets; the honest functions come back after."""

    def replace_part(name: str, make: Callable) -> None:
        honest = getattr(data_set_files, name)
        monkeypatch.setattr(data_set_files, name, lambda *args, **kw: make(honest(*args, **kw)))

    yield replace_part


def deliver(town: Town) -> tuple[Node, bytes]:
    """Publish one day, call for it, select and deliver; return node and lock."""
    node, buyer = town.nodes[0], town.buyers[0]
    start, _ = town.houses[0].window
    node.publisher.publish(start, start + 86_400)
    now = node.gateway.now()
    broadcast_id = buyer.broadcasts.make(
        regions=[node.region],
        window_from=start,
        window_to=start + 86_400,
        max_price_wei=DATA_SET_PRICE_WEI,
        group_size=3,
        respond_by=now + 600,
        select_by=now + 1_200,
        purpose="a study",
    )
    node.worker.run_once()
    (lock_id,) = buyer.selection.select(
        broadcast_id,
        members=[one.keys.address for one in town.buyers],
        processors=[node.keys.address],
        expires_at=now + 10 * SHORTEST_S,
    )
    node.worker.run_once()
    assert buyer.locks.lock(lock_id).state is LockState.DELIVERED
    return node, lock_id


def secret_of(node: Node, lock_id: bytes, buyer: Buyer) -> G1:
    stored = node.held.data_set(buyer.locks.lock(lock_id).subject)
    assert stored is not None
    return group_secret(stored.data_key)


def other_ciphertext(file):
    """Encrypt another energy for the first device's first rows."""
    victim = file.devices[0]
    key = paillier.PaillierPublicKey(int.from_bytes(file.modulus, "big"))
    other = paillier.ciphertext_to_bytes(key, paillier.encrypt(key, 12_345 << 80))
    broken = replace(victim, ciphertexts=(other, *victim.ciphertexts[1:]))
    return replace(file, devices=(broken, *file.devices[1:]))


def look(court: Court, lock_id: bytes, *secrets: G1 | None) -> Look:
    looks = court.judges[0].agent._data_sets
    lock = court.town.buyers[0].locks.lock(lock_id)
    return looks.look(lock, [DataSetEvidence(secret=one) for one in secrets])


def test_look__given_honest_data__is_for_the_payee_and_needs_the_true_secret(court: Court) -> None:
    node, lock_id = deliver(court.town)
    true = secret_of(node, lock_id, court.town.buyers[0])
    false = add(true, G1_GENERATOR)

    found = look(court, lock_id, None, false, true)
    assert (found.side, found.is_final) == (Side.PAYEE, True)
    for shown in ([], [None], [false]):
        found = look(court, lock_id, *shown)
        assert (found.side, found.is_final) == (Side.PAYEE, False)


@pytest.mark.parametrize("which", ["manifest", "companion", "ciphertexts"])
def test_look__given_file_that_nobody_serves__waits_and_is_for_the_payer(
    court: Court, which: str
) -> None:
    town = court.town
    node, lock_id = deliver(town)
    secret = secret_of(node, lock_id, town.buyers[0])
    opened = town.buyers[0].data_sets.open(lock_id, group_secret=secret)
    digests = {
        "manifest": opened.published.manifest_digest,
        "companion": opened.manifest.companion.digest,
        "ciphertexts": opened.manifest.ciphertexts.digest,
    }
    town.store.unpin(digests[which])

    found = look(court, lock_id, secret)

    assert (found.side, found.is_final) == (Side.PAYER, False)
    assert "nobody serves" in found.why


@pytest.mark.parametrize(
    ("part", "change", "why"),
    [
        ("_ciphertext_file", other_ciphertext, "rows match"),
        (
            "_companion",
            lambda one: replace(one, devices=one.devices[:1]),
            "list other devices or rows",
        ),
        (
            "_ciphertext_file",
            lambda one: replace(one, devices=one.devices[:1]),
            "list other devices or rows",
        ),
        (
            "_companion",
            lambda one: replace(one, aggregate_signature=G1_GENERATOR),
            "aggregate signature",
        ),
        ("_reference", lambda ref: replace(ref, sha256=bytes(32)), "files intact"),
    ],
)
def test_look__given_false_file__is_for_the_payer(
    court: Court, lie: Callable, part: str, change: Callable, why: str
) -> None:
    lie(part, change)
    node, lock_id = deliver(court.town)

    found = look(court, lock_id, secret_of(node, lock_id, court.town.buyers[0]))

    assert (found.side, found.is_final) == (Side.PAYER, True)
    assert why in found.why


BOMB_ROWS = 2**18


def bomb(companion: Companion) -> Companion:
    """A companion whose first device unpacks to rows that no ciphertext stands for."""
    first, count = companion.devices[0], BOMB_ROWS
    columns = replace(
        first.packed,
        times_s=tuple(range(1, count + 1)),
        powers_w=(0,) * count,
        temperatures_dc=(0,) * count,
    )
    seq = columns.first_seq
    batches = [
        replace(first.batches[0], from_seq=seq + i, count=2**16) for i in range(0, count, 2**16)
    ]
    device = replace(first, packed=columns, batches=tuple(batches))
    return replace(companion, devices=(device,))


@pytest.mark.parametrize(
    ("claimed_bytes", "why"),
    [(None, "rows do not fit a ciphertext file"), (2**26, "list other devices or rows")],
)
def test_look__given_small_companion_of_many_rows__unpacks_none(
    court: Court,
    lie: Callable,
    monkeypatch: pytest.MonkeyPatch,
    claimed_bytes: int | None,
    why: str,
) -> None:
    """The number of rows and the length of a file are the seller's word until it is fetched."""
    lie("_companion", bomb)
    lie("Manifest", lambda one: replace(one, rows=BOMB_ROWS))
    lie("BuiltDataSet", lambda one: replace(one, rows=BOMB_ROWS))
    if claimed_bytes:
        lie("_reference", lambda ref: replace(ref, length=claimed_bytes))
    node, lock_id = deliver(court.town)
    secret = secret_of(node, lock_id, court.town.buyers[0])
    unpacked = []
    decode = varint.decode_columns
    monkeypatch.setattr(
        varint, "decode_columns", lambda data, **kw: unpacked.append(kw) or decode(data, **kw)
    )

    found = look(court, lock_id, secret)

    assert (found.side, found.is_final) == (Side.PAYER, True)
    assert why in found.why
    assert unpacked == []


def test_look__given_spoilt_bytes_in_the_judges_store__concludes_nothing(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = court.town
    node, lock_id = deliver(town)
    secret = secret_of(node, lock_id, town.buyers[0])
    opened = town.buyers[0].data_sets.open(lock_id, group_secret=secret)
    files = opened.manifest.companion.digest, opened.manifest.ciphertexts.digest
    for digest in (opened.published.manifest_digest, *files):
        with spoilt(town, digest), pytest.raises(ObjectCorrupt):
            look(court, lock_id, secret)

    assert look(court, lock_id, secret).side is Side.PAYEE


def test_run_once__given_members_bytes_that_nobody_has__searches_seldom_and_in_the_end(
    court: Court, lie: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A friend of the node could make each look cost the time of a search."""
    town, (buyer, friend, third) = court.town, court.town.buyers
    judge, clock = court.judges[0], [0.0]
    agent = JudgeAgent(
        gateway=judge.gateway,
        index=town.index,
        store=town.store,
        keys=judge.keys,
        directory=town.directory,
        paillier_bits=BITS,
        clock=lambda: clock[0],
    )
    lie("_ciphertext_file", other_ciphertext)
    node, lock_id = deliver(town)
    secret = secret_of(node, lock_id, buyer)
    friend.disputes.dispute(friend.disputes.prepare(lock_id, group_secret=secret))
    (brought,) = agent._cases.brought(lock_id)
    hidden = town.store.get(brought.digest, max_bytes=brought.length)
    town.store.unpin(brought.digest)
    asked, real = [], town.store.get
    monkeypatch.setattr(town.store, "get", lambda cid, **kw: asked.append(cid) or real(cid, **kw))
    case = agent.open_cases()[0]

    def searches() -> int:
        asked.clear()
        opinion = agent.look(lock_id)
        assert "cannot be had" in opinion.unread[0]
        return asked.count(brought.digest)

    assert [searches(), searches()] == [1, 0]
    clock[0] += RETRY_S
    assert [searches(), searches()] == [1, 0]
    town.anvil.stand_at(case.patient_until)
    assert [searches(), searches()] == [1, 0]

    # With a true secret at hand nothing behind it is fetched.
    town.store.put(hidden)
    clock[0] += RETRY_S
    third.disputes.add_evidence(lock_id, group_secret=secret)
    second = agent._cases.brought(lock_id)[1]
    asked.clear()
    assert agent.look(lock_id).look.side is Side.PAYER
    assert second.digest not in asked and brought.digest in asked


@pytest.fixture
def heedless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the node sell and deliver whatever its owners say."""
    monkeypatch.setattr("offchain.node.deals.lacking_consent_as_of", lambda *_, **__: {})
    for desk in ("publisher", "offers", "retiring"):
        monkeypatch.setattr(f"offchain.node.{desk}.lacking_consent", lambda *_: {})


def test_look__given_delivery_against_a_withdrawal__names_the_device_for_the_payer(
    court: Court, heedless: None
) -> None:
    town, house = court.town, court.town.houses[0]
    house.household.consents.withdraw(house.device.address)
    node, lock_id = deliver(town)

    found = look(court, lock_id, secret_of(node, lock_id, town.buyers[0]))

    (wrong,) = [one for one in found.findings if not one.ok]
    assert wrong.name == "consent_stood"
    assert f"{house.device.address}: consent was withdrawn in block" in wrong.detail
    assert (found.side, found.is_final) == (Side.PAYER, True)


def test_look__given_withdrawal_behind_the_selection__is_for_the_payee(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    node, lock_id = deliver(town)
    house.household.consents.withdraw(house.device.address)
    town.admin.revoke(town.houses[2].keys.address)

    found = look(court, lock_id, secret_of(node, lock_id, town.buyers[0]))

    assert (found.side, found.is_final) == (Side.PAYEE, True)


def test_dispute__given_delivery_against_a_withdrawal__buyer_gets_price_and_bond(
    court: Court, heedless: None
) -> None:
    town, buyer, house = court.town, court.town.buyers[0], court.town.houses[2]
    house.household.consents.withdraw(house.device.address)
    node, lock_id = deliver(town)
    lock, before = buyer.locks.lock(lock_id), owed(town, buyer.keys.address)

    prepared = buyer.disputes.prepare(lock_id, group_secret=secret_of(node, lock_id, buyer))
    prepared.require_worth()
    buyer.disputes.dispute(prepared)
    node.worker.run_once()
    assert court.step() == ["voted", "voted"]

    assert buyer.locks.lock(lock_id).state is LockState.SLASHED
    gain = owed(town, buyer.keys.address) - before
    assert gain == DATA_SET_PRICE_WEI + DISPUTE_WEI + lock.bond_wei - lock.fee_wei


def one_leaf_too_many(data: bytes) -> bytes:
    """Add a device of nobody's, which would take its part of each sale for ever."""
    owned = list(owners.decode(data))
    owned.append(OwnedRows(to_account("0x" + "f" * 40), 9))
    return owners.encode(owned)


def other_rows(data: bytes) -> bytes:
    first, *others = owners.decode(data)
    return owners.encode([replace(first, rows=first.rows + 7), *others])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (one_leaf_too_many, "0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF has no row"),
        (lambda data: owners.encode(owners.decode(data)[1:]), "is missing"),
        (other_rows, "has 24 rows, not 31"),
    ],
    ids=["a leaf too many", "a leaf missing", "other rows"],
)
def test_look__given_false_owners_list__names_what_is_wrong_for_the_payer(
    court: Court, heedless: None, lie: Callable, change: Callable[[bytes], bytes], why: str
) -> None:
    lie("BuiltDataSet", lambda one: replace(one, owners=change(one.owners)))
    node, lock_id = deliver(court.town)

    found = look(court, lock_id, secret_of(node, lock_id, court.town.buyers[0]))

    (wrong,) = [one for one in found.findings if not one.ok]
    assert wrong.name == "owners_root" and why in wrong.detail
    assert (found.side, found.is_final) == (Side.PAYER, True)


@pytest.mark.parametrize("name", ["owners_root", "owners_digest"])
def test_look__given_another_root_or_digest__says_which(
    court: Court, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    made = publishing.Publication
    monkeypatch.setattr(publishing, "Publication", lambda **kw: made(**{**kw, name: b"x" * 32}))
    node, lock_id = deliver(court.town)

    found = look(court, lock_id, secret_of(node, lock_id, court.town.buyers[0]))

    (wrong,) = [one for one in found.findings if not one.ok]
    said = {"owners_root": "owners' root are", "owners_digest": "digest of the owners' list are"}
    assert wrong.name == "owners_root" and wrong.detail.startswith(said[name])
    assert found.side is Side.PAYER


def test_look__given_owners_list_that_nobody_serves__follows_from_the_rows(court: Court) -> None:
    node, lock_id = deliver(court.town)
    secret = secret_of(node, lock_id, court.town.buyers[0])
    opened = court.town.buyers[0].data_sets.open(lock_id, group_secret=secret)
    court.town.store.unpin(opened.published.owners_digest)

    assert look(court, lock_id, secret).side is Side.PAYEE


def test_dispute__given_false_rows__buyer_gets_price_and_bond(court: Court, lie: Callable) -> None:
    town, buyer = court.town, court.town.buyers[0]
    lie("_ciphertext_file", other_ciphertext)
    node, lock_id = deliver(town)
    secret = secret_of(node, lock_id, buyer)
    lock, before = buyer.locks.lock(lock_id), owed(town, buyer.keys.address)

    prepared = buyer.disputes.prepare(lock_id, group_secret=secret)
    prepared.require_worth()
    buyer.disputes.dispute(prepared)
    assert [one.kind for one in node.worker.run_once()] == ["replied"]
    assert court.step() == ["voted", "voted"]

    assert buyer.locks.lock(lock_id).state is LockState.SLASHED
    gain = owed(town, buyer.keys.address) - before
    assert gain == DATA_SET_PRICE_WEI + DISPUTE_WEI + lock.bond_wei - lock.fee_wei


def test_dispute__given_member_of_the_group__gets_its_own_bond_back(
    court: Court, lie: Callable
) -> None:
    town, (buyer, member, _) = court.town, court.town.buyers
    lie("_ciphertext_file", other_ciphertext)
    node, lock_id = deliver(town)
    secret = secret_of(node, lock_id, buyer)
    before = owed(town, buyer.keys.address), owed(town, member.keys.address)

    member.disputes.dispute(member.disputes.prepare(lock_id, group_secret=secret))
    court.step()

    lock = buyer.locks.lock(lock_id)
    assert lock.state is LockState.SLASHED
    assert owed(town, member.keys.address) - before[1] == DISPUTE_WEI
    gain = owed(town, buyer.keys.address) - before[0]
    assert gain == DATA_SET_PRICE_WEI + lock.bond_wei - lock.fee_wei


def test_dispute__given_false_friend__is_not_lost_when_another_adds_evidence(
    court: Court, lie: Callable
) -> None:
    """A member in league with the node uses up the one dispute with worthless evidence."""
    town, (buyer, friend, third) = court.town, court.town.buyers
    lie("_ciphertext_file", other_ciphertext)
    node, lock_id = deliver(town)
    secret = secret_of(node, lock_id, buyer)
    prepared = friend.disputes.prepare(lock_id, group_secret=secret)
    false = DataSetEvidence(secret=add(secret, G1_GENERATOR))
    friend.disputes.dispute(replace(prepared, document=false))
    with pytest.raises(ContractRevert):
        buyer.disputes.dispute(prepared)

    assert court.step() == ["waits", "waits"]
    third.disputes.add_evidence(lock_id, group_secret=secret)
    assert court.step() == ["voted", "voted"]

    assert buyer.locks.lock(lock_id).state is LockState.SLASHED


def test_dispute__given_evidence_of_a_stranger__is_refused_and_not_heard(
    court: Court, lie: Callable
) -> None:
    town, buyer = court.town, court.town.buyers[0]
    lie("_ciphertext_file", other_ciphertext)
    node, lock_id = deliver(town)
    secret = secret_of(node, lock_id, buyer)
    prepared = buyer.disputes.prepare(lock_id, group_secret=secret)
    buyer.disputes.dispute(replace(prepared, document=DataSetEvidence(secret=None)))
    keys, gateway = court.stranger
    disputes = DataSetDisputes(
        gateway=gateway,
        index=town.index,
        store=town.store,
        keys=keys,
        directory=town.directory,
        shares=buyer.shares,
    )
    with pytest.raises(ContractRevert) as as_member:
        disputes.add_evidence(lock_id, group_secret=secret)
    with pytest.raises(ContractRevert) as as_party:
        gateway.transact("DisputeCourt", "addEvidence", lock_id, b"e" * 32, 100)

    refused = {as_member.value.name, as_party.value.name}
    assert refused == {"DisputeCourt_NotParty"}
    assert court.step() == ["waits", "waits"]


def test_dispute__given_honest_data__is_refused_and_by_force_lost(court: Court) -> None:
    town, buyer = court.town, court.town.buyers[0]
    node, lock_id = deliver(town)
    secret = secret_of(node, lock_id, buyer)
    prepared = buyer.disputes.prepare(lock_id, group_secret=secret)
    before = owed(town, node.keys.address)
    with pytest.raises(NothingToDispute):
        prepared.require_worth()

    buyer.disputes.dispute(replace(prepared, document=DataSetEvidence(secret=None)))
    assert court.step() == ["waits", "waits"]
    node.worker.run_once()  # the honest node shows the secret
    assert court.step() == ["voted", "voted"]

    lock = buyer.locks.lock(lock_id)
    assert lock.state is LockState.SETTLED
    gain = owed(town, node.keys.address) - before
    assert gain == lock.earned_wei + DISPUTE_WEI
