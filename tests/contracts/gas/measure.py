"""Gas of the state-changing functions, from the receipts of real transactions (`make gas`).

Each is used once before it is measured: storage is settled, not touched for the first time. Keys,
nonces, accounts and times come from a fixed seed, so that only a change of the contracts (or of
this file) changes a figure. The result goes to ``tests/snapshots/gas.json``.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import money
import pytest
from batches import signed as signed_batch
from brownie import accounts, chain, web3
from members import Role, new_member, region_id
from money import ADVICE, ADVICE_PRICE_WEI, APPLICATION_WEI, BILL, PRICE_WEI, Group, SharingOrder

from offchain.crypto import delivery, merkle, sharing

SNAPSHOT = Path("tests/snapshots/gas.json")
BEGIN, TICK = 1_900_000_001, 10_000
WINDOW_S = 300
OFFER_WEI = 5 * 10**15
ANSWER = b"\x2a" * 9_000
DIGEST = money.digest_of("answer")
SIZES = ((3, 5), (6, 10), (34, 50), (67, 100))


@pytest.fixture(scope="session", autouse=True)
def fixed_chance() -> None:
    """Draw keys and nonces from a fixed stream, and begin at a fixed time."""
    count = itertools.count()

    def draw(size: int = 32) -> bytes:
        blocks = (hashlib.sha512(b"gas" + next(count).to_bytes(8)).digest() for _ in range(2))
        return b"".join(blocks)[:size]

    before = secrets.token_bytes, secrets.randbelow
    secrets.token_bytes = draw
    secrets.randbelow = lambda limit: int.from_bytes(draw(128)) % limit
    chain.mine(timestamp=BEGIN)
    yield
    secrets.token_bytes, secrets.randbelow = before


class Meter:
    """The figures so far, and a clock that is the same in each run."""

    def __init__(self) -> None:
        self.used: dict[str, int] = {}
        self.now = BEGIN + TICK

    def take(self, name: str, tx: Any) -> Any:
        """Keep the gas of a transaction under a name."""
        self.used[name] = tx.gas_used
        return tx

    def tick(self, seconds: int = TICK) -> int:
        """Go on to a fixed time; return it."""
        self.now += seconds
        chain.mine(timestamp=self.now)
        return self.now


@pytest.fixture(scope="session")
def meter() -> Meter:
    return Meter()


@pytest.fixture(scope="session")
def world(
    fixed_chance: None, cast: dict, lock: Any, market: Any, ledger: Any, board: Any, court: Any,
    catalogue: Any, consents: Any, registry: Any, credit: Any, consortium: Any, govern: Any,
    admit: Callable[..., Any], revoke: Any, founders: list[Any], relayer: Any,
) -> Any:  # fmt: skip
    """Everything by name; terms set, bonds put up, judges admitted."""
    money.set_terms(govern, catalogue)
    money.put_up(lock, cast["processor"], cast["processor_two"], amount_wei=10**19)
    everything = dict(locals())
    judges = [admit(Role.CONSORTIUM, account=founder) for founder in founders]
    return type("World", (), {**everything, **cast, "judges": judges})


def fixed_account() -> Any:
    """Return a new account of the fixed stream."""
    return accounts.add(secrets.token_bytes(32))


# ---- a user's request ----


def requested(w: Any, meter: Meter, type_id: int = BILL, name: str = "") -> bytes:
    expires_at = meter.tick() + 5_000
    order = money.request_order(w.processor, expires_at=expires_at, type_id=type_id)
    signature = money.sign_request(w.lock, w.meter_owner, order)
    price = PRICE_WEI if type_id == BILL else ADVICE_PRICE_WEI
    tx = w.lock.request(order, signature, {"from": w.meter_owner.account, "value": price})
    if name:
        meter.take(name, tx)
    return money.id_of(w.lock, w.meter_owner, order.nonce)


def accepted(w: Any, meter: Meter, type_id: int = BILL, name: str = "") -> tuple[bytes, bytes]:
    lock_id, secret = requested(w, meter, type_id), secrets.token_bytes(32)
    c = money.commitment_of(w.processor, secret)
    digest = hashlib.sha256(ANSWER).digest()
    tx = w.lock.accept(lock_id, c, digest, len(ANSWER), {"from": w.processor.account})
    if name:
        meter.take(name, tx)
    return lock_id, secret


def claimed(w: Any, meter: Meter) -> bytes:
    lock_id, secret = accepted(w, meter, ADVICE)
    w.lock.claim(lock_id, secret, {"from": w.processor.account})
    return lock_id


def disputed(w: Any, meter: Meter, name: str = "") -> bytes:
    lock_id = claimed(w, meter)
    options = {"from": w.meter_owner.account, "value": w.lock.disputeWeiOf(lock_id)}
    tx = w.lock.dispute(lock_id, DIGEST, 500, options)
    if name:
        meter.take(name, tx)
    return lock_id


def measure_requests(w: Any, meter: Meter) -> None:
    """Every way of a user's lock, twice: what counts is the second time."""
    anyone = {"from": w.relayer}
    for _ in range(2):
        lock_id = requested(w, meter, name="PrepaidLock.request")
        tx = w.lock.reject(lock_id, 1, {"from": w.processor.account})
        meter.take("PrepaidLock.reject", tx)
        lock_id, secret = accepted(w, meter, name="PrepaidLock.accept")
        meter.take("PrepaidLock.claim, settled at once", w.lock.claim(lock_id, secret, anyone))
        lock_id, secret = accepted(w, meter, ADVICE)
        meter.take("PrepaidLock.claim", w.lock.claim(lock_id, secret, anyone))
        meter.tick()
        meter.take("PrepaidLock.settle", w.lock.settle(lock_id, anyone))
        for name, lock_id in (
            ("Requested", requested(w, meter)),
            ("Accepted", accepted(w, meter)[0]),
        ):
            meter.tick()
            meter.take(f"PrepaidLock.refund, from {name}", w.lock.refund(lock_id, anyone))
        payer = {"from": w.meter_owner.account}
        lock_id = claimed(w, meter)
        deposit = {**payer, "value": w.lock.demandWeiOf(lock_id)}
        meter.take("PrepaidLock.demand", w.lock.demand(lock_id, deposit))
        tx = w.lock.serve(lock_id, ANSWER, anyone)
        meter.take("PrepaidLock.serve, 9,000 bytes", tx)
        lock_id = claimed(w, meter)
        w.lock.demand(lock_id, deposit)
        meter.tick(30 * 86_400)
        meter.take("PrepaidLock.slash", w.lock.slash(lock_id, anyone))
        for for_payer in (True, False):
            lock_id = disputed(w, meter, "PrepaidLock.dispute")
            tx = w.court.addEvidence(lock_id, DIGEST, 500, payer)
            meter.take("DisputeCourt.addEvidence", tx)
            first, second = (judge.account for judge in w.judges[:2])
            meter.take("DisputeCourt.vote", w.court.vote(lock_id, for_payer, {"from": first}))
            tx = w.court.vote(lock_id, for_payer, {"from": second})
            side = "payer" if for_payer else "payee"
            meter.take(f"DisputeCourt.vote, deciding for the {side}", tx)
        lock_id = disputed(w, meter)
        meter.tick(30 * 86_400)
        meter.take("PrepaidLock.refund, from Disputed", w.lock.refund(lock_id, anyone))
        node = {"from": w.processor.account}
        meter.take("PrepaidLock.takeBond", w.lock.takeBond(10**15, node))
        tx = w.lock.addBond(w.processor.address, {**node, "value": 10**15})
        meter.take("PrepaidLock.addBond", tx)
    many = [requested(w, meter) for _ in range(10)]
    meter.tick()
    meter.take("PrepaidLock.endMany, 10 from Requested", w.lock.endMany(many, anyone))
    meter.take("PrepaidLock.withdrawFor", w.lock.withdrawFor(w.meter_owner.address, anyone))


# ---- data sharing ----


def measure_deliveries(w: Any, meter: Meter) -> None:
    """Share deliveries of each size, settled at once, to groups that the lock's snapshot names."""
    market = money.unlocked(w.market.address, balance_wei=10**24)
    data_set = money.publish(w.ledger, w.processor)
    for threshold, size in ((2, 3), *SIZES):
        keys = [delivery.public_key(delivery.DeliverySecretKey.generate()) for _ in range(size)]
        members = [web3.to_checksum_address(f"0x{0x1111 * (i + 1):040x}") for i in range(size)]
        group = Group(members, keys)
        order = SharingOrder(
            payer=w.buyer.address,
            payee=w.processor.address,
            broadcast_id=money.digest_of("broadcast"),
            data_set_id=data_set.data_set_id,
            group_hash=group.hash,
            threshold=threshold,
            group_size=size,
            price_wei=OFFER_WEI,
            message_length=1_500,
            signed_at=1_700_000_000,
            expires_at=meter.tick() + 5_000,
            message_digest=money.digest_of("sealed conditions"),
            nonce=secrets.token_bytes(32),
        )
        signature = money.sign_sharing(w.lock, w.buyer, order)
        w.lock.openSharing(order, signature, {"from": market, "value": OFFER_WEI})
        dealt = sharing.deal(data_set.key, threshold=threshold, delivery_keys=keys)
        lock_id = money.id_of(w.lock, w.buyer, order.nonce)
        words = money.transcript_words(dealt)
        tx = w.lock.deliver(lock_id, members, group.key_words, *words, {"from": w.relayer})
        if (threshold, size) in SIZES:
            meter.take(f"PrepaidLock.deliver, ({threshold},{size})", tx)


def broadcast(w: Any, meter: Meter, regions: tuple[bytes, ...], name: str = "") -> bytes:
    begin = meter.tick()
    nonce = secrets.token_bytes(32)
    conditions = (
        *(*money.WINDOW, 1, 3, 2, 10**18, begin + 4 * TICK, begin + 5 * TICK, 2_000),
        *(money.digest_of("openings"), nonce, regions),
    )
    options = {"from": w.buyer.account, "value": APPLICATION_WEI}
    tx = w.market.broadcast(conditions, options)
    if name:
        meter.take(name, tx)
    return money.id_of(w.market, w.buyer, nonce)


def measure_market(w: Any, meter: Meter) -> None:
    """A broadcast in each of its ways; then a form of 32 into which two more respond at the top."""
    regions = tuple(sorted((region_id("north"), region_id("south"))))
    nodes = (w.processor, w.processor_two)
    sets = {node.address: money.publish(w.ledger, node).data_set_id for node in nodes}
    group = money.group_of(w.buyer, w.buyer_two, w.buyer_three)
    for _ in range(2):
        ad = broadcast(w, meter, regions, "DataMarket.broadcast, 2 regions")
        for node in nodes:
            args = (ad, sets[node.address], OFFER_WEI, {"from": node.account})
            meter.take("DataMarket.respond, second line", w.market.respond(*args))
        options = {"from": w.processor_two.account}
        tx = w.market.withdrawResponse(ad, options)
        meter.take("DataMarket.withdrawResponse", tx)
        order = SharingOrder(
            *(w.buyer.address, w.processor.address, ad, sets[w.processor.address], group.hash),
            *(2, 3, OFFER_WEI, 1_500, 1_700_000_000, meter.tick() + 5_000),
            *(money.digest_of("sealed conditions"), secrets.token_bytes(32)),
        )
        signature = money.sign_sharing(w.lock, w.buyer, order)
        choice = (order.payee, order.expires_at, 1_500, order.signed_at, order.message_digest)
        options = {"from": w.buyer.account, "value": OFFER_WEI}
        choices = [(*choice, order.nonce, signature)]
        tx = w.market.select(ad, group.accounts, choices, options)
        meter.take("DataMarket.select, 1 node of a group of 3", tx)
        lock_id = money.id_of(w.lock, w.buyer, order.nonce)
        tx = w.lock.decline(lock_id, 1, {"from": w.processor.account})
        meter.take("PrepaidLock.decline", tx)
        ad = broadcast(w, meter, regions)
        for node in nodes:
            w.market.respond(ad, sets[node.address], OFFER_WEI, {"from": node.account})
        meter.tick(6 * TICK)
        meter.take("DataMarket.close, 2 responses", w.market.close(ad, {"from": w.relayer}))
    measure_full_form(w, meter)


def measure_full_form(w: Any, meter: Meter) -> None:
    """The worst case of a response: into the first place of a form of 32."""
    regions = tuple(sorted(region_id(f"region {i:02}") for i in range(16)))
    ad, active, used = broadcast(w, meter, regions), {}, []
    for i in range(34):
        region = regions[(i * 5) % 16 if i < 32 else (0, 15)[i - 32]]
        if region in active:
            w.revoke(active[region])
        node = active[region] = w.admit(Role.PROCESSOR, region, account=fixed_account())
        money.set_credit(w.credit, node, 100 + 10 * i)
        data_set_id = money.publish(w.ledger, node).data_set_id
        tx = w.market.respond(ad, data_set_id, OFFER_WEI, {"from": node.account})
        used.append(tx.gas_used)
    meter.used["DataMarket.respond, into a form of 32"] = max(used[32:])


# ---- readings, reports, members ----


def measure_readings(w: Any, meter: Meter) -> None:
    """Anchors, the check of a reading in a batch of 1,000 (sent as a transaction), data sets."""
    device = {"from": w.device.account}
    leaves = [hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(1_000)]
    root, seq = merkle.root(leaves), w.ledger.nextSeqOf(w.device.address)
    for i in range(2):
        tx = w.ledger.anchor(seq + 1_000 * i, 1_000, root, device)
        meter.take("DataLedger.anchor", tx)
    proof = merkle.prove(leaves, 511)
    call = w.ledger.verifyReading
    arguments = (w.device.address, seq + 511, leaves[511], seq, 1_000, root, proof)
    message = {"to": w.ledger.address, "data": call.encode_input(*arguments)}
    assert call(*arguments)
    sent = web3.eth.send_transaction({"from": str(w.relayer), "gasPrice": 0, **message})
    receipt = web3.eth.wait_for_transaction_receipt(sent, timeout=60)
    meter.used["DataLedger.verifyReading, batch of 1,000"] = receipt["gasUsed"]
    signer = w.admit(Role.DEVICE, region_id("north"), owner=w.meter_owner, account=fixed_account())
    batches = [signed_batch(w.ledger, signer, 1 + 24 * i, 24, root) for i in range(22)]
    w.ledger.anchorSigned(batches[0], {"from": w.relayer})
    tx = w.ledger.anchorSigned(batches[1], {"from": w.relayer})
    meter.take("DataLedger.anchorSigned", tx)
    tx = w.ledger.anchorMany(batches[2:], {"from": w.relayer})
    meter.take("DataLedger.anchorMany, 20 batches", tx)


def measure_reports(w: Any, meter: Meter) -> None:
    """Notifications in both modes, and consent."""
    owner, device = {"from": w.meter_owner.account}, {"from": w.device.account}
    for _ in range(2):
        policy = (100, 3_000, 600, 86_400, False, False)
        tx = w.board.setPolicy(w.device.address, policy, owner)
        meter.take("NotificationBoard.setPolicy", tx)
        w.board.report(500, 200, False, DIGEST, device)
        tx = w.board.report(501, 200, False, DIGEST, device)
        meter.take("NotificationBoard.report, nothing changes", tx)
        tx = w.board.report(4_000, 200, False, DIGEST, device)
        meter.take("NotificationBoard.report, status changes", tx)
        w.board.setPolicy(w.device.address, (*policy[:5], True), owner)
        w.board.reportSealed(DIGEST, DIGEST, device)
        tx = w.board.reportSealed(DIGEST, DIGEST, device)
        meter.take("NotificationBoard.reportSealed", tx)
        purpose = money.digest_of("purpose")
        tx = w.consents.give(w.device.address, purpose, meter.now + 10 * TICK, owner)
        meter.take("ConsentBook.give", tx)
        tx = w.consents.withdraw(w.device.address, purpose, owner)
        meter.take("ConsentBook.withdraw", tx)


def measure_governing(w: Any, meter: Meter) -> None:
    """A decision of two of three: proposed, approved, executed; admission is the dearest."""
    first, second, _ = w.founders
    for _ in range(2):
        chain_id, account = web3.eth.chain_id, fixed_account()
        member = new_member(w.registry, chain_id, account, Role.SHARER, bytes(32))
        data = w.registry.admit.encode_input(member.address, member.profile, member.proofs)
        tx = w.consortium.propose(w.registry.address, 0, data, {"from": first})
        meter.take("Consortium.propose, an admission", tx)
        proposal_id = w.consortium.proposalCount()
        tx = w.consortium.approve(proposal_id, {"from": second})
        meter.take("Consortium.approve, agreed", tx)
        tx = w.consortium.execute(proposal_id, w.registry.address, 0, data, {"from": first})
        meter.take("Consortium.execute, an admission", tx)
        meter.take("Consortium.execute, a revocation", w.revoke(member))


def test_gas__when_measured__is_written(world, meter):
    """Measure everything in one fixed order and write the snapshot."""
    # What needs new members first: their admission has no delay during the founding.
    measure_governing(world, meter)
    measure_market(world, meter)
    measure_reports(world, meter)
    measure_readings(world, meter)
    measure_deliveries(world, meter)
    measure_requests(world, meter)
    SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
    SNAPSHOT.write_text(json.dumps(dict(sorted(meter.used.items())), indent=1) + "\n")
