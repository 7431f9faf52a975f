"""What of the energy that was fed in could have been used at home, on its own day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from offchain.billing.advice import OwnUse
from offchain.billing.hour_prices import cost
from offchain.billing.rounding import half_away
from offchain.billing.used_hours import UsedHour

_Lot = tuple[int, int]  # weight, Wh


def own_use(days: Iterable[Sequence[UsedHour]], standing_w: int, export_wh: int) -> OwnUse | None:
    """Move what was taken above the standing load into hours that fed in, as long as that saves.

    `days` are the measured hours of each local day, `export_wh` what the window fed in; None where
    that is nothing.
    """
    if export_wh == 0:
        return None
    wh = paid = credited = 0
    for hours in days:
        dearest = sorted(
            ((one.import_weight, max(0, one.import_wh - standing_w)) for one in hours), reverse=True
        )
        poorest = sorted((one.export_weight, one.export_wh) for one in hours)
        for moved, cost_weight, credit_weight in _pairs(dearest, poorest):
            wh += moved
            paid += moved * cost_weight
            credited += moved * credit_weight
    return OwnUse(
        export_wh=export_wh,
        wh=wh,
        paid=half_away(cost(paid)),
        credited=half_away(cost(credited)),
    )


def _pairs(dearest: list[_Lot], poorest: list[_Lot]) -> Iterable[tuple[int, int, int]]:
    """Yield Wh that are moved, what a kWh of them cost and what it brought, as weights."""
    taken, given = iter(dearest), iter(poorest)
    cost_weight, wanted = next(taken, (0, 0))
    credit_weight, there = next(given, (0, 0))
    while cost_weight > credit_weight:
        moved = min(wanted, there)
        if moved:
            yield moved, cost_weight, credit_weight
        wanted, there = wanted - moved, there - moved
        if wanted == 0:
            cost_weight, wanted = next(taken, (credit_weight, 0))  # none left: ends
        else:
            credit_weight, there = next(given, (cost_weight, 0))
