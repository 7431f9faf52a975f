"""Stage 4: users prepay bills and advice; the nodes answer before T; the users audit."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.audit.answers import AuditReport
from offchain.chain.facts import ChainEvent
from offchain.demo.world import ADVICE, BILL, HomeSite, World
from offchain.household.requests import PaidRequest
from offchain.member.errors import MemberError
from offchain.member.locks import Lock
from offchain.member.roles import LockState, Reason
from offchain.types import SECONDS_PER_DAY

DAYS_A_REQUEST = 30  # what surely fits an answer of 32 KiB at quarter-hourly readings


@dataclass(frozen=True)
class Answered:
    """An answered request with the user's audit, and how the money moved."""

    paid: PaidRequest
    lock: Lock
    audit: AuditReport
    spent_wei: int
    earned_wei: int


def ask_for_bills(world: World) -> None:
    """Ask for a bill in each region, two regions apart in credit, and for advice in the first."""
    first = world.homes[0]
    second = next(home for home in world.homes if home.node is not first.node)
    before = _credit(first)
    bills = _ask_whole_window(world, first, BILL)
    advice = _ask_whole_window(world, first, ADVICE)[-1]
    others = _ask_whole_window(world, second, BILL)
    _check_paid(world, bills)
    _check_bill(world, first, [*bills, *others])
    _check_advice(world, first, advice)
    _check_credit(world, first, bills, before)


def ask(
    home: HomeSite, type_id: int, window: tuple[int, int], *, expires_at: int | None = None
) -> PaidRequest:
    """Prepay one request for the home's device; T left out is twice the type's shortest time."""
    return home.household.requests.ask(
        type_id,
        devices=[home.device],
        window_from=window[0],
        window_to=window[1],
        expires_at=expires_at,
    )


def _ask_whole_window(world: World, home: HomeSite, type_id: int) -> list[Answered]:
    answered, windows = [], _windows(home.days)
    while windows:
        window = windows.pop(0)
        one = _ask_one(world, home, type_id, window)
        if one is not None:
            answered.append(one)
        else:  # the answer would not fit: ask for each half
            windows[:0] = _halves(home, window)
    return answered


def _ask_one(
    world: World, home: HomeSite, type_id: int, window: tuple[int, int]
) -> Answered | None:
    node = home.node
    user_before = home.gateway.balance_wei(home.gateway.address)
    node_before = node.gateway.call("PrepaidLock", "withdrawableOf", node.keys.address)
    paid = ask(home, type_id, window)
    world.wait_for_depth()
    user_after = home.gateway.balance_wei(home.gateway.address)
    outcome = node.worker.requests.handle(paid.lock_id)
    if home.household.locks.lock(paid.lock_id).state is LockState.REJECTED:
        reason = _reason(home, paid.lock_id)
        if reason is not Reason.ANSWER_TOO_LARGE:
            raise MemberError(f"the node rejected an honest request: {outcome.detail}")
        return None
    world.wait_for_depth()
    node.worker.requests.claim(paid.lock_id)
    audit = home.household.answers.audit(paid.lock_id, world.tariff)
    node_after = node.gateway.call("PrepaidLock", "withdrawableOf", node.keys.address)
    world.say(f"{home.home.name}: answer opened and audited ({len(audit.findings)} findings)")
    return Answered(
        paid=paid,
        lock=home.household.locks.lock(paid.lock_id),
        audit=audit,
        spent_wei=user_before - user_after - paid.receipt.fee_wei,
        earned_wei=node_after - node_before,
    )


def _windows(days: list[int]) -> list[tuple[int, int]]:
    parts = [days[i : i + DAYS_A_REQUEST] for i in range(0, len(days), DAYS_A_REQUEST)]
    return [(part[0] * SECONDS_PER_DAY, (part[-1] + 1) * SECONDS_PER_DAY) for part in parts]


def _halves(home: HomeSite, window: tuple[int, int]) -> list[tuple[int, int]]:
    days = [d for d in home.days if window[0] <= d * SECONDS_PER_DAY < window[1]]
    if len(days) < 2:
        raise MemberError("one day of readings does not fit an answer of 32 KiB")
    middle = days[len(days) // 2] * SECONDS_PER_DAY
    first_end = (days[len(days) // 2 - 1] + 1) * SECONDS_PER_DAY
    return [(window[0], first_end), (middle, window[1])]


def _reason(home: HomeSite, lock_id: bytes) -> Reason:
    start = home.gateway.deployment.block("PrepaidLock")
    (event,) = home.gateway.events("PrepaidLock", "Rejected", from_block=start, lockId=lock_id)
    return Reason(event.args["reason"])


def _check_paid(world: World, bills: list[Answered]) -> None:
    ok = all(
        one.lock.state is LockState.SETTLED
        and one.spent_wei == one.lock.price_wei == one.paid.price_wei
        and one.earned_wei == one.lock.price_wei - one.lock.fee_wei
        and one.lock.fee_wei > 0
        for one in bills
    )
    first = bills[0]
    detail = (
        f"{len(bills)} prepaid, user −{first.spent_wei} wei, node +{first.earned_wei}, "
        f"the consortium's fee {first.lock.fee_wei}"
    )
    world.findings.record("request_paid", ok, detail)


def _check_bill(world: World, home: HomeSite, bills: list[Answered]) -> None:
    failed = [f for one in bills for f in one.audit.findings if not f.ok]
    mine = [one.audit.result for one in bills if one.lock.payer == home.household.keys.address]
    energy_wh = sum(result["energy_wh"] for result in mine)
    flat = sum(result["flat_microusd"] for result in mine)
    time_of_use = sum(result["time_of_use_microusd"] for result in mine)
    summary = (
        f"{energy_wh / 1000:.1f} kWh, flat ${flat / 10**6:.2f}, time of use "
        f"${time_of_use / 10**6:.2f}; every reading rebuilt and anchored"
    )
    world.report.results[f"{home.home.name}: bill"] = summary
    detail = "; ".join(f"{f.name}: {f.detail}" for f in failed) or f"{home.home.name}: {summary}"
    world.findings.record("bill_audited", bool(bills) and not failed, detail)


def _check_advice(world: World, home: HomeSite, advice: Answered) -> None:
    failed = [f for f in advice.audit.findings if not f.ok]
    result = advice.audit.result
    summary = (
        f"standing load {result['standing_load_w']} W; cheapest hours "
        f"{', '.join(str(hour) for hour in result['cheapest_hours'])}; shifting "
        f"{result['shiftable_wh'] / 1000:.1f} kWh there saves "
        f"${result['saving_microusd'] / 10**6:.2f}"
    )
    world.report.results[f"{home.home.name}: advice"] = summary
    detail = "; ".join(f"{f.name}: {f.detail}" for f in failed) or summary
    world.findings.record("advice_given", not failed, detail)


def _check_credit(world: World, home: HomeSite, bills: list[Answered], before: int) -> None:
    moved: list[ChainEvent] = []
    for one in bills:
        start = home.gateway.deployment.block("CreditBook")
        moved += home.gateway.events(
            "CreditBook", "CreditChanged", from_block=start, lockId=one.paid.lock_id
        )
    rises = all(event.args["current"] > event.args["previous"] for event in moved)
    ok = rises and len(moved) == len(bills) and _credit(home) > before
    world.findings.record("credit_up", ok, f"from {before} to {_credit(home)}")


def _credit(home: HomeSite) -> int:
    return int(home.gateway.call("CreditBook", "creditOf", home.node.keys.address))
