"""From the outbox to node and chain: each step is stored before, done, and marked after.

Repeats are harmless: the node accepts the same bytes again, the ledger an identical anchor, and a
transaction's intent gives back its first receipt.
"""

import hashlib
from collections.abc import Sequence

from device_agent.crash_points import crash_point
from device_agent.errors import AgentError, NodeRefused, NodeUnreachable
from device_agent.node_client import NodeClient
from device_agent.notify import policy_name
from device_agent.outbox import DROPPED, REPORTED, Outbox, ReportEntry
from device_agent.progress import Progress
from device_agent.reconcile import reconcile_node
from device_agent.seal import Sealer
from device_agent.surroundings import find_paillier_key
from offchain.chain.errors import ContractRevert
from offchain.chain.gateway import Call, ChainGateway
from offchain.crypto.paillier import PaillierPublicKey
from offchain.records import batch as batch_codec
from offchain.records.envelope import MAX_ENVELOPES, Envelopes, SealedReport
from offchain.types import Account, Link, Policy

_BOARD = "NotificationBoard"
_REPORT_GAS = 400_000  # an upper bound: what a report costs depends on those before it
_LOST_BY_NODE = {"seq_gap", "day_unknown", "batch_gap", "readings_missing"}
_POLICY_CHANGED = {"NotificationBoard_WrongMode", "NotificationBoard_NoPolicy"}


class Delivery:
    """Bring everything in the outbox to where it belongs. `flush` may be called at any time."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        sealer: Sealer,
        gateway: ChainGateway,
        node: NodeClient,
        progress: Progress,
        link: Link,
        owner: Account,
        max_batch: int,
    ) -> None:
        self._outbox = outbox
        self._sealer = sealer
        self._gateway = gateway
        self._node = node
        self._progress = progress
        self._link = link
        self._owner = owner
        self._max_batch = max_batch
        self._paillier_keys: dict[Account, PaillierPublicKey] = {}

    def flush(self, *, is_end: bool, policy: Policy | None) -> bool:
        """Send, report, anchor; return False when the owner's policy turned out to be another.

        `is_end`: no more samples come, so that the last, unfinished day becomes a batch too.
        Raises NodeUnreachable and ChainError, after which it may be called again.
        """
        try:
            self._send_days()
            self._send_readings()
            is_current = self._send_reports(policy)
            self._cut_batches(is_end=is_end)
            self._anchor_batches()
            self._send_batches()
        except NodeRefused as error:
            if error.name not in _LOST_BY_NODE:
                raise
            reconcile_node(self._outbox, self._node, self._link.device)
            raise NodeUnreachable(f"the node has forgotten something: {error}") from error
        return is_current

    # ---- readings

    def _send_days(self) -> None:
        waiting = self._outbox.unsent_envelopes(MAX_ENVELOPES)
        for day in sorted({envelope.day for envelope in waiting}):
            if not self._outbox.has_day(day):
                keys = self._sealer.day_keys(day, self._paillier_key(self._link.processor))
                self._outbox.add_day(keys)
                crash_point("day-sealed")
        for keys in self._outbox.unsent_days(self._link.device):
            self._node.send_day(keys)
            crash_point("day-sent")
            self._outbox.mark_day(keys.day, sent=True)
            crash_point("day-marked")

    def _send_readings(self) -> None:
        while envelopes := self._outbox.unsent_envelopes(MAX_ENVELOPES):
            self._send_days()
            message = Envelopes(device=self._link.device, envelopes=tuple(envelopes))
            next_seq = self._node.send_readings(message)
            crash_point("readings-sent")
            if next_seq != envelopes[-1].seq + 1:
                raise AgentError(f"the node wants {next_seq} after reading {envelopes[-1].seq}")
            self._outbox.mark_readings_sent(before_seq=next_seq)
            crash_point("readings-marked")
            self._progress.tell("sent", seq=next_seq - 1)

    # ---- reports

    def _send_reports(self, policy: Policy | None) -> bool:
        self._drop_outdated(policy)
        waiting = self._outbox.open_reports()
        if not waiting or policy is None:
            return True
        ready = [self._kept(entry, policy) for entry in waiting]
        calls = [self._report_call(entry) for entry in ready]
        try:
            receipts = self._gateway.transact_many(calls)
            reverts = [receipt.revert for receipt in receipts if receipt.revert is not None]
            if reverts:
                raise reverts[0]
        except ContractRevert as error:
            if error.name not in _POLICY_CHANGED:
                raise
            self._drop(ready)
            return False
        crash_point("reports-mined")
        self._outbox.end_reports([entry.id for entry in ready], REPORTED)
        crash_point("reports-marked")
        for entry, receipt in zip(ready, receipts, strict=True):
            self._progress.tell(
                "reported",
                status=entry.verdict.status.name.lower(),
                temperature_too_high=entry.verdict.temperature_too_high,
                changed=entry.changed,
                injected=entry.injected,
                gas=receipt.gas_used,
                tx=receipt.tx_hash,
            )
        return True

    def _drop_outdated(self, policy: Policy | None) -> None:
        """Drop reports that an older policy judged; the next reading is judged anew."""
        name = None if policy is None else policy_name(policy)
        self._drop([entry for entry in self._outbox.open_reports() if entry.policy != name])

    def _drop(self, entries: Sequence[ReportEntry]) -> None:
        if entries:
            self._outbox.end_reports([entry.id for entry in entries], DROPPED)
            self._progress.tell("dropped", reports=len(entries))

    def _kept(self, entry: ReportEntry, policy: Policy) -> ReportEntry:
        """Seal a report and have the node keep it, each once; return it as stored."""
        if entry.sealed is None:
            made = self._sealer.status(entry, policy, self._paillier_key(self._owner))
            self._outbox.seal_report(
                entry.id, sealed=made.sealed, commitment=made.commitment, signature=made.signature
            )
            crash_point("report-sealed")
            entry = next(one for one in self._outbox.open_reports() if one.id == entry.id)
        if not entry.kept:
            device, sealed, signature = self._link.device, entry.sealed, entry.signature
            digest = self._node.keep_report(
                SealedReport(device=device, sealed=sealed or b"", signature=signature or b"")
            )
            if digest != hashlib.sha256(sealed or b"").digest():
                raise AgentError("the node keeps the report under another digest")
            crash_point("report-kept")
            self._outbox.mark_report_kept(entry.id)
            crash_point("report-kept-marked")
        return entry

    def _report_call(self, entry: ReportEntry) -> Call:
        digest = hashlib.sha256(entry.sealed or b"").digest()
        intent = f"report:{entry.id}"
        if entry.commitment is not None:
            sealed = (entry.commitment, digest)
            return Call(_BOARD, "reportSealed", sealed, gas=_REPORT_GAS, intent=intent)
        judged = (entry.power_w, entry.temperature_dc, entry.injected, digest)
        return Call(_BOARD, "report", judged, gas=_REPORT_GAS, intent=intent)

    # ---- batches

    def _cut_batches(self, *, is_end: bool) -> None:
        """Cut what is complete: a day after which another begins, and the last one at the end."""
        runs = batch_codec.cut(self._outbox.unbatched(), max_count=self._max_batch)
        for run in runs:
            is_complete = run is not runs[-1] or is_end or len(run) == self._max_batch
            if is_complete:
                batch = batch_codec.make(run)
                self._outbox.add_batch(batch, self._sealer.batch_signature(batch))
                crash_point("batch-cut")

    def _anchor_batches(self) -> None:
        for notice in self._outbox.batches(self._link.device, "anchored=0"):
            batch = notice.batch
            receipt = self._gateway.transact(
                "DataLedger",
                "anchor",
                batch.from_seq,
                batch.count,
                batch.root,
                intent=f"anchor:{batch.from_seq}",
            )
            crash_point("batch-anchored")
            self._outbox.mark_anchored(before_seq=batch.next_seq)
            crash_point("batch-marked")
            self._progress.tell(
                "anchored",
                from_seq=batch.from_seq,
                count=batch.count,
                root=batch.root.hex(),
                gas=receipt.gas_used,
                tx=receipt.tx_hash,
            )

    def _send_batches(self) -> None:
        for notice in self._outbox.batches(self._link.device, "anchored=1 AND sent=0"):
            self._node.send_batch(notice)
            crash_point("batch-sent")
            self._outbox.mark_batches_sent(before_seq=notice.batch.next_seq)
            crash_point("batch-sent-marked")

    def _paillier_key(self, member: Account) -> PaillierPublicKey:
        if member not in self._paillier_keys:
            key = find_paillier_key(self._gateway, self._node, member)
            self._paillier_keys[member] = key
        return self._paillier_keys[member]
