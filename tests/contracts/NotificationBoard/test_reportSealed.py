import pytest
from reading import plain

COMMITMENT, DIGEST = b"\x0c" * 32, b"\x0d" * 32


@pytest.fixture
def report_sealed(board, device):
    """``report_sealed(commitment, digest)``: the device reports."""
    return lambda *values: board.reportSealed(*values, {"from": device.account})


def test_report_sealed__when_caller_is_no_active_device__reverts(
    board, sealed_mode, device, meter_owner, outsider, revoke, reverts_with
):
    revoke(device)
    for caller in (meter_owner.account, outsider, device.account):
        with reverts_with("NotificationBoard_NotDevice", caller):
            board.reportSealed(COMMITMENT, DIGEST, {"from": caller})


def test_report_sealed__given_no_policy__reverts(report_sealed, device, reverts_with):
    with reverts_with("NotificationBoard_NoPolicy", device.address):
        report_sealed(COMMITMENT, DIGEST)


def test_report_sealed__given_open_mode__reverts(open_mode, report_sealed, device, reverts_with):
    with reverts_with("NotificationBoard_WrongMode", device.address, False):
        report_sealed(COMMITMENT, DIGEST)


def test_report_sealed__when_report_is_empty__reverts(
    sealed_mode, report_sealed, device, reverts_with
):
    for values in ((bytes(32), DIGEST), (COMMITMENT, bytes(32)), (bytes(32), bytes(32))):
        with reverts_with("NotificationBoard_BadReport", device.address):
            report_sealed(*values)


def test_report_sealed__when_given__refreshes_and_emits(
    board, sealed_mode, report_sealed, device, now, at, only_event
):
    start = now()
    for count in (1, 2):
        at(start + 1000 * count)
        tx = report_sealed(COMMITMENT, DIGEST)

        # Nothing but the heartbeat: no status, no time of change.
        standing = (0, False, start + 1000 * count, 0, count)
        assert plain(board.standingOf(device.address)) == standing
        assert plain(only_event(tx, "SealedReport")) == plain(
            {"device": device.address, "commitment": COMMITMENT, "reportDigest": DIGEST}
        )
    assert board.balance() == 0
