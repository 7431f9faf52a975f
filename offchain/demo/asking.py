"""Stage 4: users prepay bills and advice; the nodes answer before T; the users audit."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.audit.answers import AuditReport
from offchain.billing.advice import Advice
from offchain.billing.bill import Bill
from offchain.billing.money import amount_text
from offchain.billing.zones import zone
from offchain.chain.facts import ChainEvent
from offchain.demo.households import TIME_ZONE
from offchain.demo.pricing import PRODUCT
from offchain.demo.world import ADVICE, BILL, HomeSite, World
from offchain.household.day_counts import fetch_days
from offchain.household.planning import Wanted
from offchain.household.requests import PaidRequest
from offchain.member.errors import MemberError
from offchain.member.locks import Lock
from offchain.member.roles import REQUEST_TYPE_NAMES, LockState


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
    advice = _ask_whole_window(world, first, ADVICE)
    others = _ask_whole_window(world, second, BILL)
    _check_paid(world, bills)
    _check_bill(world, first, bills, others)
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
        time_zone=TIME_ZONE,
        product=PRODUCT,
        expires_at=expires_at,
    )


def _ask_whole_window(world: World, home: HomeSite, type_id: int) -> list[Answered]:
    """Ask in as many requests as the window needs, which is known before anything is paid."""
    wanted = Wanted(
        type_id=type_id,
        kind=REQUEST_TYPE_NAMES[type_id],
        devices=(home.device,),
        window=home.window,
        time_zone=TIME_ZONE,
        product=PRODUCT,
    )
    url = home.node.server.url
    planner = home.household.planner(lambda device, window: fetch_days(url, device, window))
    plan = planner.plan(wanted, region_id=home.node.region)
    world.say(
        f"{home.home.name}: {plan.readings} readings take {len(plan.parts)} requests of "
        f"{plan.price_wei} wei"
    )
    return [_ask_one(world, home, type_id, part) for part in plan.parts]


def _ask_one(world: World, home: HomeSite, type_id: int, window: tuple[int, int]) -> Answered:
    node = home.node
    user_before = home.gateway.balance_wei(home.gateway.address)
    node_before = node.gateway.call("PrepaidLock", "withdrawableOf", node.keys.address)
    paid = ask(home, type_id, window)
    world.wait_for_depth()
    user_after = home.gateway.balance_wei(home.gateway.address)
    outcome = node.worker.requests.handle(paid.lock_id)
    if home.household.locks.lock(paid.lock_id).state is LockState.REJECTED:
        raise MemberError(f"the node rejected an honest request: {outcome.detail}")
    world.wait_for_depth()
    node.worker.requests.claim(paid.lock_id)
    audit = home.household.answers.audit(paid.lock_id)
    node_after = node.gateway.call("PrepaidLock", "withdrawableOf", node.keys.address)
    world.say(f"{home.home.name}: answer opened and audited ({len(audit.findings)} findings)")
    return Answered(
        paid=paid,
        lock=home.household.locks.lock(paid.lock_id),
        audit=audit,
        spent_wei=user_before - user_after - paid.receipt.fee_wei,
        earned_wei=node_after - node_before,
    )


def _whole(home: HomeSite, answered: list[Answered]) -> Bill | Advice:
    """Return the one bill, or advice, of all parts."""
    answers = home.household.answers
    parts = answers.audit_parts([one.paid.lock_id for one in answered])
    return answers.whole(parts).by_the_chain(home.gateway, home.household.tariffs)


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


def _check_bill(
    world: World, home: HomeSite, bills: list[Answered], others: list[Answered]
) -> None:
    """Every line of every bill comes out as the node says; the parts make one bill."""
    failed = [f for one in [*bills, *others] for f in one.audit.findings if not f.ok]
    lines = [line for one in [*bills, *others] for line in one.audit.lines]
    whole = _whole(home, bills)
    assert isinstance(whole, Bill)
    fed_in = sum(-line.amount for line in whole.lines if line.section == "export")
    credit, total = (f"${amount_text(one, least_digits=2)}" for one in (fed_in, whole.total))
    summary = (
        f"{whole.import_wh / 1000:.1f} kWh taken, {whole.export_wh / 1000:.1f} kWh fed in for "
        f"{credit}; to pay {total} by local days of {TIME_ZONE}, by a tariff that the consortium "
        "entered (a correction)"
    )
    world.report.results[f"{home.home.name}: bill"] = summary
    is_line_by_line = bool(lines) and all(line.ok for line in lines)
    detail = "; ".join(f"{f.name}: {f.detail}" for f in failed) or (
        f"{home.home.name}: {summary}; {len(lines)} numbers of {len(bills) + len(others)} bills "
        "come out as the nodes say"
    )
    ok = not failed and is_line_by_line and "correction" in _named_tariffs(bills)
    world.findings.record("bill_audited", ok, detail)


def _named_tariffs(bills: list[Answered]) -> str:
    return "; ".join(
        f.detail for one in bills for f in one.audit.findings if f.name == "result_recomputed"
    )


def _check_advice(world: World, home: HomeSite, answered: list[Answered]) -> None:
    failed = [f for one in answered for f in one.audit.findings if not f.ok]
    whole = _whole(home, answered)
    assert isinstance(whole, Advice)
    standing = whole.standing.watts if whole.standing else 0
    cheap = [run for day in whole.coming[1:2] for run in day.runs if run.is_ == "cheap"]
    local = zone(whole.time_zone)
    clocks = ", ".join(
        f"{local.wall_clock(run.start):%H:%M}-{local.wall_clock(run.end):%H:%M}" for run in cheap
    )
    summary = (
        f"{standing} W always on; cheap tomorrow {clocks or 'at no hour'}; shifting "
        f"{whole.shift.wh / 1000:.1f} kWh saves ${amount_text(whole.shift.saves, least_digits=2)}"
    )
    if whole.own_use:
        saves = amount_text(whole.own_use.saves, least_digits=2)
        summary += f"; using {whole.own_use.wh / 1000:.1f} kWh of one's own saves ${saves}"
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
