import pytest
from reading import plain

NONE, IN_OPERATION, SHUT_DOWN, TOO_HIGH, TOO_LOW, OFFLINE = range(6)
FEEDING = (200, 3000, 0, 600, 86_400, True, False)
BOTH_WAYS = (200, 3000, 2500, 600, 86_400, False, False)
NOT_MEASURED = -32_768
DIGEST = b"\x0d" * 32
LEAST = -(2**63)


def test_report__when_caller_is_no_active_device__reverts(
    board, open_mode, device, meter_owner, outsider, revoke, reverts_with
):
    revoke(device)
    for caller in (meter_owner.account, outsider, device.account):
        with reverts_with("NotificationBoard_NotDevice", caller):
            board.report(500, 200, False, DIGEST, {"from": caller})


def test_report__given_no_policy__reverts(report, device, reverts_with):
    with reverts_with("NotificationBoard_NoPolicy", device.address):
        report(500)


def test_report__given_sealed_mode__reverts(report, sealed_mode, device, reverts_with):
    with reverts_with("NotificationBoard_WrongMode", device.address, True):
        report(500)


@pytest.mark.parametrize(
    "power_w, status",
    [
        (LEAST, SHUT_DOWN),
        (-1, SHUT_DOWN),
        (0, SHUT_DOWN),
        (1, TOO_LOW),
        (199, TOO_LOW),
        (200, TOO_LOW),
        (201, IN_OPERATION),
        (2999, IN_OPERATION),
        (3000, TOO_HIGH),
        (3001, TOO_HIGH),
        (2**63 - 1, TOO_HIGH),
    ],
)
@pytest.mark.parametrize("temperature_dc, is_hot", [(599, False), (600, True), (601, True)])
def test_report__given_open_mode__judges_by_algorithm_1(
    board, open_mode, report, device, power_w, status, temperature_dc, is_hot
):
    report(power_w, temperature_dc)

    assert plain(board.standingOf(device.address))[:2] == (status, is_hot)
    policy = plain(board.policyOf(device.address))
    assert plain(board.judge(policy, power_w, temperature_dc)) == (status, is_hot)


@pytest.mark.parametrize(
    "power_w, status",
    [
        (LEAST, TOO_HIGH),
        (-3000, TOO_HIGH),
        (-2999, IN_OPERATION),
        (-201, IN_OPERATION),
        (-200, TOO_LOW),
        (-1, TOO_LOW),
        (0, SHUT_DOWN),
        (1, SHUT_DOWN),
        (2**63 - 1, SHUT_DOWN),
    ],
)
def test_report__given_feed_in__judges_opposite_sign(
    board, set_policy, report, device, only_event, power_w, status
):
    set_policy(FEEDING)

    tx = report(power_w)

    assert board.standingOf(device.address)["status"] == status
    # The event holds what the device reported, not what was judged.
    assert only_event(tx, "StatusChanged")["powerW"] == power_w


@pytest.mark.parametrize(
    "power_w, status",
    [
        (LEAST, TOO_HIGH),
        (-2501, TOO_HIGH),
        (-2500, TOO_HIGH),
        (-2499, IN_OPERATION),
        (-1, IN_OPERATION),
        (0, SHUT_DOWN),
        (1, TOO_LOW),
        (201, IN_OPERATION),
        (3000, TOO_HIGH),
    ],
)
def test_report__given_both_ways__judges_each_by_its_own_threshold(
    board, set_policy, report, device, only_event, power_w, status
):
    set_policy(BOTH_WAYS)

    tx = report(power_w)

    assert board.standingOf(device.address)["status"] == status
    assert only_event(tx, "StatusChanged")["powerW"] == power_w


@pytest.mark.parametrize("warning_dc", [NOT_MEASURED - 1, NOT_MEASURED, -(2**31)])
def test_report__when_temperature_is_not_measured__is_never_too_hot(
    board, set_policy, report, device, warning_dc
):
    """Any temperature reaches such a warning, but not the number of none."""
    set_policy((200, 3000, 0, warning_dc, 86_400, False, False))

    report(500, NOT_MEASURED)
    assert board.standingOf(device.address)["temperatureTooHigh"] is False
    report(500, NOT_MEASURED + 1)
    assert board.standingOf(device.address)["temperatureTooHigh"] is True


def test_report__given_revoked_owner__still_judges(
    board, open_mode, report, device, meter_owner, revoke
):
    revoke(meter_owner)
    report(0)
    assert board.standingOf(device.address)["status"] == SHUT_DOWN


def test_report__when_nothing_changes__refreshes_heartbeat(
    board, open_mode, report, device, now, at
):
    report(500)
    changed_at = now()
    at(changed_at + 3600)

    tx = report(700, injected=True, digest=DIGEST)

    assert len(tx.events) == 0
    standing = (IN_OPERATION, False, changed_at + 3600, changed_at, 2)
    assert plain(board.standingOf(device.address)) == standing


def test_report__when_nothing_changes__costs_at_most_40k(open_mode, report):
    report(500)
    assert report(700, digest=DIGEST).gas_used <= 40_000


def test_report__when_status_changes__stores_and_emits(
    board, open_mode, report, device, now, at, only_event
):
    report(500)
    later = now() + 3600
    at(later)

    tx = report(3500, 650, injected=True, digest=DIGEST)

    assert plain(board.standingOf(device.address)) == (TOO_HIGH, True, later, later, 2)
    assert plain(only_event(tx, "StatusChanged")) == plain(
        {
            "device": device.address,
            "status": TOO_HIGH,
            "previous": IN_OPERATION,
            "temperatureTooHigh": True,
            "powerW": 3500,
            "temperatureDc": 650,
            "injected": True,
            "reportDigest": DIGEST,
        }
    )
    assert board.balance() == 0


def test_report__when_status_changes__costs_at_most_60k(open_mode, report):
    report(500)
    assert report(3500, 650, injected=True, digest=DIGEST).gas_used <= 60_000


def test_report__when_only_temperature_changes__emits(
    board, open_mode, report, device, now, only_event
):
    report(500, 599)
    event = plain(only_event(report(500, 600), "StatusChanged"))
    assert (event["previous"], event["status"]) == (IN_OPERATION, IN_OPERATION)
    assert event["temperatureTooHigh"] is True
    assert board.standingOf(device.address)["changedAt"] == now()
    assert plain(only_event(report(500, -400), "StatusChanged"))["temperatureTooHigh"] is False
