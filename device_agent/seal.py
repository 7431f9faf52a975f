"""What the device makes of a sample with its keys: records, envelopes, day keys, reports."""

import secrets
from dataclasses import dataclass

from device_agent.keys import DeviceKeys
from device_agent.outbox import ReportEntry
from device_agent.surroundings import Surroundings
from offchain.crypto import bls, box, kdf, kem, messages
from offchain.crypto.curve import G1
from offchain.crypto.paillier import PaillierPublicKey
from offchain.records import contexts, report, signing
from offchain.records import reading as record_codec
from offchain.records.envelope import DayKeys, Envelope
from offchain.types import Batch, MeterSample, Policy, Reading, day_of

_NONCE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedStatus:
    """A report sealed to the owner; `commitment` is set in sealed mode."""

    sealed: bytes
    commitment: bytes | None
    signature: bytes


class Sealer:
    """The device's keys at work in its surroundings. Day keys are derived, never stored."""

    def __init__(self, keys: DeviceKeys, surroundings: Surroundings) -> None:
        self._keys = keys
        self._place = surroundings
        self._link = surroundings.link
        self._day_keys: dict[int, tuple[bytes, bytes]] = {}

    def record(self, sample: MeterSample, *, seq: int) -> bytes:
        """Make the 95 bytes m of a sample, with the nonce that its day's key and seq give."""
        _, nonce_key = self._keys_of(day_of(sample.time_s))
        return record_codec.encode(
            Reading(
                chain_id=self._link.chain_id,
                device=self._link.device,
                seq=seq,
                time_s=sample.time_s,
                energy_wh=sample.energy_wh,
                power_w=sample.power_w,
                temperature_dc=sample.temperature_dc,
                nonce=kdf.reading_nonce(nonce_key, seq),
            )
        )

    def envelope(self, record: bytes, *, seq: int, day: int) -> Envelope:
        """Seal a record for the processor and sign the envelope. Random: seal once."""
        context = contexts.reading(self._link, seq=seq, day=day)
        sealed = box.seal(self._keys_of(day)[0], record, context=context)
        digest = signing.envelope_digest(self._link, seq=seq, day=day, box=sealed)
        signature = signing.sign(digest, self._keys.account)
        return Envelope(seq=seq, day=day, box=sealed, signature=signature)

    def day_keys(self, day: int, processor_key: PaillierPublicKey) -> DayKeys:
        """Seal the two keys of a day to the processor and sign them. Random: seal once."""
        context = contexts.day(self._link, day=day)
        sealed = kem.seal(processor_key, b"".join(self._keys_of(day)), context=context)
        digest = signing.day_keys_digest(self._link, day=day, sealed=sealed)
        signature = signing.sign(digest, self._keys.account)
        return DayKeys(device=self._link.device, day=day, sealed=sealed, signature=signature)

    def batch_signature(self, batch: Batch) -> G1:
        """Sign a batch root (BLS, role ROOT)."""
        message = messages.root_message(
            chain_id=self._link.chain_id,
            data_ledger=self._link.data_ledger,
            device=batch.device,
            from_seq=batch.from_seq,
            count=batch.count,
            root=batch.root,
        )
        return bls.sign(self._keys.bls, message, role=messages.Role.ROOT)

    def status(
        self, entry: ReportEntry, policy: Policy, owner_key: PaillierPublicKey
    ) -> SealedStatus:
        """Sign a report, seal it to the owner, and sign that for the processor. Random."""
        link, place = self._link, self._place
        unsigned = report.StatusReport(
            device=link.device,
            seq=entry.seq,
            time_s=entry.time_s,
            power_w=entry.power_w,
            temperature_dc=entry.temperature_dc,
            status=entry.verdict.status,
            injected=entry.injected,
            text=report.sentence(
                entry.verdict,
                power_w=entry.power_w,
                temperature_dc=entry.temperature_dc,
                injected=entry.injected,
            ),
            nonce=secrets.token_bytes(_NONCE_BYTES) if policy.is_sealed else None,
        )
        signed = report.sign(
            unsigned,
            chain_id=link.chain_id,
            data_ledger=link.data_ledger,
            owner=place.owner,
            private_key=self._keys.account,
        )
        plain = report.encode(signed)
        context = contexts.status(
            chain_id=link.chain_id,
            notification_board=place.notification_board,
            device=link.device,
            owner=place.owner,
        )
        sealed = kem.seal(owner_key, plain, context=context)
        digest = signing.report_digest(link, sealed=sealed)
        return SealedStatus(
            sealed=sealed,
            commitment=report.sealed_commitment(plain) if policy.is_sealed else None,
            signature=signing.sign(digest, self._keys.account),
        )

    def _keys_of(self, day: int) -> tuple[bytes, bytes]:
        """Return sealing key and nonce key of a day; only the last day's are kept in memory."""
        if day not in self._day_keys:
            secret, link = self._keys.secret, self._link
            seal_key = kdf.seal_day_key(secret, chain_id=link.chain_id, device=link.device, day=day)
            nonce_key = kdf.nonce_day_key(
                secret, chain_id=link.chain_id, device=link.device, day=day
            )
            self._day_keys = {day: (seal_key, nonce_key)}
        return self._day_keys[day]
