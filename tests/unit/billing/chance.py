"""Random tariffs, series and readings for the two implementations of bills."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from . import reference

# Days around which clocks change, days are missing, midnights are doubled, or nothing happens.
DAYS = [
    ("Europe/Amsterdam", date(2024, 3, 31)),
    ("Europe/Amsterdam", date(2024, 10, 27)),
    ("Europe/Amsterdam", date(2024, 7, 1)),
    ("America/New_York", date(2024, 3, 10)),
    ("America/New_York", date(2024, 11, 3)),
    ("America/Los_Angeles", date(2024, 12, 31)),
    ("America/Sao_Paulo", date(2018, 2, 18)),  # put back at midnight
    ("America/Sao_Paulo", date(2018, 11, 4)),  # midnight does not occur
    ("America/Havana", date(2024, 11, 3)),
    ("Africa/Cairo", date(2024, 4, 26)),
    ("Australia/Lord_Howe", date(2024, 4, 7)),  # half an hour
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that is none
    ("Pacific/Chatham", date(2024, 9, 29)),
    ("Asia/Kathmandu", date(2024, 2, 29)),
    ("Asia/Kolkata", date(2024, 6, 1)),
]
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]


def case(chance: Random) -> tuple[dict, list[dict], list[dict], Any, Any]:
    """Return devices, tariffs, series and a window."""
    zone_name, day = chance.choice(DAYS)
    first = day - timedelta(days=chance.randrange(3))
    last = first + timedelta(days=chance.randrange(1, 4))
    begin, end = reference.day_start(zone_name, first), reference.day_start(zone_name, last)
    if chance.random() < 0.4:  # not on the edges of days
        begin += chance.randrange(-4_000, 40_000)
        end += chance.randrange(1 - min(40_000, end - begin), 4_000) if end > begin else 50_000
        first, last = begin, end
    elif begin == end:  # the day that is none
        last += timedelta(days=1)
        end = reference.day_start(zone_name, last)
    series = [_series(chance, begin, end, step) for step in (900, 1_800, 3_600)]
    split = day if chance.random() < 0.4 else None
    tariffs = _tariffs(chance, zone_name, split, series)
    chance.shuffle(tariffs)
    devices = [_readings(chance, begin, end) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
    named = {None: devices[0]}
    if len(devices) > 1:
        named = {f"0x{i:040x}": rows for i, rows in enumerate(devices)}
    shown = [x.isoformat() if isinstance(x, date) else x for x in (first, last)]
    return named, tariffs, series, *shown


def _readings(chance: Random, begin: int, end: int) -> list[tuple[int, int, int, int]]:
    instant = begin - chance.choice([0, 0, 900, 5_000, -20_000])
    stop = end + chance.choice([0, 0, 900, 5_000, -20_000])
    step = chance.choice([900, 900, 1_800, 3_600, 3_600, 7_200, 7_201, 86_400])
    modulus = chance.choice([10**5, 10**6])
    rows = [(instant, chance.randrange(modulus), chance.randrange(modulus), 0)]
    while instant < stop:
        instant += step if chance.random() < 0.8 else chance.randrange(1, 2 * step)
        _, taken, given, _ = rows[-1]
        flag = chance.choices([0, 1, modulus], [50, 1, 4])[0]
        if flag == 1:
            taken, given = chance.randrange(modulus), chance.randrange(modulus)
        else:
            taken += chance.choice([0, chance.randrange(3_000)])
            given += chance.choice([0, 0, chance.randrange(2_000)])
            if flag:
                taken, given = taken % modulus, given % modulus
        rows.append((instant, taken, given, flag))
    return rows


def _series(chance: Random, begin: int, end: int, step: int) -> dict:
    start = (begin // step - 3) * step
    count = (end - start) // step + chance.choice([40, 40, 40, 40, 40, -1])
    prices = [chance.choice([chance.randrange(-99_999, 300_000), 50_000]) for _ in range(count)]
    return {
        "v": 1,
        "name": f"spot {step}",
        "currency": "EUR",
        "resolution_s": step,
        "from": start,
        "prices": prices,
    }


def _tariffs(chance: Random, zone_name: str, split: date | None, series: list[dict]) -> list[dict]:
    minor_digits = chance.choice([0, 2, 2, 3])
    ends = [("2000-01-01", None)]
    if split is not None:
        first_end = chance.choice([None, split.isoformat()])
        ends = [("2000-01-01", first_end), (split.isoformat(), chance.choice([None, "2031-01-01"]))]
    return [
        {
            "v": 2,
            "name": f"since {valid_from}",
            "currency": "EUR",
            "minor_digits": minor_digits,
            "time_zone": zone_name,
            "valid_from": valid_from,
            "valid_to": valid_to,
            "holidays": sorted({chance.choice(DAYS)[1].isoformat() for _ in range(3)}),
            "import": [
                _component(chance, series, "flat schedule dynamic tiered peak")
                for _ in range(chance.randrange(4))
            ],
            "export": [
                _component(chance, series, "flat schedule dynamic")
                for _ in range(chance.randrange(3))
            ],
            "fixed": [
                {"name": per, "per": per, "amount": chance.randrange(-9_999, 9_999_999)}
                for per in chance.choice([[], ["day"], ["month"], ["day", "month"]])
            ],
            "taxes": [
                {
                    "name": f"tax {i}",
                    "rate_ppm": chance.randrange(300_000),
                    "on": chance.sample(["import", "export", "fixed"], chance.randrange(4)),
                }
                for i in range(chance.randrange(3))
            ],
        }
        for valid_from, valid_to in ends
    ]


def _component(chance: Random, series: list[dict], kinds: str) -> dict:
    kind = chance.choice(kinds.split())
    head = {"kind": kind, "name": f"{kind} {chance.randrange(100)}"}
    if kind == "flat":
        return head | {"price": _price(chance)}
    if kind == "schedule":
        periods = [_period(chance) for _ in range(chance.randrange(4))]
        return head | {"periods": [*periods, {"name": "rest", "price": _price(chance)}]}
    if kind == "dynamic":
        one = chance.choice(series)
        return head | {
            "resolution_s": one["resolution_s"],
            "factor_ppm": chance.choice([10**6, 1_037_001, 990_000, 0, -500_000]),
            "adder": _price(chance),
            "series": [reference.digest(one)],
        }
    if kind == "tiered":
        limits = sorted(chance.sample(range(1, 400_000), chance.randrange(3)))
        tiers = [{"up_to_wh": limit, "price": _price(chance)} for limit in [*limits, None]]
        return head | {"per": "month", "tiers": tiers}
    return head | {
        "resolution_s": 900,
        "price_per_kw": _price(chance),
        "minimum_w": chance.choice([0, 2_500]),
    }


def _period(chance: Random) -> dict:
    period: dict = {"name": chance.choice(["night", "day", "peak"]), "price": _price(chance)}
    if chance.random() < 0.3:
        period["months"] = chance.sample(range(1, 13), chance.randrange(1, 13))
    if chance.random() < 0.4:
        period["days"] = chance.sample(WEEK, chance.randrange(1, 9))
    start, end = chance.sample(range(97), 2)
    if chance.random() < 0.7 and start < 96:
        period["from"] = f"{start // 4:02}:{start % 4 * 15:02}"
        period["to"] = f"{end // 4:02}:{end % 4 * 15:02}"
    return period


def _price(chance: Random) -> int:
    return chance.choice([chance.randrange(400_000), chance.randrange(-50_000, 50_000), 200_000])
