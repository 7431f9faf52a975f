"""A policy of a home's meter: too low up to 100 W, too high from 2,000 W, warm from 30.0 °C."""

from offchain.types import Policy

POLICY = Policy(
    low_power_w=100,
    high_power_w=2_000,
    high_feed_in_w=0,
    temperature_warning_dc=300,
    heartbeat_seconds=60,
    feeds_in=False,
    is_sealed=False,
)
