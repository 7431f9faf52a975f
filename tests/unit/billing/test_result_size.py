"""How many bytes a bill or advice takes at most: never less than what it takes."""

from __future__ import annotations

import json
from random import Random

import pytest

from offchain.billing import price_series
from offchain.billing.advising import make_advice
from offchain.billing.household import Household
from offchain.billing.making import make_bill
from offchain.billing.registers import Meter, RegisterReading
from offchain.billing.result_size import result_bytes_at_most
from offchain.billing.window import parse_instant
from offchain.billing.zones import zone
from offchain.errors import BillingError
from offchain.records import canonical_json

from . import chance
from .world import read


@pytest.mark.parametrize("kind", ["bill", "advice"])
def test_result_bytes__of_random_cases__are_never_less_than_the_result(kind: str) -> None:
    looked_at = 0
    for number in range(200):
        devices, documents, at_hand, begin, end = chance.case(Random(number))
        tariffs = [read(one) for one in documents]
        series = [price_series.parse(json.dumps(one).encode()) for one in at_hand]
        local = zone(tariffs[0].time_zone)
        window = tuple(parse_instant(str(one), local) for one in (begin, end))
        meters = {
            account or "0x" + "0" * 40: Meter([RegisterReading(*row) for row in rows])
            for account, rows in devices.items()
        }
        span = {"window_from": window[0], "window_to": window[1]}
        try:
            if kind == "bill":
                found = make_bill(Household(meters), tariffs, series, **span).to_json()
            else:
                found = make_advice(
                    Household(meters), tariffs, series, **span, as_of=window[0]
                ).to_json()
        except BillingError:
            continue
        looked_at += 1
        taken = len(canonical_json.dumps(found))
        most = result_bytes_at_most(
            kind, tariffs, series=len(series), devices=len(meters), window=window
        )
        assert taken <= most, f"case {number}"
    assert looked_at > 100
