"""From the outbox to the chain: reports and anchors, each stored before, sent, and marked after.

Repeats are harmless: the ledger accepts an identical anchor, and a transaction's intent gives back
its first receipt.
"""

import hashlib
from collections.abc import Sequence

from device_agent import batching
from device_agent.crash_points import crash_point
from device_agent.errors import BeginningsStopped
from device_agent.notify import policy_name
from device_agent.outbox import Outbox
from device_agent.progress import Progress
from device_agent.report_table import DROPPED, REPORTED, ReportEntry
from device_agent.seal import Sealer
from offchain.chain.facts import ContractRevert, Receipt
from offchain.chain.gateway import Call, ChainGateway
from offchain.records import batch as batch_codec
from offchain.records.temperature import to_number
from offchain.types import Account, Batch, Policy

_BOARD = "NotificationBoard"
_REPORT_GAS = 400_000  # an upper bound: what a report costs depends on those before it
_POLICY_CHANGED = {"NotificationBoard_WrongMode", "NotificationBoard_NoPolicy"}


class ChainDelivery:
    """Bring what is due in the outbox to the chain."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        sealer: Sealer,
        gateway: ChainGateway,
        progress: Progress,
        device: Account,
        max_batch: int,
        batch_seconds: int,
    ) -> None:
        self._outbox = outbox
        self._sealer = sealer
        self._gateway = gateway
        self._progress = progress
        self._device = device
        self._max_batch = max_batch
        self._batch_seconds = batch_seconds

    # ---- reports

    def open_reports(self, policy: Policy | None) -> list[ReportEntry]:
        """Return the reports that are due, after dropping those that an older policy judged."""
        name = None if policy is None else policy_name(policy)
        self._drop([entry for entry in self._outbox.open_reports() if entry.policy != name])
        return self._outbox.open_reports()

    def report(self, ready: Sequence[ReportEntry]) -> bool:
        """Report what the node keeps; return False when the owner's policy is another by now."""
        if not ready:
            return True
        try:
            with self._progress.timing("chain"):
                receipts = self._gateway.transact_many([_report_call(entry) for entry in ready])
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
        took_ms = self._progress.taken_ms()
        for entry, receipt in zip(ready, receipts, strict=True):
            self._tell_reported(entry, receipt, took_ms)
        return True

    def _tell_reported(
        self, entry: ReportEntry, receipt: Receipt, took_ms: dict[str, float]
    ) -> None:
        self._progress.tell(
            "reported",
            status=entry.verdict.status.name.lower(),
            temperature_too_high=entry.verdict.temperature_too_high,
            changed=entry.changed,
            injected=entry.injected,
            gas=receipt.gas_used,
            tx=receipt.tx_hash,
            took_ms=took_ms,  # of all the reports that went out together
        )

    def _drop(self, entries: Sequence[ReportEntry]) -> None:
        if entries:
            self._outbox.end_reports([entry.id for entry in entries], DROPPED)
            self._progress.tell("dropped", reports=len(entries))

    # ---- batches

    def cut_batches(self, *, is_end: bool) -> None:
        """Cut what is complete: windows behind which a reading lies, and the last at the end."""
        runs = batching.cut(
            self._outbox.unbatched(), window_s=self._batch_seconds, max_count=self._max_batch
        )
        for run in runs:
            if run is not runs[-1] or is_end or len(run) == self._max_batch:
                batch = batch_codec.make(run)
                self._outbox.add_batch(batch, self._sealer.batch_signature(batch))
                crash_point("batch-cut")

    def anchor_batches(self) -> None:
        """Anchor the batches that are not on chain, in order. Raises BeginningsStopped."""
        for notice in self._outbox.unanchored_batches(self._device):
            batch = notice.batch
            receipt = self._anchor(batch)
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

    def _anchor(self, batch: Batch) -> Receipt:
        try:
            return self._gateway.transact(
                "DataLedger",
                "anchor",
                batch.from_seq,
                batch.count,
                batch.root,
                intent=f"anchor:{batch.from_seq}:{batch.root.hex()}",
            )
        except ContractRevert as error:
            if error.name == "MemberRegistry_Stopped":
                raise BeginningsStopped(
                    f"batches wait in the outbox, and nothing is lost: {error.sentence}"
                ) from error
            raise


def _report_call(entry: ReportEntry) -> Call:
    digest = hashlib.sha256(entry.sealed or b"").digest()
    # The digest is in it, so that the reports of a fresh outbox are not taken for those of a lost.
    intent = f"report:{entry.id}:{digest.hex()}"
    if entry.commitment is not None:
        sealed = (entry.commitment, digest)
        return Call(_BOARD, "reportSealed", sealed, gas=_REPORT_GAS, intent=intent)
    judged = (entry.power_w, to_number(entry.temperature_dc), entry.injected, digest)
    return Call(_BOARD, "report", judged, gas=_REPORT_GAS, intent=intent)
