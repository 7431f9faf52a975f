import pytest
from reading import plain

IN_OPERATION, OFFLINE = 1, 5


def test_standing_of__given_no_report__is_none(board, open_mode, device, now, mine_at):
    mine_at(now() + 10 * 86_400)
    assert plain(board.standingOf(device.address)) == (0, False, 0, 0, 0)


@pytest.mark.parametrize("offset, status", [(-1, IN_OPERATION), (0, IN_OPERATION), (1, OFFLINE)])
def test_standing_of__when_heartbeat_is_missed__is_offline(
    board, open_mode, report, device, now, mine_at, offset, status
):
    report(500)
    reported_at = now()

    mine_at(reported_at + 86_400 + offset)

    assert plain(board.standingOf(device.address)) == (status, False, reported_at, reported_at, 1)


def test_standing_of__given_offline__comes_back_without_event(
    board, open_mode, report, device, now, at, mine_at
):
    report(500)
    mine_at(now() + 2 * 86_400)
    # Offline is derived, never stored: the same status again is no change.
    tx = report(500)
    assert len(tx.events) == 0
    assert board.standingOf(device.address)["status"] == IN_OPERATION


def test_standing_of__given_sealed_mode__shows_missed_heartbeat(
    board, sealed_mode, device, now, mine_at
):
    board.reportSealed(b"\1" * 32, b"\2" * 32, {"from": device.account})
    reported_at = now()
    assert board.standingOf(device.address)["status"] == 0
    mine_at(reported_at + 86_401)
    assert board.standingOf(device.address)["status"] == OFFLINE


def test_standing_of__given_longest_heartbeat__does_not_overflow(board, set_policy, report, device):
    set_policy((200, 3000, 0, 600, 2**32 - 1, False, False))
    report(500)
    assert board.standingOf(device.address)["status"] == IN_OPERATION


def test_policy_of__given_none__is_zero(board, device):
    assert plain(board.policyOf(device.address)) == (0, 0, 0, 0, 0, False, False)
