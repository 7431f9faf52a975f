"""Stage 6: data sets are published, bought, their key shared and recovered, their data audited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from offchain.audit.data_sets import VerificationReport
from offchain.audit.opened_data_set import OpenedDataSet
from offchain.buyer.form import form_of
from offchain.chain.facts import ContractRevert
from offchain.crypto import curve, packing, paillier, polynomial
from offchain.crypto.curve import G1
from offchain.demo.report import FormRow
from offchain.demo.world import DATA_SET_PRICE_WEI, BuyerSite, NodeSite, World
from offchain.errors import DmsmError, NotEnoughSharesError
from offchain.member.roles import LockState
from offchain.node.market import deliver_arguments
from offchain.records import ciphertexts as ciphertext_file
from offchain.records.dataset import VALUES_A_ROW
from offchain.types import SECONDS_PER_DAY

CONSENT_S = 365 * SECONDS_PER_DAY
RESPOND_S, SELECT_S, DELIVER_S = 1_800, 3_600, 3_600
GAS_LIMIT = 25_000_000


@dataclass(frozen=True)
class Grant:
    """A lock whose shares were delivered, and the node that sold the data set."""

    lock_id: bytes
    node: NodeSite


def publish_data_sets(world: World) -> None:
    """Let the owners consent and each node publish what its region has read."""
    for home in world.homes:
        home.household.consents.give(home.device, expires_at=home.gateway.now() + CONSENT_S)
    published = []
    for node in world.nodes:
        windows = [home.utc_window for home in world.homes_of(node)]
        window = min(start for start, _ in windows), max(end for _, end in windows)
        world.say(f"{node.region_name}: encrypting and publishing its data set")
        published.append(node.publisher.publish(*window))
    faults = []
    for node, data_set in zip(world.nodes, published, strict=True):
        sale = world.gateway.call("DataSetBook", "offerOf", data_set.data_set_id)
        earnings = world.gateway.call("DataSetBook", "earningsOf", data_set.data_set_id)
        rows = sum(len(home.home.samples) for home in world.homes_of(node))
        if (sale.processor, earnings.rowCount) != (node.keys.address, rows):
            faults.append(f"{node.region_name}: {earnings.rowCount} rows of {rows}")
    counts = ", ".join(
        f"{node.region_name} {data_set.row_count:,} rows"
        for node, data_set in zip(world.nodes, published, strict=True)
    )
    world.findings.record("datasets_published", not faults, "; ".join(faults) or counts)


def buy_data(world: World) -> list[Grant]:
    """Broadcast, respond, look at the form, select both nodes and prepay; the shares are dealt."""
    buyer, now = world.buyers[0], world.gateway.now()
    windows = [home.utc_window for home in world.homes]
    broadcast_id = buyer.buyer.broadcasts.make(
        regions=[node.region for node in world.nodes],
        window_from=min(start for start, _ in windows),
        window_to=max(end for _, end in windows),
        max_price_wei=2 * DATA_SET_PRICE_WEI,
        group_size=world.options.sharers,
        threshold=world.options.threshold,
        respond_by=now + RESPOND_S,
        select_by=now + SELECT_S,
        purpose="a study of household load",
    )
    world.wait_for_depth()
    # The node with least credit answers first: the order of the form is the contract's work.
    for node in sorted(world.nodes, key=lambda node: _credit(world, node)):
        node.worker.market.open_broadcasts()
        node.worker.market.respond(broadcast_id)
    _check_form(world, broadcast_id)
    world.say("both nodes responded; selecting both and prepaying")
    lock_ids = buyer.buyer.selection.select(
        broadcast_id,
        members=[sharer.keys.address for sharer in world.buyers],
        processors=[line.processor for line in form_of(buyer.gateway, broadcast_id)],
        expires_at=world.gateway.now() + DELIVER_S,
    )
    world.wait_for_depth()
    nodes = {node.keys.address: node for node in world.nodes}
    grants = [Grant(one, nodes[buyer.buyer.locks.lock(one).payee]) for one in lock_ids]
    for grant in grants:
        grant.node.worker.market.selections()
    _check_wrong_share(world, grants)
    _check_delivery(world, grants)
    return grants


def recover_and_audit(world: World, grants: list[Grant]) -> None:
    """Exchange shares, recover each key, open, decrypt and audit the data; then tamper with it."""
    opened = {}
    for grant in grants:
        world.say(f"{grant.node.region_name}: members exchange their shares")
        _exchange_shares(world, grant)
        opened[grant.lock_id] = world.buyers[0].buyer.data_sets.open(grant.lock_id)
    reports = {}
    for grant in grants:
        world.say(f"{grant.node.region_name}: decrypting and auditing every reading")
        buyer = world.buyers[0].buyer
        reports[grant.lock_id] = buyer.data_sets.verify(grant.lock_id, opened=opened[grant.lock_id])
    _check_data(world, grants, reports)
    victim = world.random.choice(grants)
    _check_tampering(world, victim, opened[victim.lock_id])


def deliver_and_open(world: World, lock_id: bytes) -> OpenedDataSet:
    """Let the members hand the buyer their shares of a delivered lock, and open what it bought."""
    buyer = world.buyers[0]
    for sharer in world.buyers:
        sharer.buyer.shares.own(lock_id)
        if sharer is not buyer:
            sharer.buyer.shares.hand_over(lock_id, {buyer.keys.address: buyer.server.url})
    return buyer.buyer.data_sets.open(lock_id)


def _check_form(world: World, broadcast_id: bytes) -> None:
    names = {node.keys.address: node.region_name for node in world.nodes}
    form = form_of(world.buyers[0].gateway, broadcast_id)
    world.report.form = [
        FormRow(
            processor=line.processor,
            region=names[line.processor],
            credit=line.credit,
            price_wei=line.price_wei,
        )
        for line in form
    ]
    credits = [line.credit for line in form]
    is_sorted = credits == sorted(credits, reverse=True)
    is_true = credits == [_credit_of(world, line.processor) for line in form]
    ok = is_sorted and is_true and {line.processor for line in form} == set(names)
    world.findings.record("form_sorted_by_credit", ok, f"credits in the form's order: {credits}")


def _check_wrong_share(world: World, grants: list[Grant]) -> None:
    """Submit each transcript with one share replaced: the contract must refuse it."""
    errors = []
    for grant in grants:
        selection, dealt = grant.node.worker.market.transcript(grant.lock_id)
        at = world.random.randrange(len(dealt.shares))
        shares = list(dealt.shares)
        shares[at] = curve.add(shares[at], curve.G1_GENERATOR)
        arguments = deliver_arguments(selection, replace(dealt, shares=tuple(shares)))
        errors.append(_revert_of(grant, arguments))
    states = [world.buyers[0].buyer.locks.lock(grant.lock_id).state for grant in grants]
    ok = errors == ["PrepaidLock_BadShares"] * len(grants) and states == [LockState.SELECTED] * len(
        grants
    )
    world.findings.record("wrong_share_refused", ok, f"reverted with {sorted(set(errors))}")


def _revert_of(grant: Grant, arguments: tuple[object, ...]) -> str:
    try:
        grant.node.gateway.transact(
            "PrepaidLock", "deliver", *arguments, gas=GAS_LIMIT, dry_call=False
        )
    except ContractRevert as revert:
        return revert.name
    return "none"


def _check_delivery(world: World, grants: list[Grant]) -> None:
    states, verified = [], 0
    for grant in grants:
        grant.node.worker.market.deliver(grant.lock_id)
        states.append(world.buyers[0].buyer.locks.lock(grant.lock_id).state)
        for sharer in world.buyers:
            sharer.buyer.shares.own(grant.lock_id)  # raises when it does not verify
            verified += 1
    ok = all(state is LockState.SETTLED for state in states)
    names = ", ".join(state.name.lower() for state in states)
    detail = f"{verified} shares verified by the contract and by the members; {names}"
    world.findings.record("shares_verified_on_chain", ok, detail)


def _exchange_shares(world: World, grant: Grant) -> None:
    """Hand shares to the buyer until it has t−1, which must fail, then to everybody."""
    buyer, others, threshold = world.buyers[0], world.buyers[1:], world.options.threshold
    for sharer in others[: threshold - 2]:
        _hand_over(sharer, grant, [buyer])
    shares = buyer.inbox.shares(grant.lock_id)
    too_few = _is_refused(lambda: buyer.buyer.shares.recover(grant.lock_id), NotEnoughSharesError)
    guess = _interpolate_anyway(shares)
    no_key = _is_refused(
        lambda: buyer.buyer.data_sets.open(grant.lock_id, group_secret=guess), DmsmError
    )
    detail = (
        f"{len(shares)} of {threshold} shares: too few, and what they interpolate opens nothing"
    )
    ok = too_few and no_key and len(shares) == threshold - 1
    world.findings.record("key_not_recovered_below_threshold", ok, detail)
    _hand_over(others[threshold - 2], grant, [buyer])
    recovery = buyer.buyer.shares.recover(grant.lock_id)
    at_threshold = len(buyer.inbox.shares(grant.lock_id))
    opened = buyer.buyer.data_sets.open(grant.lock_id, group_secret=recovery.group_secret)
    ok = at_threshold == threshold and not recovery.false_indices
    rows = opened.manifest.rows
    detail = f"{at_threshold} of {len(world.buyers)} members; the manifest ({rows:,} rows) opens"
    world.findings.record("key_recovered_by_threshold", ok, detail)


def _hand_over(sharer: BuyerSite, grant: Grant, to: list[BuyerSite]) -> None:
    sharer.buyer.shares.hand_over(grant.lock_id, {one.keys.address: one.server.url for one in to})


def _interpolate_anyway(shares: Mapping[int, G1]) -> G1:
    """What fewer than t shares come to, without asking whether they are enough."""
    factors = polynomial.lagrange_at_zero(list(shares), curve.GROUP_ORDER)
    return curve.sum_points([curve.multiply(share, factors[i]) for i, share in shares.items()])


def _is_refused(action: Callable[[], object], error: type[Exception]) -> bool:
    try:
        action()
    except error:
        return True
    return False


def _check_data(
    world: World, grants: list[Grant], reports: dict[bytes, VerificationReport]
) -> None:
    failed, rows = [], 0
    for grant in grants:
        report = reports[grant.lock_id]
        failed += [f"{f.name}: {f.detail}" for f in report.findings if not f.ok]
        data_set_id = world.buyers[0].buyer.shares.grant(grant.lock_id).data_set_id
        sold = world.gateway.call("DataSetBook", "earningsOf", data_set_id)
        if len(report.readings) != sold.rowCount:
            failed.append(f"{len(report.readings)} of {sold.rowCount} rows rebuilt")
        rows += len(report.readings)
    energy_wh = sum(_energy_wh(report) for report in reports.values())
    summary = f"{rows:,} readings decrypted, rebuilt and found on chain; {energy_wh / 1000:.1f} kWh"
    world.report.results["the buyer's data"] = summary
    world.findings.record("data_matches_chain", not failed, "; ".join(failed[:4]) or summary)


def _energy_wh(report: VerificationReport) -> int:
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for reading in report.readings:
        first.setdefault(reading.device, reading.import_wh)
        last[reading.device] = reading.import_wh
    return sum(last[device] - first[device] for device in last)


def _check_tampering(world: World, grant: Grant, opened: OpenedDataSet) -> None:
    """Add 1 Wh to a row under the encryption: the audit must name it, and its device alone."""
    file = ciphertext_file.decode_ciphertexts(opened.ciphertext_bytes)
    at = world.random.randrange(len(file.devices))
    victim = file.devices[at]
    public_key = opened.private_key.public_key
    row = world.random.randrange(victim.rows)
    value_at = VALUES_A_ROW * row
    one, slot = divmod(value_at, packing.slots_per_plaintext(public_key.bits))
    value = paillier.ciphertext_from_bytes(public_key, victim.ciphertexts[one])
    one_wh = paillier.encrypt(public_key, 1 << (packing.SLOT_BITS * slot))
    shifted = paillier.add_ciphertexts(public_key, [value, one_wh])
    changed = list(victim.ciphertexts)
    changed[one] = paillier.ciphertext_to_bytes(public_key, shifted)
    devices = list(file.devices)
    devices[at] = replace(victim, ciphertexts=tuple(changed))
    tampered = ciphertext_file.encode_ciphertexts(replace(file, devices=tuple(devices)))
    forged = replace(opened, ciphertext_bytes=tampered)
    report = world.buyers[0].buyer.data_sets.verify(grant.lock_id, opened=forged)
    named = [found.detail for found in report.devices if not found.ok]
    ok = not report.ok and report.bad_devices == (victim.device,)
    detail = f"1 Wh added to row {row + 1} under the encryption; named: {'; '.join(named)[:160]}"
    world.findings.record("tampered_data_detected", ok, detail)


def _credit(world: World, node: NodeSite) -> int:
    return _credit_of(world, node.keys.address)


def _credit_of(world: World, account: str) -> int:
    return int(world.gateway.call("CreditBook", "creditOf", account))
