"""Algorithm 1 (paper §V.A), the twin of NotificationBoard.judge."""

from offchain.types import Policy, Status, Verdict


def judge(policy: Policy, *, power_w: int, temperature_dc: int | None) -> Verdict:
    """Judge a power and a temperature by the owner's policy.

    Power not above 0: shut down; at or above high: too high; at or below low: too low; otherwise in
    operation. Temperature at or above the warning sets the flag beside it; one that was not
    measured never does. The power of a device that feeds in is judged with the opposite sign. A
    meter that draws and feeds in (`high_feed_in_w` above 0) is in operation below 0 too: feeding
    in, and at or above that feed-in too high.
    """
    is_hot = temperature_dc is not None and temperature_dc >= policy.temperature_warning_dc
    return Verdict(_status(policy, power_w), is_hot)


def _status(policy: Policy, power_w: int) -> Status:
    if policy.high_feed_in_w and power_w < 0:
        is_high = -power_w >= policy.high_feed_in_w
        return Status.TOO_HIGH if is_high else Status.IN_OPERATION
    power = -power_w if policy.feeds_in else power_w
    if power <= 0:
        return Status.SHUT_DOWN
    if power >= policy.high_power_w:
        return Status.TOO_HIGH
    return Status.TOO_LOW if power <= policy.low_power_w else Status.IN_OPERATION
