"""The user's audit: rebuild every reading of an answer, compare with the chain, and compute the
result again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offchain.audit.coverage import (
    RebuiltDevice,
    check_as_of_block,
    check_coverage,
    rebuild_device,
)
from offchain.audit.findings import Finding, all_hold, not_asked
from offchain.audit.opened_answer import OpenedAnswer
from offchain.billing.answers import DeviceReadings, compute_advice, compute_bill
from offchain.billing.result import Bill
from offchain.billing.tariff import Tariff
from offchain.chain.gateway import ChainGateway
from offchain.errors import DmsmError, RecordError
from offchain.index.chain_index import ChainIndex
from offchain.member.request_notes import AskedRequest
from offchain.records import batch as batches
from offchain.types import Batch


@dataclass(frozen=True)
class AuditReport:
    """What the audit found; `result` is the audited bill or advice as plain values."""

    findings: tuple[Finding, ...]
    result: dict[str, Any]
    batches: int

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


def audit_answer(
    opened: OpenedAnswer,
    asked: AskedRequest | None,
    tariff: Tariff,
    *,
    gateway: ChainGateway,
    index: ChainIndex,
    kind: str,
) -> AuditReport:
    """Check an opened answer against what was asked, the anchors on chain, and the tariff.

    `kind` is "bill" or "advice", what the request type asked for. `asked` None: devices and window
    are not known, and whatever needs them is left out. Never raises for a wrong answer: what does
    not hold is a finding.
    """
    findings = [
        Finding("signature_of_node", opened.signature_valid, f"σ_p of {opened.lock.payee}"),
        _request_matches(opened, asked, kind),
    ]
    try:
        rebuilt = [rebuild_device(one, gateway.chain_id) for one in opened.answer.devices]
    except RecordError as error:
        findings.append(Finding("records_rebuilt", False, str(error)))
        return AuditReport(tuple(findings), opened.result, 0)
    rows = sum(len(one.readings) for one in rebuilt)
    anchored = [batch for one in rebuilt for batch in one.batches]
    findings += [
        Finding("records_rebuilt", True, f"{rows} readings of {len(rebuilt)} devices"),
        _batches_anchored(anchored, gateway),
        check_as_of_block(opened, gateway, index),
        *([] if asked is None else [check_coverage(rebuilt, opened, asked, gateway, index)]),
        _tariff_matches(opened, tariff),
        _result_recomputed(opened, rebuilt, tariff),
    ]
    return AuditReport(tuple(findings), opened.result, len(anchored))


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


def _tariff_matches(opened: OpenedAnswer, tariff: Tariff) -> Finding:
    result = opened.answer.result
    if not isinstance(result, Bill):
        return Finding("tariff_matches", True, "advice names no tariff; it is computed again below")
    is_same = result.tariff_digest == tariff.digest
    return Finding("tariff_matches", is_same, f"tariff {tariff.name!r} {tariff.digest.hex()[:16]}")


def _result_recomputed(
    opened: OpenedAnswer, rebuilt: Sequence[RebuiltDevice], tariff: Tariff
) -> Finding:
    compute = compute_bill if isinstance(opened.answer.result, Bill) else compute_advice
    devices = {one.device: DeviceReadings(one.readings, one.opening) for one in rebuilt}
    try:
        own = compute(devices, tariff)
    except RecordError as error:
        return Finding("result_recomputed", False, str(error))
    if own == opened.answer.result:
        return Finding("result_recomputed", True, "the same integers")
    return Finding("result_recomputed", False, f"computed {own}, answered {opened.answer.result}")
