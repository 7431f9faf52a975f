"""The user's audit names what a lying node did to an answer."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from offchain.audit.answers import AuditReport, audit_answer
from offchain.audit.opened_answer import OpenedAnswer
from offchain.member.tariff_book import TariffBook
from offchain.records.answer import DeviceAnswer
from tests.integration.columns import part
from tests.integration.node.test_requests import ask
from tests.integration.town import BILL, Town, go_back, poll

pytestmark = pytest.mark.real_chain


@pytest.fixture(scope="module")
def opened(town: Town) -> Iterator[OpenedAnswer]:
    snapshot = town.anvil.snapshot()
    house = town.houses[0]
    lock_id = ask(house)
    poll(house.node.worker, steps=2)
    yield house.household.answers.wait(lock_id, timeout_s=60)
    go_back(town, snapshot)


def audit(town: Town, opened: OpenedAnswer, *, kind: str = "bill") -> AuditReport:
    house = town.houses[0]
    tariffs = TariffBook(house.gateway, town.index, town.store)
    return audit_answer(
        opened, house.asked(BILL), tariffs, gateway=house.gateway, index=town.index, kind=kind
    )


def wrong(report: AuditReport) -> set[str]:
    return {finding.name for finding in report.findings if not finding.ok}


def with_device(opened: OpenedAnswer, **changed: object) -> OpenedAnswer:
    device: DeviceAnswer = replace(opened.answer.devices[0], **changed)
    return replace(opened, answer=replace(opened.answer, devices=(device,)))


def test_audit_answer__given_honest_answer__holds(town: Town, opened: OpenedAnswer) -> None:
    assert audit(town, opened).ok


def test_audit_answer__given_raised_register__finds_no_such_anchor(
    town: Town, opened: OpenedAnswer
) -> None:
    columns = opened.answer.devices[0].packed
    shown = columns.registers
    raised = (*shown.imports_wh[:-1], shown.imports_wh[-1] + 1)
    forged = replace(columns, registers=replace(shown, imports_wh=raised))
    changed = with_device(opened, packed=forged)

    assert wrong(audit(town, changed)) == {"batches_anchored", "result_recomputed"}


def test_audit_answer__given_wrong_total__computes_another(
    town: Town, opened: OpenedAnswer
) -> None:
    result = opened.answer.result | {"total": opened.answer.result["total"] + 10_000}
    changed = replace(opened, answer=replace(opened.answer, result=result))

    assert wrong(audit(town, changed)) == {"result_recomputed"}


def test_audit_answer__given_first_day_left_out__names_the_gap(
    town: Town, opened: OpenedAnswer
) -> None:
    device = opened.answer.devices[0]
    count = device.batches[0][1]
    changed = with_device(opened, packed=part(device.packed, count), batches=device.batches[1:])

    assert wrong(audit(town, changed)) == {"coverage", "result_recomputed"}


def test_audit_answer__given_no_opening__names_what_is_left_out(
    town: Town, opened: OpenedAnswer
) -> None:
    assert "coverage" in wrong(audit(town, with_device(opened, opening=None)))


def test_audit_answer__given_opening_outside_its_batch__stops(
    town: Town, opened: OpenedAnswer
) -> None:
    opening = opened.answer.devices[0].opening
    forged = replace(opening, record=opening.record[:-1] + bytes([opening.record[-1] ^ 1]))

    assert wrong(audit(town, with_device(opened, opening=forged))) == {"records_rebuilt"}


def test_audit_answer__given_missing_day_key__stops(town: Town, opened: OpenedAnswer) -> None:
    keys = dict(opened.answer.devices[0].nonce_keys)
    keys.popitem()

    assert wrong(audit(town, with_device(opened, nonce_keys=keys))) == {"records_rebuilt"}


def test_audit_answer__given_another_kind_or_signature__says_so(
    town: Town, opened: OpenedAnswer
) -> None:
    assert wrong(audit(town, opened, kind="advice")) == {"request_matches"}
    unsigned = replace(opened, signature_valid=False)
    assert wrong(audit(town, unsigned)) == {"signature_of_node"}


def test_audit_answer__given_another_lock__says_so(town: Town, opened: OpenedAnswer) -> None:
    changed = replace(opened, answer=replace(opened.answer, lock_id=bytes(32)))

    assert wrong(audit(town, changed)) == {"request_matches"}
