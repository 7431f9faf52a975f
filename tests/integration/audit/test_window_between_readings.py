"""A window in which a device has no reading, between two that are anchored: it is billed as
estimated, and nothing can be hidden in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from offchain.audit.answers import AuditReport, audit_answer
from offchain.audit.opened_answer import OpenedAnswer
from offchain.billing.answering import BILL as BILL_KIND
from offchain.crypto import kdf
from offchain.errors import BillingError, FormatError
from offchain.household.planning import Planner, Wanted
from offchain.member.errors import TermsUnfit
from offchain.member.keys import MemberKeys
from offchain.member.roles import MemberRole
from offchain.member.tariff_book import TariffBook
from offchain.member.tariff_documents import tariff_offer
from offchain.node.held_days import held_days
from offchain.records import answer as answers
from offchain.records import batch as batches
from offchain.records import reading as reading_codec
from offchain.records.answer import AnchoredReading
from offchain.types import SECONDS_PER_DAY, Reading, day_of
from tests.integration.node.test_requests import ask
from tests.integration.town import (
    ADVICE,
    BILL,
    FIRST_DAY,
    PRODUCT,
    ZONE,
    House,
    Town,
    fill,
    go_back,
    make_readings,
    poll,
    tariff_document,
)

DAY = 24
BEFORE, BEHIND = DAY - 1, DAY  # places of the readings around the window


@dataclass
class Meter:
    """A device of the first house, read on the day before the window and on the day behind it."""

    house: House
    keys: MemberKeys
    readings: list[Reading]

    @property
    def planner(self) -> Planner:
        held = self.house.node.held
        return self.house.household.planner(lambda *asked: held_days(held, *asked))

    def wanted(self, first: int = 0, days: int = 2, **changed: Any) -> Wanted:
        start = (FIRST_DAY + first) * SECONDS_PER_DAY
        asked = {"type_id": BILL, "kind": BILL_KIND, "time_zone": ZONE, "product": PRODUCT}
        asked |= {"devices": (self.keys.address,)} | changed
        return Wanted(window=(start, start + days * SECONDS_PER_DAY), **asked)

    def plan(self, **changed: Any) -> Any:
        return self.planner.plan(self.wanted(**changed), region_id=self.house.node.region)


def new_meter(town: Town) -> Meter:
    house = town.houses[0]
    keys, gateway = town.admit(MemberRole.DEVICE, house.node.region, owner=house.keys.address)
    rows = make_readings(keys, town.deployment, number=7, days=4)
    readings = [
        replace(one, seq=seq, nonce=kdf.reading_nonce(day_key(town, keys, one), seq))
        for seq, one in enumerate([*rows[:DAY], *rows[3 * DAY :]], start=1)
    ]
    fill(house.node.held, keys, readings, gateway)
    return Meter(house, keys, readings)


def day_key(town: Town, keys: MemberKeys, one: Reading) -> bytes:
    return kdf.nonce_day_key(
        keys.device_secret,
        chain_id=town.deployment.chain_id,
        data_ledger=town.deployment.address("DataLedger"),
        device=keys.address,
        day=day_of(one.time_s),
    )


@pytest.fixture(scope="module")
def meter(town: Town) -> Iterator[Meter]:
    snapshot = town.anvil.snapshot()
    yield new_meter(town)
    go_back(town, snapshot)


@pytest.fixture(scope="module")
def opened(meter: Meter) -> OpenedAnswer:
    (paid,) = meter.house.household.requests.ask_parts(meter.plan())
    poll(meter.house.node.worker, steps=2)
    return meter.house.household.answers.open(paid.lock_id)


def audit(town: Town, meter: Meter, opened: OpenedAnswer, **changed: Any) -> AuditReport:
    device = replace(opened.answer.devices[0], **changed)
    lying = replace(opened, answer=replace(opened.answer, devices=(device,)))
    gateway = meter.house.gateway
    return audit_answer(
        lying,
        meter.house.asked(BILL, meter.keys.address),
        TariffBook(gateway, town.index, town.store),
        gateway=gateway,
        index=town.index,
        kind=BILL_KIND,
    )


def proven(rows: list[Reading], seq: int) -> AnchoredReading:
    return AnchoredReading(
        record=reading_codec.encode(rows[seq - rows[0].seq]),
        batch=batches.make(rows),
        proof=tuple(batches.prove(rows, seq)),
    )


def test_plan__between_readings__is_one_request_without_a_reading(meter: Meter) -> None:
    plan = meter.plan()
    assert plan.parts == (plan.wanted.window,) and plan.readings == 0


def test_answer__between_readings__is_a_whole_bill_of_estimates(
    town: Town, meter: Meter, opened: OpenedAnswer
) -> None:
    before, behind = meter.readings[BEFORE], meter.readings[BEHIND]
    window = meter.wanted().window

    def at(instant: int) -> int:
        used, lasts = behind.import_wh - before.import_wh, behind.time_s - before.time_s
        return before.import_wh + used * (instant - before.time_s) // lasts

    report = audit(town, meter, opened)

    assert report.ok, report.findings
    assert opened.result["is_complete"]
    assert opened.result["import_wh"] == at(window[1]) - at(window[0]) > 0
    assert opened.result["estimated_wh"] == opened.result["import_wh"]
    assert list(report.readings.values()) == [[before, behind]]
    assert f"{opened.result['estimated_wh']} Wh of it are estimated" in report.verdict


@pytest.mark.parametrize("name", ["opening", "closing"])
def test_encode__given_no_reading_and_none_on_one_side__refuses(
    opened: OpenedAnswer, name: str
) -> None:
    device = replace(opened.answer.devices[0], **{name: None})
    with pytest.raises(FormatError, match="those around it"):
        answers.encode(replace(opened.answer, devices=(device,)))


def test_audit__given_another_reading_as_an_edge__names_what_is_left_out(
    town: Town, meter: Meter, opened: OpenedAnswer
) -> None:
    days = meter.readings[:DAY], meter.readings[DAY:]
    for changed, said in (
        ({"opening": proven(days[0], DAY - 1)}, f"not the one before seq {DAY + 1}"),
        ({"closing": proven(days[1], DAY + 2)}, f"not the one after seq {DAY}"),
    ):
        (found,) = [
            one for one in audit(town, meter, opened, **changed).findings if one.name == "coverage"
        ]
        assert not found.ok and said in found.detail


@pytest.mark.parametrize("first", [-4, 3], ids=["before the first", "behind the last"])
def test_request__given_readings_on_one_side_only__is_refused_before_it_is_paid(
    meter: Meter, first: int
) -> None:
    with pytest.raises(TermsUnfit, match="nor on both sides of them"):
        meter.plan(first=first)

    window = meter.wanted(first=first).window
    ask(
        meter.house,
        devices=[meter.keys.address],
        window_from=window[0],
        window_to=window[1],
    )
    (outcome,) = meter.house.node.worker.run_once()
    assert outcome.kind == "rejected"
    assert "nothing of it can be billed" in outcome.detail


def test_plan__of_advice_between_readings__is_refused(meter: Meter) -> None:
    with pytest.raises(TermsUnfit, match="nothing to advise on"):
        meter.plan(type_id=ADVICE, kind="advice")


def test_plan__of_a_day_without_a_tariff__is_refused(town: Town, meter: Meter) -> None:
    late = tariff_offer(tariff_document("late", valid_from="2016-07-19"))  # the window's second
    town.store.put(late.data, lasting=True)
    town.admin.append_tariff("north", "late", late.entry)
    with pytest.raises(BillingError, match="no tariff on 2016-07-18"):
        meter.plan(product="late")
