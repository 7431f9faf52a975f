"""Stage 3: what the owners are told, read from the chain and from the sealed reports."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.demo.report import NotificationRow
from offchain.demo.world import HomeSite, World
from offchain.household.notifications import Notification
from offchain.types import Policy, Status

STATUS_TEXTS = {
    Status.IN_OPERATION: "in operation",
    Status.SHUT_DOWN: "shut down",
    Status.TOO_HIGH: "too high",
    Status.TOO_LOW: "too low",
}
_CHECKS = {
    Status.TOO_HIGH: "notification_too_high",
    Status.TOO_LOW: "notification_too_low",
    Status.SHUT_DOWN: "notification_shut_down",
    Status.IN_OPERATION: "notification_in_operation",
}

_Received = list[tuple[HomeSite, list[Notification]]]


def read_notifications(world: World) -> None:
    """Let every owner read its notifications, open the reports and compare both with its policy."""
    received = [(home, home.household.notifications.received()) for home in world.homes]
    for home, notifications in received:
        world.report.notifications += [_row(home.home.name, one) for one in notifications]
    for status, check in _CHECKS.items():
        _check_status(world, check, status, received)
    _check_temperature(world, received)


def _check_status(world: World, check: str, status: Status, received: _Received) -> None:
    found, wrong = [], []
    for home, notifications in received:
        for one in _of_status(notifications, status):
            found.append(one)
            if not _is_right(home, one):
                wrong.append(f"{home.home.name}: {one.power_w} W judged {STATUS_TEXTS[status]}")
    injected = sum(one.injected for one in found)
    detail = f"{len(found)} events, {injected} of them injected trials, all reports opened"
    world.findings.record(check, bool(found) and not wrong, "; ".join(wrong[:3]) or detail)


def _of_status(notifications: Sequence[Notification], status: Status) -> list[Notification]:
    """The notifications of a status; "in operation" counts after a "shut down" alone."""
    found, was_down = [], False
    for one in notifications:
        is_change = one.status == status and one.previous != status
        if is_change and (was_down or status is not Status.IN_OPERATION):
            found.append(one)
        was_down = one.status == Status.SHUT_DOWN or (
            was_down and one.status != Status.IN_OPERATION
        )
    return found


def _is_right(home: HomeSite, one: Notification) -> bool:
    raw = home.gateway.call("NotificationBoard", "policyOf", home.device)
    policy, shown_w = Policy.from_chain(tuple(raw)), one.power_w
    if shown_w is None:
        return False
    return _is_judged(policy, shown_w, Status(one.status)) and _report_agrees(one)


def _is_judged(policy: Policy, shown_w: int, status: Status) -> bool:
    if policy.high_feed_in_w and shown_w < 0:
        is_high = -shown_w >= policy.high_feed_in_w
        return status is (Status.TOO_HIGH if is_high else Status.IN_OPERATION)
    power_w = -shown_w if policy.feeds_in else shown_w
    return {
        Status.SHUT_DOWN: power_w <= 0,
        Status.TOO_HIGH: power_w > 0 and power_w >= policy.high_power_w,
        Status.TOO_LOW: 0 < power_w <= policy.low_power_w,
        Status.IN_OPERATION: policy.low_power_w < power_w < policy.high_power_w,
    }[status]


def _report_agrees(one: Notification) -> bool:
    report = one.report
    return bool(one.report_valid) and report is not None and report.power_w == one.power_w


def _check_temperature(world: World, received: _Received) -> None:
    found, wrong = 0, []
    for home, notifications in received:
        for one in notifications:
            warning_dc = home.policy.temperature_warning_dc
            found += one.temperature_too_high is True
            shown_dc = one.temperature_dc
            is_hot = shown_dc is not None and shown_dc >= warning_dc
            if one.temperature_too_high != is_hot:
                wrong.append(f"{home.home.name}: {one.temperature_dc} against {warning_dc}")
    detail = "; ".join(wrong[:3]) or f"{found} notifications with the flag up"
    world.findings.record("notification_temperature", found > 0 and not wrong, detail)


def _row(name: str, one: Notification) -> NotificationRow:
    return NotificationRow(
        home=name,
        time_s=one.report.time_s if one.report is not None else one.at,
        status=STATUS_TEXTS[Status(one.status)],
        temperature_too_high=one.temperature_too_high is True,
        power_w=one.power_w or 0,
        injected=one.injected,
    )
