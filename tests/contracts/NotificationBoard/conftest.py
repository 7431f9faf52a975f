import pytest

#       low, high, high feed-in, warning (0.1 °C), heartbeat (s), feeds in, sealed
OPEN_POLICY = (200, 3000, 0, 600, 86_400, False, False)
SEALED_POLICY = (200, 3000, 0, 600, 86_400, False, True)


@pytest.fixture
def set_policy(board, device, meter_owner):
    """``set_policy(policy)``: the device's owner sets it."""
    return lambda policy: board.setPolicy(device.address, policy, {"from": meter_owner.account})


@pytest.fixture
def report(board, device):
    """``report(power_w, temperature_dc=200, injected=False, digest=0)``: the device reports."""

    def send(power_w, temperature_dc=200, *, injected=False, digest=bytes(32)):
        return board.report(power_w, temperature_dc, injected, digest, {"from": device.account})

    return send


@pytest.fixture
def open_mode(set_policy):
    """The device has an open-mode policy."""
    set_policy(OPEN_POLICY)


@pytest.fixture
def sealed_mode(set_policy):
    """The device has a sealed-mode policy."""
    set_policy(SEALED_POLICY)
