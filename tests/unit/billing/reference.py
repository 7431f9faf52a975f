"""A second implementation of bills, written from the rules alone, to hold the first one against.

It is slow and plain on purpose: it looks at every quarter hour of the window by itself. So edges of
prices must lie on quarter hours (the tests' random tariffs see to that), and nothing is checked
that a bill may take for granted. Documents go in as parsed JSON, the bill comes out as JSON.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from math import floor
from zoneinfo import ZoneInfo

QUARTER = 900
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Refused(Exception):
    """No bill; the text names why."""


@lru_cache
def zone(name):
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def day_start(zone_name, day):
    """The first instant whose local date is `day` or later."""
    noon = int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())
    tick = noon - 30 * 3600
    while wall(zone_name, tick).date() < day:
        tick += QUARTER
    return tick


@lru_cache(maxsize=100_000)
def wall(zone_name, instant):
    return datetime.fromtimestamp(instant, zone(zone_name)).replace(tzinfo=None)


def digest(document):
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def half_away(value):
    value = Fraction(value)
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


class Device:
    """Readings: (time, import, export, restarted)."""

    def __init__(self, readings):
        self.times = [row[0] for row in readings]
        self.steps = {1: [], 2: []}
        self.unknown = []
        for before, after in pairwise(readings):
            flag = after[3]
            if flag == 1:
                self.unknown.append((before[0], after[0]))
            for register in (1, 2):
                step = after[register] - before[register]
                if flag == 1:
                    step = 0
                elif step < 0:
                    if not flag:
                        raise Refused(f"a register falls at {after[0]}")
                    step += flag
                self.steps[register].append(step)
        self.sums = {r: [sum(s[:i]) for i in range(len(s) + 1)] for r, s in self.steps.items()}

    def energy(self, register, instant):
        i = min(bisect_right(self.times, instant) - 1, len(self.times) - 2)
        if len(self.times) == 1:
            return 0
        t0, t1 = self.times[i], self.times[i + 1]
        return self.sums[register][i] + self.steps[register][i] * (instant - t0) // (t1 - t0)

    def estimated(self, register, cuts, start, end):
        wh = 0
        for t0, t1 in pairwise(self.times):
            low, high = max(t0, start), min(t1, end)
            if low >= high:
                continue
            if t1 - t0 > 7200 or any(t0 < cut < t1 for cut in cuts):
                wh += self.energy(register, high) - self.energy(register, low)
        return wh


def applies(period, day, holidays):
    if "months" in period and day.month not in period["months"]:
        return False
    if "days" not in period:
        return True
    return ("holiday" if day.isoformat() in holidays else WEEK[day.weekday()]) in period["days"]


def minute_of(text):
    return int(text[:2]) * 60 + int(text[3:])


def schedule_price(component, tariff, instant):
    now = wall(tariff["time_zone"], instant)
    minute, today = now.hour * 60 + now.minute, now.date()
    yesterday, holidays = today - timedelta(days=1), tariff["holidays"]
    for period in component["periods"]:
        begin = minute_of(period.get("from", "00:00"))
        end = minute_of(period.get("to", "24:00"))
        if begin < end:
            hit = begin <= minute < end and applies(period, today, holidays)
        else:
            hit = (minute >= begin and applies(period, today, holidays)) or (
                minute < end and applies(period, yesterday, holidays)
            )
        if hit:
            return period["price"], period["name"]
    raise Refused(f"{component['name']} has a hole")


def dynamic_price(component, instant, series, used):
    for name, document in series:
        place = (instant - document["from"]) // document["resolution_s"]
        if name in component["series"] and 0 <= place < len(document["prices"]):
            used.add((document["from"], name))
            return (
                document["prices"][place] * component["factor_ppm"] // 10**6 + component["adder"],
                None,
            )
    raise Refused(f"no price at {instant}")


def tariff_of(tariffs, day):
    text = day.isoformat()
    valid = [
        t
        for t in tariffs
        if t["valid_from"] <= text and (t["valid_to"] is None or text < t["valid_to"])
    ]
    if not valid or sum(t["valid_to"] is not None for t in valid) > 1:
        raise Refused(f"no one tariff on {day}")
    return max(valid, key=lambda t: t["valid_from"])


def bill(devices, tariffs, series, begin, end):
    """`devices`: readings by account; an account of None gives no entry in `devices`."""
    zone_name = tariffs[0]["time_zone"]
    begin, end = (
        day_start(zone_name, date.fromisoformat(x)) if isinstance(x, str) else x
        for x in (begin, end)
    )
    series = [(digest(document), document) for document in series]
    meters = {account: Device(rows) for account, rows in devices.items()}
    start = max([begin, *(m.times[0] for m in meters.values())])
    stop = min([end, *(m.times[-1] for m in meters.values())])
    if start >= stop:
        start = stop = begin

    # The days asked for, and for each its tariff.
    days = []
    day = wall(zone_name, begin).date() - timedelta(days=2)
    while day_start(zone_name, day) < end:
        following = day + timedelta(days=1)
        low, high = day_start(zone_name, day), day_start(zone_name, following)
        if low < high and high > begin:
            days.append((day, low, high, tariff_of(tariffs, day)))
        day = following
    used_tariffs = []
    for *_, tariff in days:
        if tariff not in used_tariffs:
            used_tariffs.append(tariff)
    used_tariffs.sort(key=lambda t: t["valid_from"])

    def energy(register, a, b):
        return sum(m.energy(register, b) - m.energy(register, a) for m in meters.values())

    # Quarter hours of what is covered, each wholly in one day.
    atoms = []
    edges = {start, stop, *(x for _, low, high, _ in days for x in (low, high))}
    edges = {x for x in edges if start <= x <= stop}
    edges |= set(range(-(-start // QUARTER) * QUARTER, stop + 1, QUARTER))
    edges = sorted(edges)
    place = 0
    for a, b in pairwise(edges):
        while days[place][2] <= a:
            place += 1
        atoms.append((a, b, days[place][0], days[place][3]))

    def month_days(year_month):
        day, found = date(*year_month, 1), []
        while (day.year, day.month) == year_month:
            low = day_start(zone_name, day)
            high = day_start(zone_name, day + timedelta(days=1))
            if low < high:
                found.append((low, high))
            day += timedelta(days=1)
        return found

    def part(tariff, year_month):
        total = Fraction(0)
        for day, low, high, its in days:
            if its is tariff and (day.year, day.month) == year_month:
                covered = max(0, min(high, stop) - max(low, start))
                total += Fraction(covered, high - low)
        return total / len(month_days(year_month))

    cuts = {1: {start, stop}, 2: {start, stop}}
    for (*_, left), (a, *_, right) in pairwise(atoms):
        if left is not right:
            cuts[1].add(a)
            cuts[2].add(a)
    lines, taxes, used_series = [], [], set()
    for tariff in used_tariffs:
        mine = []
        own = [atom for atom in atoms if atom[3] is tariff]
        months = sorted({(d.year, d.month) for d, _, _, its in days if its is tariff})

        def line(section, name, period, wh, amount, tariff=tariff, mine=mine):
            mine.append(
                {
                    "tariff": digest(tariff),
                    "section": section,
                    "component": name,
                    "period": period,
                    "wh": wh,
                    "amount": half_away(amount),
                }
            )

        for section, register, sign in (("import", 1, 1), ("export", 2, -1)):
            for component in tariff[section]:
                kind, name = component["kind"], component["name"]
                if kind in ("flat", "schedule", "dynamic"):
                    found, last = {}, None
                    if kind == "schedule":
                        found = {p["name"]: [0, 0] for p in component["periods"]}
                    else:
                        found = {None: [0, 0]}
                    for a, b, _, _ in own:
                        if kind == "flat":
                            price, period = component["price"], None
                        elif kind == "schedule":
                            price, period = schedule_price(component, tariff, a)
                        else:
                            price, period = dynamic_price(component, a, series, used_series)
                        if last is not None and last != (price, period):
                            cuts[register].add(a)
                        last = (price, period)
                        wh = energy(register, a, b)
                        found[period][0] += wh
                        found[period][1] += wh * price
                    for period, (wh, cost) in found.items():
                        line(section, name, period, wh, Fraction(sign * cost, 1000))
                elif kind == "tiered":
                    sums = [0] * len(component["tiers"])
                    for (_, _, before, _), (a, _, after, _) in pairwise(own):
                        if before.month != after.month:
                            cuts[1].add(a)
                    for year_month in months:
                        wh = sum(
                            energy(1, a, b) for a, b, d, _ in own if (d.year, d.month) == year_month
                        )
                        below = 0
                        for i, tier in enumerate(component["tiers"]):
                            if tier["up_to_wh"] is None:
                                limit = wh
                            else:
                                limit = floor(tier["up_to_wh"] * part(tariff, year_month))
                            here = max(0, min(wh, limit) - below)
                            sums[i] += here
                            below = max(below, limit)
                    for i, tier in enumerate(component["tiers"]):
                        cost = Fraction(sums[i] * tier["price"], 1000)
                        line(section, name, f"tier {i + 1}", sums[i], cost)
                else:
                    cost = Fraction(0)
                    for year_month in months:
                        watts = component["minimum_w"]
                        for a, b, d, _ in own:
                            is_quarter = b - a == QUARTER and a % QUARTER == 0
                            if is_quarter and (d.year, d.month) == year_month:
                                watts = max(watts, 4 * energy(1, a, b))
                        share = part(tariff, year_month)
                        cost += Fraction(component["price_per_kw"] * watts, 1000) * share
                    line(section, name, None, 0, cost)
        for charge in tariff["fixed"]:
            cost = Fraction(0)
            if charge["per"] == "day":
                for _, low, high, its in days:
                    if its is tariff:
                        covered = max(0, min(high, stop) - max(low, start))
                        cost += Fraction(charge["amount"] * covered, high - low)
            else:
                cost += sum(charge["amount"] * part(tariff, m) for m in months)
            line("fixed", charge["name"], None, 0, cost)
        for tax in tariff["taxes"]:
            base = sum(x["amount"] for x in mine if x["section"] in tax["on"])
            amount = half_away(Fraction(tax["rate_ppm"] * base, 10**6))
            taxes.append({"name": tax["name"], "amount": amount})
        lines += mine
    subtotal = sum(x["amount"] for x in lines)
    exact = subtotal + sum(x["amount"] for x in taxes)
    unit = 10 ** (6 - tariffs[0]["minor_digits"])
    total = half_away(Fraction(exact, unit)) * unit
    sums = {
        account: {
            "import_wh": m.energy(1, stop) - m.energy(1, start) if start < stop else 0,
            "export_wh": m.energy(2, stop) - m.energy(2, start) if start < stop else 0,
        }
        for account, m in meters.items()
    }
    return {
        "v": 2,
        "currency": tariffs[0]["currency"],
        "from": begin,
        "to": end,
        "covers_from": start,
        "covers_to": stop,
        "is_complete": (start, stop) == (begin, end),
        "import_wh": sum(x["import_wh"] for x in sums.values()),
        "export_wh": sum(x["export_wh"] for x in sums.values()),
        "estimated_wh": sum(
            m.estimated(r, cuts[r], start, stop) for m in meters.values() for r in (1, 2)
        ),
        "unknown_intervals": sum(
            max(a, start) < min(b, stop) for m in meters.values() for a, b in m.unknown
        ),
        "lines": lines,
        "subtotal": subtotal,
        "taxes": taxes,
        "rounding": total - exact,
        "total": total,
        "tariffs": [digest(t) for t in used_tariffs],
        "series": [name for _, name in sorted(used_series)],
        "devices": {account: x for account, x in sums.items() if account is not None},
    }
