"""NotificationBoard: policies, and what devices reported."""

from sqlalchemy import Boolean, Column, Index, SmallInteger

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, number, versioned, word

policies = versioned(
    "policies",
    account("device", key=True),
    account("owner"),
    number("low_power_w"),
    number("high_power_w"),
    number("high_feed_in_w"),
    number("temperature_warning_dc"),
    number("heartbeat_s"),
    Column("feeds_in", Boolean, nullable=False),
    Column("is_sealed", Boolean, nullable=False),
)
# A sealed report has a commitment, and no status that the chain knows. A temperature is the chain's
# number, also that of one not measured.
notifications = happened(
    "notifications",
    account("device"),
    number("at_s"),
    Column("status", SmallInteger, nullable=False),
    Column("previous", SmallInteger, nullable=False),
    Column("temperature_too_high", Boolean, nullable=False),
    number("power_w"),
    number("temperature_dc"),
    Column("injected", Boolean, nullable=False),
    word("commitment", nullable=True),
    word("report_digest"),
)
Index("notifications_device", notifications.c.device, notifications.c.block)

BOARD = Projection("NotificationBoard")


@BOARD.on("PolicySet", (policies, "device"))
def _policy_set(told: Told, changes: Changes) -> None:
    changes.put(
        policies,
        (told["device"],),
        told,
        owner=told["owner"],
        low_power_w=told["policy.lowPowerW"],
        high_power_w=told["policy.highPowerW"],
        high_feed_in_w=told["policy.highFeedInW"],
        temperature_warning_dc=told["policy.temperatureWarningDc"],
        heartbeat_s=told["policy.heartbeatSeconds"],
        feeds_in=told["policy.feedsIn"],
        is_sealed=told["policy.isSealed"],
    )


@BOARD.on("StatusChanged", timed=True)
def _status_changed(told: Told, changes: Changes) -> None:
    changes.add(
        notifications,
        told,
        device=told["device"],
        at_s=told.time_s,
        status=told["status"],
        previous=told["previous"],
        temperature_too_high=told["temperatureTooHigh"],
        power_w=told["powerW"],
        temperature_dc=told["temperatureDc"],
        injected=told["injected"],
        commitment=None,
        report_digest=told["reportDigest"],
    )


@BOARD.on("SealedReport", timed=True)
def _sealed(told: Told, changes: Changes) -> None:
    changes.add(
        notifications,
        told,
        device=told["device"],
        at_s=told.time_s,
        status=0,
        previous=0,
        temperature_too_high=False,
        power_w=0,
        temperature_dc=0,
        injected=False,
        commitment=told["commitment"],
        report_digest=told["reportDigest"],
    )
