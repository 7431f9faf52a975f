"""No reading of a window can be left out of an answer, neither at its beginning nor at its end."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from offchain.audit.answers import AuditReport, audit_answer
from offchain.audit.opened_answer import OpenedAnswer
from offchain.chain.gateway import ChainGateway
from offchain.crypto import merkle
from offchain.index.asked import ledger
from offchain.member.keys import MemberKeys
from offchain.member.request_notes import AskedRequest
from offchain.member.roles import LockState, MemberRole
from offchain.member.tariff_book import TariffBook
from offchain.records import batch as batches
from offchain.records import reading as reading_codec
from offchain.records.answer import AnchoredReading, DeviceAnswer
from offchain.types import SECONDS_PER_DAY, Reading
from tests.integration.columns import part
from tests.integration.node.test_requests import ask
from tests.integration.town import (
    BILL,
    FIRST_DAY,
    SHORTEST_S,
    House,
    Town,
    anchor,
    go_back,
    hold,
    make_readings,
    poll,
)

BATCH = 6  # four batches a day
DAY = 24
NEXT_DAY = slice(3 * DAY, 4 * DAY)


@dataclass
class Meter:
    """A new device of the first house; of its four days of readings nothing is sent yet."""

    house: House
    keys: MemberKeys
    gateway: ChainGateway
    readings: list[Reading]

    def send(self, wanted: slice) -> None:
        self.keep(wanted)
        self.anchor(wanted)

    def keep(self, wanted: slice) -> None:
        held = self.house.node.held
        hold(held, self.keys, self.readings[wanted], self.gateway, max_count=BATCH)

    def anchor(self, wanted: slice) -> None:
        anchor(self.readings[wanted], self.gateway, max_count=BATCH)

    def ask(self, **changed: Any) -> bytes:
        return ask(self.house, devices=[self.keys.address], **changed)

    def asked(self) -> AskedRequest:
        return self.house.asked(BILL, self.keys.address)


@pytest.fixture
def meter(fresh: Town) -> Meter:
    return new_meter(fresh)


def new_meter(town: Town) -> Meter:
    house = town.houses[0]
    keys, gateway = town.admit(MemberRole.DEVICE, house.node.region, owner=house.keys.address)
    readings = make_readings(keys, town.deployment, number=7, days=4)
    return Meter(house, keys, gateway, readings)


@dataclass
class Answered:
    town: Town
    meter: Meter
    opened: OpenedAnswer

    @property
    def device(self) -> DeviceAnswer:
        return self.opened.answer.devices[0]

    def audit(self, **changed: Any) -> AuditReport:
        """Audit the answer with something of its one device changed."""
        return self.audit_with(devices=(replace(self.device, **changed),))

    def audit_with(self, **changed: Any) -> AuditReport:
        opened = replace(self.opened, answer=replace(self.opened.answer, **changed))
        gateway = self.meter.house.gateway
        return audit_answer(
            opened,
            self.meter.asked(),
            TariffBook(gateway, self.town.index, self.town.store),
            gateway=gateway,
            index=self.town.index,
            kind="bill",
        )


@pytest.fixture(scope="module")
def answered(town: Town) -> Iterator[Answered]:
    """An answer that has a reading anchored behind its window."""
    snapshot = town.anvil.snapshot()
    meter = new_meter(town)
    meter.send(slice(0, 4 * DAY))
    lock_id = meter.ask()
    meter.house.node.worker.run_once()
    yield Answered(town, meter, meter.house.household.answers.open(lock_id))
    go_back(town, snapshot)


def problem(report: AuditReport, name: str) -> str:
    (found,) = [one for one in report.findings if one.name == name]
    assert not found.ok, found
    return found.detail


def without_end(device: DeviceAnswer, dropped: int) -> dict[str, Any]:
    """What changes when the last batches are left out and nothing is shown behind."""
    left = device.batches[:-dropped]
    count = sum(count for _, count in left)
    return {"packed": part(device.packed, 0, count), "batches": left, "closing": None}


def proven(rows: list[Reading], seq: int) -> AnchoredReading:
    return AnchoredReading(
        record=reading_codec.encode(rows[seq - rows[0].seq]),
        batch=batches.make(rows),
        proof=tuple(batches.prove(rows, seq)),
    )


def test_audit__given_reading_behind_the_window__holds(answered: Answered) -> None:
    assert answered.device.closing is not None
    assert reading_codec.decode(answered.device.closing.record) == answered.meter.readings[3 * DAY]
    report = answered.audit()
    assert report.ok, report.findings


@pytest.mark.parametrize(
    ("dropped", "first_missing"),
    [(1, 3 * DAY - BATCH + 1), (4, 2 * DAY + 1), (7, DAY + BATCH + 1)],
    ids=["last batch of the day", "last day", "all but one batch"],
)
def test_audit__given_end_left_out__names_device_and_seq(
    answered: Answered, dropped: int, first_missing: int
) -> None:
    report = answered.audit(**without_end(answered.device, dropped))

    said = problem(report, "coverage")
    assert answered.meter.keys.address in said and f"from seq {first_missing}," in said


def test_audit__given_an_index_without_a_batch_that_the_ledger_has__looks_not_at_it(
    answered: Answered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "batches_over", lambda *_, **__: [])

    report = answered.audit(**without_end(answered.device, 1))

    assert "the index knows no batch" in problem(report, "coverage")
    assert [one.name for one in report.findings if not one.is_known] == ["coverage"]


def test_audit__given_end_left_out_and_block_before_it__fails(answered: Answered) -> None:
    (anchored,) = answered.meter.gateway.events(
        "DataLedger",
        "BatchAnchored",
        from_block=0,
        device=answered.meter.keys.address,
        fromSeq=3 * DAY - BATCH + 1,
    )
    device = replace(answered.device, **without_end(answered.device, 1))

    report = answered.audit_with(devices=(device,), as_of_block=anchored.block_number - 1)

    assert [one.name for one in report.findings if not one.ok] == [
        "as_of_block",
        "result_recomputed",
    ]


def test_audit__given_block_outside_request_and_acceptance__fails(answered: Answered) -> None:
    book, lock_id = answered.meter.house.household.locks, answered.opened.lock_id
    asked_in = book.event_of("Requested", lock_id).block_number
    accepted_in = book.event_of("Accepted", lock_id).block_number

    for unfit in (0, asked_in - 1, accepted_in + 1, 2**64 - 1):
        problem(answered.audit_with(as_of_block=unfit), "as_of_block")
    for fit in (asked_in, accepted_in):
        assert answered.audit_with(as_of_block=fit).ok


def test_audit__given_end_left_out_and_later_reading_shown__names_the_gap(
    answered: Answered,
) -> None:
    changed = without_end(answered.device, 1) | {"closing": answered.device.closing}

    said = problem(answered.audit(**changed), "coverage")

    assert f"not the one after seq {3 * DAY - BATCH}" in said


def test_audit__given_reading_of_the_window_as_closing__names_it(answered: Answered) -> None:
    last = answered.meter.readings[3 * DAY - BATCH : 3 * DAY]
    changed = without_end(answered.device, 1) | {"closing": proven(last, last[0].seq)}

    assert f"seq {last[0].seq} lies in the window" in problem(answered.audit(**changed), "coverage")


def test_audit__given_invented_closing__finds_no_such_anchor(answered: Answered) -> None:
    last = answered.meter.readings[3 * DAY - BATCH]
    invented = replace(last, time_s=answered.meter.house.window[1] + 5)
    changed = without_end(answered.device, 1) | {"closing": proven([invented], invented.seq)}

    report = answered.audit(**changed)

    assert f"from seq {last.seq}" in problem(report, "batches_anchored")


@pytest.mark.parametrize("name", ["opening", "closing"])
def test_audit__given_reading_that_its_proof_does_not_show__stops(
    answered: Answered, name: str
) -> None:
    shown = getattr(answered.device, name)
    other = answered.town.houses[2].readings[3]
    for wrong in (
        replace(shown, record=shown.record[:-1] + bytes([shown.record[-1] ^ 1])),
        replace(shown, record=bytes(len(shown.record))),
        replace(shown, proof=()),
        replace(shown, batch=replace(shown.batch, from_seq=1, count=1)),
        replace(shown, batch=replace(shown.batch, root=merkle.root([b"x" * 32]))),
        proven([other], other.seq),
    ):
        problem(answered.audit(**{name: wrong}), "records_rebuilt")


def test_audit__given_beginning_left_out_within_the_day__names_the_seq(
    answered: Answered,
) -> None:
    later = part(answered.device.packed, BATCH)
    changed = {"packed": later, "batches": answered.device.batches[1:]}

    said = problem(answered.audit(**changed), "coverage")
    assert f"not the one before seq {DAY + BATCH + 1}" in said
    rows = answered.meter.readings[DAY : DAY + BATCH]
    with_opening = changed | {"opening": proven(rows, rows[-1].seq)}
    assert "opening reading lies in the window" in problem(
        answered.audit(**with_opening), "coverage"
    )


# ---- honest nodes


def test_request__given_window_beyond_the_last_reading__is_answered(fresh: Town) -> None:
    house = fresh.houses[0]
    lock_id = ask(house, window_to=(FIRST_DAY + 20) * SECONDS_PER_DAY)

    assert [one.kind for one in poll(house.node.worker, steps=2)] == ["accepted", "claimed"]

    opened = house.household.answers.open(lock_id)
    assert opened.answer.devices[0].closing is None
    report = house.household.answers.audit(lock_id)
    assert report.ok, report.findings


def test_audit__given_anchor_after_the_answer__holds(fresh: Town, meter: Meter) -> None:
    """The device anchors the next batch of the window after the node looked, before it accepts."""
    meter.send(slice(0, 3 * DAY - BATCH))
    lock_id = meter.ask()
    requests = meter.house.node.worker.requests
    look = requests._check.windows

    def look_then_anchor(*wanted: Any, **as_of: Any) -> Any:
        found = look(*wanted, **as_of)
        meter.send(slice(3 * DAY - BATCH, 4 * DAY))
        return found

    requests._check.windows = look_then_anchor
    try:
        meter.house.node.worker.run_once()
    finally:
        del requests._check.windows

    opened = meter.house.household.answers.open(lock_id)
    assert opened.answer.devices[0].packed.count == 2 * DAY - BATCH
    report = meter.house.household.answers.audit(lock_id)
    assert report.ok, report.findings


@pytest.mark.parametrize("missing", [slice(3 * DAY - BATCH, 3 * DAY), NEXT_DAY])
def test_handle__given_anchored_batch_not_held__waits_until_it_comes(
    fresh: Town, meter: Meter, missing: slice
) -> None:
    meter.send(slice(0, missing.start))
    meter.anchor(missing)
    lock_id = meter.ask()
    worker = meter.house.node.worker

    (waiting,) = worker.run_once()
    meter.keep(missing)
    kinds = [one.kind for one in worker.run_once()]

    assert waiting.kind == "skipped" and f"from seq {missing.start + 1} " in waiting.detail
    assert kinds == ["accepted", "claimed"]
    report = meter.house.household.answers.audit(lock_id)
    assert report.ok, report.findings


@pytest.mark.parametrize("how", ["not held", "not anchored", "none held"])
def test_handle__given_end_that_never_comes__rejects_near_its_margin(
    fresh: Town, meter: Meter, how: str
) -> None:
    last = slice(3 * DAY - BATCH, 3 * DAY) if how != "none held" else slice(DAY, DAY + BATCH)
    meter.send(slice(0, last.start))
    (meter.keep if how == "not anchored" else meter.anchor)(last)
    lock_id = meter.ask(expires_at=fresh.houses[0].gateway.now() + 2 * SHORTEST_S)
    worker = meter.house.node.worker

    assert [one.kind for one in worker.run_once()] == ["skipped"]
    fresh.anvil.stand_at(meter.house.household.locks.lock(lock_id).expires_at - 80)
    (outcome,) = worker.run_once()

    assert outcome.kind == "rejected" and outcome.detail.startswith("WINDOW_UNAVAILABLE")
    assert meter.house.household.locks.lock(lock_id).state is LockState.REJECTED
