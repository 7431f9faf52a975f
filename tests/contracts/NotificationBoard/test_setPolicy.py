import pytest
from reading import plain

GOOD = (200, 3000, 0, 600, 86_400, False, False)
INT64 = 2**63


def test_set_policy__when_caller_is_not_owner__reverts(
    board, device, meter_owner, neighbour, outsider, reverts_with
):
    for caller in (neighbour.account, device.account, outsider):
        with reverts_with("NotificationBoard_NotOwner", device.address, caller):
            board.setPolicy(device.address, GOOD, {"from": caller})
    owner = meter_owner.account
    with reverts_with("NotificationBoard_NotOwner", neighbour.address, owner):
        board.setPolicy(neighbour.address, GOOD, {"from": owner})


def test_set_policy__given_revoked_owner__reverts(
    set_policy, device, meter_owner, revoke, reverts_with
):
    revoke(meter_owner)
    with reverts_with("NotificationBoard_NotOwner", device.address, meter_owner.account):
        set_policy(GOOD)


@pytest.mark.parametrize("low, high", [(3000, 3000), (3001, 3000), (1, -1)])
def test_set_policy__when_thresholds_are_crossed__reverts(set_policy, reverts_with, low, high):
    with reverts_with("NotificationBoard_BadPolicy", "lowPowerW"):
        set_policy((low, high, 0, 600, 86_400, False, False))


def test_set_policy__when_two_directions_are_named__reverts(set_policy, reverts_with):
    with reverts_with("NotificationBoard_BadPolicy", "highFeedInW"):
        set_policy((200, 3000, 1, 600, 86_400, True, False))


@pytest.mark.parametrize("heartbeat", [0, 59])
def test_set_policy__when_heartbeat_is_too_short__reverts(set_policy, reverts_with, heartbeat):
    with reverts_with("NotificationBoard_BadPolicy", "heartbeatSeconds"):
        set_policy((200, 3000, 0, 600, heartbeat, False, False))


@pytest.mark.parametrize(
    "policy",
    [
        GOOD,
        (-INT64, INT64 - 1, 0, -(2**31), 60, True, True),
        (0, 1, 2**48 - 1, 2**31 - 1, 2**32 - 1, False, True),
    ],
)
def test_set_policy__when_in_range__stores_and_emits(
    board, set_policy, device, meter_owner, only_event, policy
):
    tx = set_policy(policy)

    assert plain(board.policyOf(device.address)) == policy
    assert plain(only_event(tx, "PolicySet")) == plain(
        {"device": device.address, "owner": meter_owner.address, "policy": policy}
    )
    assert board.balance() == 0


def test_set_policy__given_standing__forgets_the_status(
    board, set_policy, report, device, only_event
):
    set_policy(GOOD)
    report(500)
    assert "StatusChanged" not in report(500).events

    before = plain(board.standingOf(device.address))

    set_policy(GOOD)

    assert plain(board.standingOf(device.address)) == (0, False, *before[2:])
    event = plain(only_event(report(500), "StatusChanged"))
    assert (event["previous"], event["status"]) == (0, 1)


@pytest.mark.parametrize("late", [0, 1])
def test_set_policy__given_a_silent_device__leaves_it_offline(
    board, set_policy, report, device, mine_at, late
):
    """A policy set again and again does not hide that nothing is heard."""
    set_policy((200, 3000, 0, 600, 60, False, False))
    report(500)
    seen_at = board.standingOf(device.address)["reportedAt"]
    mine_at(seen_at + 50)
    set_policy((200, 3000, 0, 600, 70, False, False))
    mine_at(seen_at + 70 + late)
    assert board.standingOf(device.address)["status"] == (5 if late else 0)
    set_policy((200, 3000, 0, 600, 60, False, True))
    assert board.standingOf(device.address)["status"] == 5
