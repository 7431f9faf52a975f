"""From the outbox to the processing node: each step is stored before, done, and marked after.

Repeats are harmless: the node accepts the same bytes again.
"""

import hashlib

from device_agent.crash_points import crash_point
from device_agent.errors import AgentError
from device_agent.node_client import NodeClient
from device_agent.outbox import Outbox
from device_agent.progress import Progress
from device_agent.report_table import ReportEntry
from device_agent.seal import Sealer
from device_agent.surroundings import Surroundings, find_paillier_key
from offchain.chain.gateway import ChainGateway
from offchain.crypto.paillier import DEFAULT_BITS, PaillierPublicKey
from offchain.records.envelope import MAX_ENVELOPES, Envelopes
from offchain.types import Account, Policy, day_of


class NodeDelivery:
    """Seal for the processor that the outbox has turned to, and bring it what is due."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        sealer: Sealer,
        gateway: ChainGateway,
        node: NodeClient,
        progress: Progress,
        device: Account,
        paillier_bits: int = DEFAULT_BITS,
    ) -> None:
        self._outbox = outbox
        self._sealer = sealer
        self._gateway = gateway
        self._node = node
        self._progress = progress
        self._device = device
        self._paillier_bits = paillier_bits
        self._paillier_keys: dict[Account, PaillierPublicKey] = {}

    def send_readings(self, processor: Account) -> None:
        """Seal and send all readings that are due, behind their days' keys."""
        self._send_days()
        while self._seal_readings(processor) or self._outbox.unsent_envelopes(1):
            envelopes = self._outbox.unsent_envelopes(MAX_ENVELOPES)
            self._seal_days(processor, {envelope.day for envelope in envelopes})
            self._send_days()
            message = Envelopes(device=self._device, envelopes=tuple(envelopes))
            next_seq = self._node.send_readings(message)
            crash_point("readings-sent")
            if next_seq != envelopes[-1].seq + 1:
                raise AgentError(f"the node wants {next_seq} after reading {envelopes[-1].seq}")
            self._outbox.mark_readings_sent(before_seq=next_seq)
            crash_point("readings-marked")
            self._progress.tell("sent", seq=next_seq - 1)

    def keep_report(
        self, entry: ReportEntry, policy: Policy, around: Surroundings, processor: Account
    ) -> ReportEntry:
        """Seal a report and have the node keep it, each once; return it as stored."""
        sealed, commitment = entry.sealed, entry.commitment
        if sealed is None:
            owner_key = self._paillier_key(around.owner)
            with self._progress.timing("seal"):
                made = self._sealer.status(entry, policy, owner=around.owner, owner_key=owner_key)
            sealed, commitment = made.sealed, made.commitment
            self._outbox.seal_report(entry.id, sealed=sealed, commitment=commitment)
            crash_point("report-sealed")
        if not entry.kept:
            with self._progress.timing("store"):
                kept = self._node.keep_report(self._sealer.report_for(sealed, processor=processor))
            if kept != hashlib.sha256(sealed).digest():
                raise AgentError("the node keeps the report under another digest")
            crash_point("report-kept")
            self._outbox.mark_report_kept(entry.id)
            crash_point("report-kept-marked")
        return next(one for one in self._outbox.open_reports() if one.id == entry.id)

    def prepare_report(self, around: Surroundings) -> None:
        """Do beforehand what the next report's seal costs most, once the owner's key is known."""
        owner_key = self._paillier_keys.get(around.owner)
        if owner_key is not None and around.policy is not None:
            self._sealer.prepare_status(owner=around.owner, owner_key=owner_key)

    def send_batches(self) -> None:
        """Send the batches that are on chain, with the device's BLS signatures."""
        for notice in self._outbox.unsent_batches(self._device):
            self._node.send_batch(notice)
            crash_point("batch-sent")
            self._outbox.mark_batches_sent(before_seq=notice.batch.next_seq)
            crash_point("batch-sent-marked")

    def _seal_readings(self, processor: Account) -> bool:
        envelopes = [
            self._sealer.envelope(record, seq=seq, day=day_of(time_s), processor=processor)
            for seq, time_s, record in self._outbox.unsealed(MAX_ENVELOPES)
        ]
        if envelopes:
            self._outbox.add_envelopes(envelopes)
            crash_point("readings-sealed")
        return bool(envelopes)

    def _seal_days(self, processor: Account, days: set[int]) -> None:
        for day in sorted(days):
            if not self._outbox.has_day(day):
                key = self._paillier_key(processor)
                keys = self._sealer.day_keys(day, processor=processor, processor_key=key)
                self._outbox.add_day(keys)
                crash_point("day-sealed")

    def _send_days(self) -> None:
        for keys in self._outbox.unsent_days(self._device):
            self._node.send_day(keys)
            crash_point("day-sent")
            self._outbox.mark_day_sent(keys.day)
            crash_point("day-marked")

    def _paillier_key(self, member: Account) -> PaillierPublicKey:
        if member not in self._paillier_keys:
            bits = self._paillier_bits
            key = find_paillier_key(self._gateway, self._node, member, bits=bits)
            self._paillier_keys[member] = key
        return self._paillier_keys[member]
