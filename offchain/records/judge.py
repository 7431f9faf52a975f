"""Algorithm 1 (paper §V.A), the twin of NotificationBoard.judge."""

from offchain.types import Policy, Status, Verdict


def judge(policy: Policy, *, power_w: int, temperature_dc: int) -> Verdict:
    """Judge a power and a temperature by the owner's policy.

    Power not above 0: shut down; at or above high: too high; at or below low: too low; otherwise in
    operation. Temperature at or above the warning sets the flag beside it. The power of a device
    that feeds in is judged with the opposite sign.
    """
    power = -power_w if policy.feeds_in else power_w
    if power <= 0:
        status = Status.SHUT_DOWN
    elif power >= policy.high_power_w:
        status = Status.TOO_HIGH
    elif power <= policy.low_power_w:
        status = Status.TOO_LOW
    else:
        status = Status.IN_OPERATION
    return Verdict(status, temperature_dc >= policy.temperature_warning_dc)
