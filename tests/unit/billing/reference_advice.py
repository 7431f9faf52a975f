"""A second implementation of advice, from docs/formats.md §17 alone, on the second one of bills.

It looks at every quarter hour by itself, so prices must change on quarter hours.
"""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby

from . import reference
from .reference import QUARTER, Refused, day_start, digest, half_away, wall

HOUR = 3_600


def advice(devices, tariffs, series, begin, end, as_of):
    """Return the advice as JSON; arguments as those of `reference.bill`."""
    zone_name = tariffs[0]["time_zone"]
    begin, end = (
        day_start(zone_name, date.fromisoformat(x)) if isinstance(x, str) else x
        for x in (begin, end)
    )
    meters = [reference.Device(rows) for rows in devices.values()]
    start = max([begin, *(m.times[0] for m in meters)])
    stop = min([end, *(m.times[-1] for m in meters)])
    if start >= stop:
        start = stop = begin
    asked = days_of(zone_name, begin, end)
    used, used_tariffs = set(), []
    listed = [(digest(one), one) for one in series]

    def energy(register, a, b):
        return sum(m.energy(register, b) - m.energy(register, a) for m in meters)

    def is_measured(a, b):
        for m in meters:
            long = [(x, y) for x, y in zip(m.times, m.times[1:], strict=False) if y - x > 7200]
            if any(max(x, a) < min(y, b) for x, y in long + m.unknown):
                return False
        return True

    days = []
    for day, low, high in asked:
        tariff = reference.tariff_of(tariffs, day)
        if tariff not in used_tariffs:
            used_tariffs.append(tariff)
        low, high = max(low, start), min(high, stop)
        for section in ("import", "export"):  # every covered instant needs a price
            for tick in range(low // QUARTER * QUARTER, high, QUARTER) if low < high else ():
                price(tariff, section, max(tick, low), listed, used)
        hours = []
        for a in hours_of(zone_name, low, high):
            b = a + HOUR
            hours.append(
                {
                    "clock": wall(zone_name, a).hour,
                    "measured": is_measured(a, b),
                    "in": energy(1, a, b),
                    "out": energy(2, a, b),
                    "price": mean_price(tariff, "import", a, listed, used),
                    "credit": mean_price(tariff, "export", a, listed, used),
                }
            )
        days.append(hours)
    every = [hour for hours in days for hour in hours]
    measured = [hour for hour in every if hour["measured"]]
    profile = []
    for clock in range(24):
        found = [hour["in"] for hour in measured if hour["clock"] == clock]
        mean = half_away(Fraction(sum(found), len(found))) if found else None
        profile.append({"hours": len(found), "import_wh": sum(found), "mean_wh": mean})
    quiet = sorted(hour["in"] for hour in measured if not hour["out"])
    watts, standing = 0, None
    if quiet:
        watts = quiet[len(quiet) // 10]
        standing = {
            "hours": len(quiet),
            "rank": len(quiet) // 10,
            "watts": watts,
            "wh": watts * len(every),
            "costs": half_away(sum((watts * h["price"] for h in every), Fraction(0)) / 1000),
        }
    return {
        "v": 2,
        "currency": tariffs[0]["currency"],
        "time_zone": zone_name,
        "from": begin,
        "to": end,
        "covers_from": start,
        "covers_to": stop,
        "as_of": as_of,
        "hours_measured": len(measured),
        "hours_left_out": len(every) - len(measured),
        "profile": profile,
        "standing": standing,
        "coming": coming(tariffs, listed, as_of, used),
        "shift": shift(days, watts),
        "peaks": [
            one
            for tariff in sorted(used_tariffs, key=lambda t: t["valid_from"])
            for one in peaks(tariff, tariffs, asked, start, stop, energy)
        ],
        "own_use": own_use(days, watts, energy(2, start, stop) if start < stop else 0),
        "tariffs": [digest(t) for t in sorted(used_tariffs, key=lambda t: t["valid_from"])],
        "series": [name for _, name in sorted(used)],
    }


def days_of(zone_name, begin, end):
    found, day = [], wall(zone_name, begin).date() - timedelta(days=2)
    while day_start(zone_name, day) < end:
        low, high = day_start(zone_name, day), day_start(zone_name, day + timedelta(days=1))
        if low < high and high > begin:
            found.append((day, low, high))
        day += timedelta(days=1)
    return found


def hours_of(zone_name, low, high):
    """Yield the beginnings of whole hours that the clock does not cut."""
    for a in range(-(-low // QUARTER) * QUARTER, high - HOUR + 1, QUARTER):
        shown = [wall(zone_name, a + seconds) for seconds in (0, 900, 1800, 2700, 3599)]
        of_one_hour = [now.replace(minute=0, second=0) for now in shown]
        if shown[0].minute == 0 and len(set(of_one_hour)) == 1 and shown == sorted(shown):
            yield a


def price(tariff, section, instant, listed, used):
    total = 0
    for component in tariff[section]:
        if component["kind"] == "flat":
            total += component["price"]
        elif component["kind"] == "schedule":
            total += reference.schedule_price(component, tariff, instant)[0]
        elif component["kind"] == "dynamic":
            total += reference.dynamic_price(component, instant, listed, used)[0]
    return total


def factor(tariff, section):
    return 1 + Fraction(sum(t["rate_ppm"] for t in tariff["taxes"] if section in t["on"]), 10**6)


def mean_price(tariff, section, hour, listed, used):
    ticks = [price(tariff, section, hour + i * QUARTER, listed, used) for i in range(4)]
    return Fraction(sum(ticks), 4) * factor(tariff, section)


def classes(prices):
    """Return, by price, "cheap", "dear" or None."""
    ordered = sorted(prices)
    if not ordered or ordered[0] == ordered[-1]:
        return dict.fromkeys(ordered)
    found = {}
    for one in ordered:
        is_low = one == ordered[0] or sum(other <= one for other in ordered) <= 6
        is_high = one == ordered[-1] or sum(other >= one for other in ordered) <= 6
        found[one] = None if is_low == is_high else "cheap" if is_low else "dear"
    return found | {ordered[0]: "cheap", ordered[-1]: "dear"}


def coming(tariffs, listed, as_of, used):
    zone_name = tariffs[0]["time_zone"]
    today = next(d for d, low, high in days_of(zone_name, as_of, as_of + 1) if low <= as_of < high)
    found = []
    for offset in range(3):
        day = today + timedelta(days=offset)
        low, high = day_start(zone_name, day), day_start(zone_name, day + timedelta(days=1))
        if low == high:
            continue
        try:
            tariff = reference.tariff_of(tariffs, day)
        except Refused:
            found.append({"date": day.isoformat(), "tariff": None, "runs": []})
            continue
        prices = {}
        for hour in hours_of(zone_name, low, high):
            here = set()
            try:
                prices[hour] = mean_price(tariff, "import", hour, listed, here)
            except Refused:
                prices[hour] = None
        for tick in range(low, high, QUARTER):  # a series is used where all of them tell a price
            here = set()
            try:
                price(tariff, "import", tick, listed, here)
                used |= here
            except Refused:
                pass
        kinds = classes([p for p in prices.values() if p is not None])
        rows = [
            (hour, None if p is None else half_away(p), None if p is None else kinds[p])
            for hour, p in prices.items()
            if hour >= as_of
        ]
        runs = []
        for (shown, is_), group in groupby(rows, lambda row: row[1:]):
            for hour, *_ in group:
                if (
                    runs
                    and runs[-1]["to"] == hour
                    and (runs[-1]["price"], runs[-1]["is"])
                    == (
                        shown,
                        is_,
                    )
                ):
                    runs[-1]["to"] = hour + HOUR
                else:
                    runs.append({"from": hour, "to": hour + HOUR, "price": shown, "is": is_})
        found.append({"date": day.isoformat(), "tariff": digest(tariff), "runs": runs})
    return found


def shift(days, watts):
    hours = wh = 0
    costs = would_cost = Fraction(0)
    for day in days:
        kinds = classes([hour["price"] for hour in day])
        for hour in day:
            above = hour["in"] - watts
            if hour["measured"] and kinds[hour["price"]] == "dear" and above > 0:
                hours, wh = hours + 1, wh + above
                costs += above * hour["price"] / 1000
                would_cost += above * min(kinds) / 1000
    costs, would_cost = half_away(costs), half_away(would_cost)
    return {
        "hours": hours,
        "wh": wh,
        "costs": costs,
        "would_cost": would_cost,
        "saves": costs - would_cost,
    }


def own_use(days, watts, export_wh):
    if not export_wh:
        return None
    wh, paid, credited = 0, Fraction(0), Fraction(0)
    for day in days:
        known = [hour for hour in day if hour["measured"]]
        wanted = [[hour["price"], max(0, hour["in"] - watts)] for hour in known]
        there = [[hour["credit"], hour["out"]] for hour in known]
        while True:
            dearest = max((one for one in wanted if one[1]), default=None)
            poorest = min((one for one in there if one[1]), default=None)
            if dearest is None or poorest is None or dearest[0] <= poorest[0]:
                break
            moved = min(dearest[1], poorest[1])
            dearest[1] -= moved
            poorest[1] -= moved
            wh += moved
            paid += moved * dearest[0] / 1000
            credited += moved * poorest[0] / 1000
    paid, credited = half_away(paid), half_away(credited)
    return {
        "export_wh": export_wh,
        "wh": wh,
        "paid": paid,
        "credited": credited,
        "saves": paid - credited,
    }


def peaks(tariff, tariffs, asked, start, stop, energy):
    mine = [
        (
            day,
            max(low, start),
            min(high, stop),
            Fraction(max(0, min(high, stop) - max(low, start)), high - low),
        )
        for day, low, high in asked
        if reference.tariff_of(tariffs, day) is tariff
    ]
    for component in tariff["import"]:
        if component["kind"] != "peak":
            continue
        for month in sorted({(day.year, day.month) for day, *_ in mine}):
            best = []  # of each day: the most Wh, the first quarter that has them
            share = Fraction(0)
            for day, low, high, fraction in mine:
                if (day.year, day.month) != month:
                    continue
                share += fraction
                quarters = [
                    (-energy(1, a, a + QUARTER), a)
                    for a in range(-(-low // QUARTER) * QUARTER, high - QUARTER + 1, QUARTER)
                ]
                if quarters:
                    best.append(min(quarters))
            share /= len(
                [
                    1
                    for i in range(31)
                    if (day := date(*month, 1) + timedelta(days=i)).month == month[1]
                    and day_start(tariff["time_zone"], day)
                    < day_start(tariff["time_zone"], day + timedelta(days=1))
                ]
            )
            best.sort()
            watts, other = ([-4 * wh for wh, _ in best] + [0, 0])[:2]
            least = component["minimum_w"]
            rate = share * component["price_per_kw"] * factor(tariff, "import") / 1000
            yield {
                "tariff": digest(tariff),
                "component": component["name"],
                "month": f"{month[0]:04}-{month[1]:02}",
                "at": best[0][1] if watts > least else None,
                "watts": watts,
                "other_watts": other,
                "minimum_w": least,
                "costs": half_away(rate * max(watts, least)),
                "saves": half_away(rate * (max(watts, least) - max(other, least))),
            }
