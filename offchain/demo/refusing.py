"""Stage 5: requests that must fail cost gas alone; a declined or missed one is refunded in full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offchain.billing.window_parts import utc_days
from offchain.billing.zones import zone
from offchain.chain.facts import ContractRevert
from offchain.chain.gateway import ChainGateway
from offchain.crypto.hash_to_curve import H
from offchain.demo.asking import ask
from offchain.demo.gas import fees_wei
from offchain.demo.households import TIME_ZONE
from offchain.demo.pricing import PRODUCT
from offchain.demo.world import BILL, HomeSite, World
from offchain.household.request_draft import RequestDraft
from offchain.member.lock_terms import request_conditions
from offchain.member.roles import LockState, Reason
from offchain.records.reading import MAX_TIME_S
from offchain.types import SECONDS_PER_DAY

UNKNOWN_TYPE = 4_000_000_000
REQUEST_GAS = 1_500_000
_SPARE_S = 10  # what sealing and sending a request may take

_Case = tuple[str, bool, int]  # what was seen, whether it ended so, what the user wins


@dataclass(frozen=True)
class _Refusal:
    error: str
    lost_wei: int
    held_wei: int


def try_bad_requests(world: World) -> None:
    """Send four requests that the contract must refuse, as real transactions that revert."""
    home = world.homes[0]
    other = next(one.node for one in world.homes if one.node is not home.node)
    assert world.outsider is not None
    _check_refused(
        world,
        "request_unknown_member_refused",
        "PrepaidLock_NotUser",
        _send(world.outsider, _draft(home)),
    )
    _check_refused(
        world,
        "request_wrong_region_refused",
        "PrepaidLock_WrongRegion",
        _send(home.gateway, _draft(home, processor=other.keys.address)),
    )
    _check_refused(
        world,
        "request_unknown_type_refused",
        "PrepaidLock_UnknownType",
        _send(home.gateway, _draft(home, type_id=UNKNOWN_TYPE)),
    )
    _check_refused(
        world,
        "request_bad_signature_refused",
        "PrepaidLock_BadSignature",
        _send(home.gateway, _draft(home), signature=H.words()),
    )


def ask_in_vain(world: World) -> None:
    """Ask for what the node must decline, and let a node miss T after it accepted."""
    home = world.homes[0]
    _check_refunded(world, home, "request_declined_refunded", _declined)
    before = _credit(home)
    _check_refunded(world, home, "request_timeout_refunded", _missed)
    after = _credit(home)
    world.findings.record("credit_down", after < before, f"from {before} to {after}")


def _draft(home: HomeSite, *, type_id: int = BILL, processor: str | None = None) -> RequestDraft:
    conditions = request_conditions(home.gateway, BILL)
    return home.household.requests.prepare(
        type_id,
        devices=[home.device],
        window_from=home.window[0],
        window_to=home.window[1],
        time_zone=TIME_ZONE,
        product=PRODUCT,
        expires_at=home.gateway.now() + 2 * conditions.shortest_s,
        price_wei=conditions.price_wei,
        terms=conditions.terms,
        processor=processor or home.node.keys.address,
    )


def _send(
    gateway: ChainGateway, draft: RequestDraft, signature: tuple[int, ...] | None = None
) -> _Refusal:
    lock = gateway.deployment.address("PrepaidLock")
    before, held = gateway.balance_wei(gateway.address), gateway.balance_wei(lock)
    error, fee_wei = "none", 0
    try:
        gateway.transact(
            "PrepaidLock",
            "request",
            draft.order,
            signature or draft.signature,
            value_wei=draft.price_wei,
            gas=REQUEST_GAS,
            dry_call=False,
        )
    except ContractRevert as revert:
        error = revert.name
        fee_wei = revert.receipt.fee_wei if revert.receipt is not None else 0
    lost_wei = before - gateway.balance_wei(gateway.address) - fee_wei
    return _Refusal(error, lost_wei, gateway.balance_wei(lock) - held)


def _check_refused(world: World, check: str, error: str, refusal: _Refusal) -> None:
    ok = refusal == _Refusal(error, 0, 0)
    detail = f"reverted with {refusal.error}; beyond gas the sender lost {refusal.lost_wei} wei"
    world.findings.record(check, ok, detail)


def _check_refunded(
    world: World, home: HomeSite, check: str, case: Callable[[World, HomeSite], _Case]
) -> None:
    before = home.gateway.balance_wei(home.gateway.address)
    home_fees = _fees_so_far(home)
    detail, is_ended, gain_wei = case(world, home)
    home.household.money.withdraw()
    lost_wei = before - home.gateway.balance_wei(home.gateway.address)
    won_wei = _fees_so_far(home) - home_fees - lost_wei
    ok = is_ended and won_wei == gain_wei
    world.findings.record(check, ok, f"{detail}; beyond gas the user won {won_wei} wei")


def _declined(world: World, home: HomeSite) -> _Case:
    """A window in which the device has no readings."""
    paid = ask(home, BILL, _window_without_readings(home))
    world.wait_for_depth()
    home.node.worker.requests.handle(paid.lock_id)
    start = home.gateway.deployment.block("PrepaidLock")
    events = home.gateway.events("PrepaidLock", "Rejected", from_block=start, lockId=paid.lock_id)
    reasons = [Reason(event.args["reason"]).name for event in events]
    state = home.household.locks.lock(paid.lock_id).state
    return f"rejected with {reasons}", state is LockState.REJECTED and bool(reasons), 0


def _window_without_readings(home: HomeSite) -> tuple[int, int]:
    """A local day a year after the last one with readings or, where time ends before, an earlier
    one of which no UTC day has readings.
    """
    local, latest = zone(TIME_ZONE), MAX_TIME_S - 2 * SECONDS_PER_DAY
    instant = min(home.window[1] + 365 * SECONDS_PER_DAY, latest)
    while True:
        day = local.days_between(instant, instant + 1)[0]
        if not set(utc_days((day.start, day.end))) & set(home.days):
            return day.start, day.end
        instant -= SECONDS_PER_DAY


def _missed(world: World, home: HomeSite) -> _Case:
    """The node accepts and then does nothing until T has passed: its bond goes to the user."""
    soon = world.gateway.now() + world.ground.shortest_s + _SPARE_S
    paid = ask(home, BILL, home.window_of_days(1), expires_at=soon)
    world.wait_for_depth()
    home.node.worker.requests.handle(paid.lock_id)
    accepted = home.household.locks.lock(paid.lock_id)
    is_accepted = accepted.state is LockState.ACCEPTED and accepted.bond_wei > 0
    world.ground.wait_until(paid.expires_at)
    home.household.money.refund(paid.lock_id)
    state = home.household.locks.lock(paid.lock_id).state
    is_ended = is_accepted and state is LockState.REFUNDED
    detail = f"accepted: {is_accepted}, then {state.name} with the node's bond"
    return detail, is_ended, accepted.bond_wei


def _fees_so_far(home: HomeSite) -> int:
    """Return what the home's account has paid for gas so far, from the chain's own receipts."""
    return fees_wei(home.gateway, senders=[home.gateway.address])


def _credit(home: HomeSite) -> int:
    return int(home.gateway.call("CreditBook", "creditOf", home.node.keys.address))
