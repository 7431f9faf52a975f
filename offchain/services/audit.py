"""The user's audit: rebuild every reading of an answer, compare with the chain, and compute the
result again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.crypto import merkle
from offchain.errors import DmsmError, RecordError
from offchain.records import batch as batches
from offchain.records import packed, reading
from offchain.records.answer import DeviceAnswer
from offchain.records.result import Bill
from offchain.records.tariff import Tariff
from offchain.services.findings import Finding, all_hold
from offchain.services.node.answers import DeviceReadings, compute_advice, compute_bill
from offchain.services.opened_answer import OpenedAnswer
from offchain.services.request_notes import AskedRequest
from offchain.types import Account, Batch, Reading


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


@dataclass(frozen=True)
class _Rebuilt:
    device: Account
    readings: Sequence[Reading]
    opening: Reading | None
    batches: Sequence[Batch]


def audit_answer(
    opened: OpenedAnswer, asked: AskedRequest, tariff: Tariff, *, gateway: ChainGateway, kind: str
) -> AuditReport:
    """Check an opened answer against what was asked, the anchors on chain, and the tariff.

    `kind` is "bill" or "advice", what the request type asked for. Never raises for a wrong
    answer: what does not hold is a finding.
    """
    findings = [
        Finding("signature_of_node", opened.signature_valid, f"σ_p of {opened.lock.payee}"),
        _request_matches(opened, asked, kind),
    ]
    try:
        rebuilt = [_rebuild(one, gateway.chain_id) for one in opened.answer.devices]
    except RecordError as error:
        findings.append(Finding("records_rebuilt", False, str(error)))
        return AuditReport(tuple(findings), opened.result, 0)
    rows = sum(len(one.readings) for one in rebuilt)
    anchored = [batch for one in rebuilt for batch in one.batches]
    findings += [
        Finding("records_rebuilt", True, f"{rows} readings of {len(rebuilt)} devices"),
        _batches_anchored(anchored, gateway),
        _coverage(rebuilt, asked),
        _tariff_matches(opened, tariff),
        _result_recomputed(opened, rebuilt, tariff),
    ]
    return AuditReport(tuple(findings), opened.result, len(anchored))


def _request_matches(opened: OpenedAnswer, asked: AskedRequest, kind: str) -> Finding:
    answer = opened.answer
    devices = {one.packed.device for one in answer.devices}
    problems = [
        problem
        for is_wrong, problem in (
            (answer.lock_id != opened.lock_id, "the answer names another lock"),
            (opened.lock.type_id != asked.type_id, "the lock has another request type"),
            (answer.kind != kind, f"a {kind} was asked for, it is a {answer.kind}"),
            (devices != set(asked.devices), "the devices are not those asked for"),
        )
        if is_wrong
    ]
    return Finding("request_matches", not problems, "; ".join(problems) or "lock, type and devices")


def _rebuild(device: DeviceAnswer, chain_id: int) -> _Rebuilt:
    rows = packed.rebuild(device.packed, chain_id=chain_id, nonce_keys=device.nonce_keys)
    first = device.packed.first_seq
    made = [
        batches.make(rows[from_seq - first : from_seq - first + count])
        for from_seq, count in device.batches
    ]
    opening = None
    if device.opening is not None:
        opening = reading.decode(device.opening.record)
        _require_in_batch(device, opening)
        made.append(device.opening.batch)
    return _Rebuilt(device.packed.device, rows, opening, made)


def _require_in_batch(device: DeviceAnswer, before: Reading) -> None:
    opening = device.opening
    is_member = opening is not None and merkle.verify_inclusion(
        reading.commitment(opening.record),
        opening.proof,
        index=before.seq - opening.batch.from_seq,
        size=opening.batch.count,
        root=opening.batch.root,
    )
    if not is_member or before.device != device.packed.device:
        raise RecordError(f"the opening reading of {device.packed.device} is not in its batch")


def _batches_anchored(made: Sequence[Batch], gateway: ChainGateway) -> Finding:
    calls = [("DataLedger", "anchorOf", (batch.device, batch.from_seq)) for batch in made]
    try:
        anchors = gateway.call_many(calls)
    except DmsmError as error:
        return Finding("batches_anchored", False, f"the chain could not be asked: {error}")
    false = [
        f"{batch.device} from seq {batch.from_seq}"
        for batch, anchor in zip(made, anchors, strict=True)
        if bytes(anchor) != batches.anchor_hash(batch)
    ]
    detail = f"not anchored so: {', '.join(false)}" if false else f"{len(made)} roots as on chain"
    return Finding("batches_anchored", not false, detail)


def _coverage(rebuilt: Sequence[_Rebuilt], asked: AskedRequest) -> Finding:
    problems = [problem for one in rebuilt for problem in _gaps(one, asked)]
    return Finding("coverage", not problems, "; ".join(problems) or "no reading left out")


def _gaps(one: _Rebuilt, asked: AskedRequest) -> list[str]:
    first, last = one.readings[0], one.readings[-1]
    problems = []
    if first.time_s < asked.window_from or last.time_s >= asked.window_to:
        problems.append(f"{one.device}: readings outside the window")
    if one.opening is None and first.seq != 1:
        problems.append(f"{one.device}: readings before seq {first.seq} are left out")
    if one.opening is not None and one.opening.seq != first.seq - 1:
        problems.append(f"{one.device}: the opening reading is not the one before seq {first.seq}")
    if one.opening is not None and one.opening.time_s >= asked.window_from:
        problems.append(f"{one.device}: the opening reading lies in the window")
    return problems


def _tariff_matches(opened: OpenedAnswer, tariff: Tariff) -> Finding:
    result = opened.answer.result
    if not isinstance(result, Bill):
        return Finding("tariff_matches", True, "advice names no tariff; it is computed again below")
    is_same = result.tariff_digest == tariff.digest
    return Finding("tariff_matches", is_same, f"tariff {tariff.name!r} {tariff.digest.hex()[:16]}")


def _result_recomputed(
    opened: OpenedAnswer, rebuilt: Sequence[_Rebuilt], tariff: Tariff
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
