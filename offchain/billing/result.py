"""What an answer says: a bill, or advice (docs/formats.md §10)."""

from dataclasses import dataclass

from offchain.errors import FormatError
from offchain.records import fields
from offchain.records.request import MAX_DEVICES
from offchain.types import Account

HOURS = 24
_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DeviceBill:
    """Energy and costs of one device in the window."""

    energy_wh: int
    flat_microusd: int
    time_of_use_microusd: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Bill:
    """Energy and costs of all devices asked for, and which tariff they were priced by."""

    energy_wh: int
    flat_microusd: int
    time_of_use_microusd: int
    tariff_digest: bytes
    devices: dict[Account, DeviceBill]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Advice:
    """Standing load, cheapest hours (UTC, cheapest first), hourly means, what shifting saves."""

    standing_load_w: int
    cheapest_hours: tuple[int, ...]
    hourly_mean_wh: tuple[int, ...]
    shiftable_wh: int
    saving_microusd: int


def result_to_json(result: Bill | Advice) -> fields.Json:
    """Return the JSON object of a result."""
    if isinstance(result, Bill):
        devices = {
            fields.from_account(device): _costs_to_json(bill)
            for device, bill in result.devices.items()
        }
        digest = result.tariff_digest.hex()
        return _costs_to_json(result) | {"tariff_digest": digest, "devices": devices}
    return {
        "standing_load_w": result.standing_load_w,
        "cheapest_hours": list(result.cheapest_hours),
        "hourly_mean_wh": list(result.hourly_mean_wh),
        "shiftable_wh": result.shiftable_wh,
        "saving_microusd": result.saving_microusd,
    }


def result_from_json(kind: object, value: object) -> Bill | Advice:
    """Read the result of an answer of this kind. Raises FormatError."""
    if kind == "bill":
        return _bill(value)
    if kind == "advice":
        return _advice(value)
    raise FormatError("the type of an answer is bill or advice")


def _bill(value: object) -> Bill:
    names = "energy_wh flat_microusd time_of_use_microusd tariff_digest devices"
    obj = fields.members(value, names, what="a bill")
    devices = {}
    for device, item in fields.mapping(obj["devices"], "devices", max_items=MAX_DEVICES).items():
        costs = fields.members(
            item, "energy_wh flat_microusd time_of_use_microusd", what="a device's bill"
        )
        devices[fields.account(device, "a device")] = DeviceBill(
            **{name: fields.integer(cost, name, high=_MAX) for name, cost in costs.items()}
        )
    return Bill(
        energy_wh=fields.integer(obj["energy_wh"], "energy_wh", high=_MAX),
        flat_microusd=fields.integer(obj["flat_microusd"], "flat_microusd", high=_MAX),
        time_of_use_microusd=fields.integer(
            obj["time_of_use_microusd"], "time_of_use_microusd", high=_MAX
        ),
        tariff_digest=fields.from_hex(obj["tariff_digest"], "tariff_digest", length=32),
        devices=devices,
    )


def _advice(value: object) -> Advice:
    names = "standing_load_w cheapest_hours hourly_mean_wh shiftable_wh saving_microusd"
    obj = fields.members(value, names, what="advice")
    hours = fields.sequence(obj["cheapest_hours"], "cheapest_hours", max_items=HOURS)
    means = fields.sequence(
        obj["hourly_mean_wh"], "hourly_mean_wh", min_items=HOURS, max_items=HOURS
    )
    return Advice(
        standing_load_w=fields.integer(
            obj["standing_load_w"], "standing_load_w", low=-_MAX, high=_MAX
        ),
        cheapest_hours=tuple(fields.integer(hour, "an hour", high=HOURS - 1) for hour in hours),
        hourly_mean_wh=tuple(fields.integer(mean, "a mean", high=_MAX) for mean in means),
        shiftable_wh=fields.integer(obj["shiftable_wh"], "shiftable_wh", high=_MAX),
        saving_microusd=fields.integer(obj["saving_microusd"], "saving_microusd", high=_MAX),
    )


def _costs_to_json(costs: Bill | DeviceBill) -> fields.Json:
    return {
        "energy_wh": costs.energy_wh,
        "flat_microusd": costs.flat_microusd,
        "time_of_use_microusd": costs.time_of_use_microusd,
    }
