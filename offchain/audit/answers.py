"""The audit of an answer: rebuild every reading, compare with the chain, work the bill or the
advice out again by the tariffs that the chain had then, and hold it line by line against what the
node says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offchain.audit.bill_lines import CheckedLine, checked_lines
from offchain.audit.coverage import (
    check_as_of_block,
    check_coverage,
    rebuild_device,
)
from offchain.audit.differences import differences
from offchain.audit.findings import Finding, all_hold, not_asked
from offchain.audit.opened_answer import OpenedAnswer
from offchain.audit.verdict import verdict
from offchain.audit.working import region_of, worked_out
from offchain.billing.advice import Advice
from offchain.billing.bill import Bill
from offchain.chain.gateway import ChainGateway
from offchain.errors import BillingError, DmsmError, DocumentMissing, RecordError
from offchain.index.chain_index import ChainIndex
from offchain.member.request_notes import AskedRequest
from offchain.member.tariff_book import TariffBook
from offchain.records import batch as batches
from offchain.types import Account, Batch, Reading

_SHOWN = 3  # differences in a finding's detail


@dataclass(frozen=True, repr=False)
class AuditReport:
    """What the audit found.

    `result` is what the node says, `own` what comes out here, None where nothing does. `lines`
    holds both of a bill, number by number. `readings` are the rebuilt ones by device.
    """

    findings: tuple[Finding, ...]
    result: dict[str, Any]
    batches: int
    as_of_block: int
    own: Bill | Advice | None = None
    lines: tuple[CheckedLine, ...] = ()
    readings: Mapping[Account, Sequence[Reading]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return all_hold(self.findings)

    @property
    def is_wrong(self) -> bool:
        """Whether something was looked at and does not hold; what the chain could not be asked
        about proves nothing.
        """
        return any(not one.ok and one.is_known for one in self.findings)

    @property
    def verdict(self) -> str:
        """What all of it means, in one sentence."""
        return verdict(self.findings, self.result, self.own)


def audit_answer(
    opened: OpenedAnswer,
    asked: AskedRequest | None,
    tariffs: TariffBook,
    *,
    gateway: ChainGateway,
    index: ChainIndex,
    kind: str,
) -> AuditReport:
    """Check an opened answer against what was asked, the anchors on chain, and the tariffs of
    `tariffs` as of the answer's block.

    `kind` is "bill" or "advice", what the request type asked for. `asked` None: devices, window and
    product are not known, and whatever needs them is left out. Never raises for a wrong answer:
    what does not hold is a finding.
    """
    answer = opened.answer
    findings = [
        Finding("signature_of_node", opened.signature_valid, f"σ_p of {opened.lock.payee}"),
        _request_matches(opened, asked, kind),
    ]
    try:
        rebuilt = [rebuild_device(one, gateway.chain_id) for one in answer.devices]
    except RecordError as error:
        findings.append(Finding("records_rebuilt", False, str(error)))
        return AuditReport(tuple(findings), answer.result, 0, answer.as_of_block)
    rows = sum(len(one.readings) for one in rebuilt)
    anchored = [batch for one in rebuilt for batch in one.batches]
    findings += [
        Finding("records_rebuilt", True, f"{rows} readings of {len(rebuilt)} devices"),
        _batches_anchored(anchored, gateway),
        check_as_of_block(opened, gateway, index),
        *([] if asked is None else [check_coverage(rebuilt, opened, asked, gateway, index)]),
    ]
    readings = {one.device: one.all_readings for one in rebuilt}
    own: Bill | Advice | None = None
    if asked is not None:
        finding, own = _worked_out(opened, readings, asked, tariffs, gateway)
        findings.append(finding)
    lines = checked_lines(answer.result, own) if isinstance(own, Bill) else []
    return AuditReport(
        findings=tuple(findings),
        result=answer.result,
        batches=len(anchored),
        as_of_block=answer.as_of_block,
        own=own,
        lines=tuple(lines),
        readings=readings,
    )


def _request_matches(opened: OpenedAnswer, asked: AskedRequest | None, kind: str) -> Finding:
    answer = opened.answer
    devices = {one.packed.device for one in answer.devices}
    problems = [
        problem
        for is_wrong, problem in (
            (answer.lock_id != opened.lock_id, "the answer names another lock"),
            (
                asked is not None and opened.lock.type_id != asked.type_id,
                "the lock has another request type",
            ),
            (answer.kind != kind, f"a {kind} was asked for, it is a {answer.kind}"),
            (
                asked is not None and devices != set(asked.devices),
                "the devices are not those asked for",
            ),
        )
        if is_wrong
    ]
    return Finding("request_matches", not problems, "; ".join(problems) or "lock, type and devices")


def _batches_anchored(made: Sequence[Batch], gateway: ChainGateway) -> Finding:
    calls = [("DataLedger", "anchorOf", (batch.device, batch.from_seq)) for batch in made]
    try:
        anchors = gateway.call_many(calls, gateway.final())
    except DmsmError as error:
        return not_asked("batches_anchored", error)
    false = [
        f"{batch.device} from seq {batch.from_seq}"
        for batch, anchor in zip(made, anchors, strict=True)
        if bytes(anchor) != batches.anchor_hash(batch)
    ]
    detail = f"not anchored so: {', '.join(false)}" if false else f"{len(made)} roots as on chain"
    return Finding("batches_anchored", not false, detail)


def _worked_out(
    opened: OpenedAnswer,
    readings: Mapping[Account, Sequence[Reading]],
    asked: AskedRequest,
    tariffs: TariffBook,
    gateway: ChainGateway,
) -> tuple[Finding, Bill | Advice | None]:
    answer, name = opened.answer, "result_recomputed"
    try:
        worked = worked_out(
            answer.kind,
            readings,
            window=(asked.window_from, asked.window_to),
            product=asked.product,
            region_id=region_of(gateway, opened.lock.payee),
            as_of_block=answer.as_of_block,
            tariffs=tariffs,
            gateway=gateway,
        )
    except DocumentMissing as error:
        return Finding(name, False, str(error), is_known=False), None
    except BillingError as error:
        return Finding(name, False, f"no {answer.kind} comes of the readings: {error}"), None
    except DmsmError as error:
        return not_asked(name, error), None
    own = worked.result
    found = differences(answer.result, own.to_json())
    if not found:
        by = f"by {asked.product!r}: {worked.tariffs_text()}"
        return Finding(name, True, f"the same numbers, {by}"), own
    rest = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return Finding(name, False, "; ".join(found[:_SHOWN]) + rest), own
