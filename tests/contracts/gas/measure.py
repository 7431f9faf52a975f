"""Gas of the state-changing functions, from the receipts of real transactions (`make gas`).

Each is used once before it is measured: storage is settled, not touched for the first time. Keys,
nonces, accounts and times come from a fixed seed, so that only a change of the contracts (or of
these files) changes a figure. The result goes to ``tests/snapshots``: to ``gas.json`` by London's
rules, to ``gas-prague.json`` by Prague's.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import money
import pytest
from batches import signed as signed_batch
from brownie import accounts, chain, web3
from members import Role, region_id
from money import ADVICE, ADVICE_PRICE_WEI, BILL, PRICE_WEI

from offchain.crypto import merkle
from tests.contracts.gas import deliveries, governing, market, owners, traces

SNAPSHOTS, WITHIN = Path("tests/snapshots"), Path("tests/contracts/gas/within.toml")
BEGIN, TICK = 1_900_000_001, 10_000
ANSWER = b"\x2a" * 9_000
DIGEST = money.digest_of("answer")


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
        self.txids: dict[str, str] = {}
        self.now = BEGIN + TICK

    def take(self, name: str, tx: Any) -> Any:
        """Keep the gas of a transaction under a name."""
        self.used[name], self.txids[name] = tx.gas_used, tx.txid
        return tx

    def take_with_own_part(self, name: str, tx: Any, *, signature: slice | None = None) -> None:
        """Keep the gas of a transaction, and of it what is the escrow's own."""
        self.take(name, tx)
        self.used[f"{name}, the escrow's own part"] = traces.own_part(tx, signature=signature)

    def account(self) -> Any:
        """Return a new account of the fixed stream."""
        return accounts.add(secrets.token_bytes(32))

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
    fixed_chance: None, system: dict[str, Any], cast: dict, lock: Any, market: Any, ledger: Any,
    data_sets: Any,
    board: Any, court: Any, catalogue: Any, consents: Any, registry: Any, credit: Any,
    tariff_book: Any,
    consortium: Any, govern: Any, admit: Callable[..., Any], revoke: Any, founders: list[Any],
    relayer: Any,
) -> Any:  # fmt: skip
    """Everything by name; terms set, bonds put up, judges admitted."""
    money.set_terms(govern, catalogue, owners_bps=money.OWNERS_BPS)
    money.put_up(lock, cast["processor"], cast["processor_two"], amount_wei=10**19)
    everything = dict(locals())
    judges = [admit(Role.CONSORTIUM, account=founder) for founder in founders]
    return type("World", (), {**everything, **cast, "judges": judges})


# ---- a user's request ----


def requested(w: Any, meter: Meter, type_id: int = BILL, name: str = "") -> bytes:
    expires_at = meter.tick() + 5_000
    order = money.request_order(w.processor, expires_at=expires_at, type_id=type_id)
    signature = money.sign_request(w.lock, w.meter_owner, order)
    price = PRICE_WEI if type_id == BILL else ADVICE_PRICE_WEI
    tx = w.lock.request(order, signature, {"from": w.meter_owner.account, "value": price})
    if name:
        meter.take_with_own_part(name, tx, signature=traces.REQUEST_SIGNATURE)
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
        meter.take_with_own_part("PrepaidLock.claim", w.lock.claim(lock_id, secret, anyone))
        meter.tick()
        meter.take("PrepaidLock.settle", w.lock.settle(lock_id, anyone))
        for name, lock_id in (
            ("Requested", requested(w, meter)),
            ("Accepted", accepted(w, meter)[0]),
        ):
            meter.tick()
            tx = w.lock.refund(lock_id, anyone)
            meter.take_with_own_part(f"PrepaidLock.refund, from {name}", tx)
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


# ---- readings, reports, members ----


def measure_readings(w: Any, meter: Meter) -> None:
    """Anchors, and the check of a reading in a batch of 1,000 (sent as a transaction)."""
    device = {"from": w.device.account}
    leaves = [hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(1_000)]
    root, seq = merkle.root(leaves), w.ledger.nextSeqOf(w.device.address)
    for i in range(2):
        tx = w.ledger.anchor(seq + 1_000 * i, 1_000, root, device)
        meter.take("DataLedger.anchor, batch of 1,000", tx)
    tx = w.ledger.anchor(seq + 2_000, 100, merkle.root(leaves[:100]), device)
    meter.take("DataLedger.anchor, batch of 100", tx)
    proof = merkle.prove(leaves, 511)
    call = w.ledger.verifyReading
    arguments = (w.device.address, seq + 511, leaves[511], seq, 1_000, root, proof)
    message = {"to": w.ledger.address, "data": call.encode_input(*arguments)}
    assert call(*arguments)
    sent = web3.eth.send_transaction({"from": str(w.relayer), "gasPrice": 0, **message})
    receipt = web3.eth.wait_for_transaction_receipt(sent, timeout=60)
    meter.used["DataLedger.verifyReading, batch of 1,000"] = receipt["gasUsed"]
    signer = new_device(w, meter)
    batches = [signed_batch(w.ledger, signer, 1 + 100 * i, 100, root) for i in range(22)]
    w.ledger.anchorSigned(batches[0], {"from": w.relayer})
    tx = w.ledger.anchorSigned(batches[1], {"from": w.relayer})
    meter.take("DataLedger.anchorSigned", tx)
    tx = w.ledger.anchorMany(batches[2:], {"from": w.relayer})
    assert "BatchRefused" not in tx.events
    meter.take("DataLedger.anchorMany, 20 batches of 100 of one meter", tx)


def new_device(w: Any, meter: Meter) -> Any:
    """Admit another device of the meter owner."""
    options = {"owner": w.meter_owner, "account": meter.account()}
    return w.admit(Role.DEVICE, region_id("north"), **options)


def measure_meters(w: Any, meter: Meter) -> None:
    """Twice a batch of each of 20 meters, in one transaction."""
    signers = [new_device(w, meter) for _ in range(20)]
    root = money.digest_of("root")
    for i in range(2):
        batches = [signed_batch(w.ledger, it, 1 + 100 * i, 100, root) for it in signers]
        tx = w.ledger.anchorMany(batches, {"from": w.relayer})
        assert "BatchRefused" not in tx.events
        meter.take("DataLedger.anchorMany, 20 batches of 100 of 20 meters", tx)


def measure_reports(w: Any, meter: Meter) -> None:
    """Notifications in both modes, and consent."""
    owner, device = {"from": w.meter_owner.account}, {"from": w.device.account}
    for _ in range(2):
        policy = (100, 3_000, 0, 600, 86_400, False, False)
        tx = w.board.setPolicy(w.device.address, policy, owner)
        meter.take("NotificationBoard.setPolicy", tx)
        w.board.report(500, 200, False, DIGEST, device)
        tx = w.board.report(501, 200, False, DIGEST, device)
        meter.take("NotificationBoard.report, nothing changes", tx)
        tx = w.board.report(4_000, 200, False, DIGEST, device)
        meter.take("NotificationBoard.report, status changes", tx)
        w.board.setPolicy(w.device.address, (*policy[:6], True), owner)
        w.board.reportSealed(DIGEST, DIGEST, device)
        tx = w.board.reportSealed(DIGEST, DIGEST, device)
        meter.take("NotificationBoard.reportSealed", tx)
        purpose = money.digest_of("purpose")
        tx = w.consents.give(w.device.address, purpose, meter.now + 10 * TICK, owner)
        meter.take("ConsentBook.give", tx)
        tx = w.consents.withdraw(w.device.address, purpose, owner)
        meter.take("ConsentBook.withdraw", tx)


def measure_tariffs(w: Any, meter: Meter) -> None:
    """The first tariff of a product and a later one; price series alike."""
    node, north = {"from": w.processor.account}, region_id("north")
    for name in ("TariffBook.appendTariff, the first of a product", "TariffBook.appendTariff"):
        start = meter.tick() + 1_000
        entry = (money.digest_of(f"tariff {start}"), start, start + 365 * 86_400)
        meter.take(name, w.tariff_book.appendTariff(north, "household", entry, node))
    for name in ("TariffBook.publishSeries, the first of a name", "TariffBook.publishSeries"):
        start = meter.tick() + 1_000
        entry = (money.digest_of(f"series {start}"), start, start + 86_400, 900)
        meter.take(name, w.tariff_book.publishSeries(north, "day ahead", entry, node))


def test_gas__when_measured__is_written(world, meter):
    """Measure everything in one fixed order and write the snapshot."""
    # What needs new members first: their admission has no delay during the founding.
    governing.measure_decisions(world, meter)
    owners.measure(world, meter)
    market.measure(world, meter)
    measure_reports(world, meter)
    measure_readings(world, meter)
    deliveries.measure(world, meter, deliveries.SIZES)
    measure_requests(world, meter)
    deliveries.measure(world, meter, (deliveries.LARGEST,))
    governing.measure_members(world, meter)
    governing.measure_catalogue(world, meter)
    # Both have the window that the catalogue was given.
    deliveries.measure_disputes(world, meter)
    owners.measure_settlement(world, meter)
    measure_meters(world, meter)
    market.measure_largest(world, meter)
    governing.measure_stop(world, meter)
    measure_tariffs(world, meter)
    check_within(world, meter)
    write(meter.used)


def check_within(w: Any, meter: Meter) -> None:
    """See that what has no figure of its own was called in the transaction that is said to be."""
    for name, other in tomllib.loads(WITHIN.read_text()).items():
        contract = w.system[name.split(".")[0]]
        call = getattr(contract, name.split(".")[1])
        calls = traces.called(meter.txids[other])
        assert (contract.address.lower(), call.signature) in calls, f"{name} is not in {other}"


def write(used: dict[str, int]) -> None:
    """Write the snapshot of the rules that the node runs by."""
    rules = web3.provider.make_request("anvil_nodeInfo", [])["result"]["hardFork"].lower()
    name = {"london": "gas.json", "prague": "gas-prague.json"}[rules]
    SNAPSHOTS.mkdir(parents=True, exist_ok=True)
    (SNAPSHOTS / name).write_text(json.dumps(dict(sorted(used.items())), indent=1) + "\n")
