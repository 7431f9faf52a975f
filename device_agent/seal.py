"""What the device makes of a sample with its keys: records, envelopes, day keys, reports."""

import secrets
from dataclasses import dataclass

from device_agent.errors import AgentError
from device_agent.keys import DeviceKeys
from device_agent.report_table import ReportEntry
from device_agent.surroundings import Place
from offchain.crypto import bls, box, kdf, kem, messages
from offchain.crypto.curve import G1
from offchain.crypto.paillier import PaillierPublicKey
from offchain.errors import CryptoError, FormatError
from offchain.records import contexts, report, signing
from offchain.records import reading as record_codec
from offchain.records.envelope import DayKeys, Envelope, SealedReport, SignedSeq
from offchain.types import Account, Batch, MeterSample, Policy, Reading, day_of

_NONCE_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedStatus:
    """A report sealed to the owner; `commitment` is set in sealed mode."""

    sealed: bytes
    commitment: bytes | None


class Sealer:
    """The device's keys at work on its chain. Day keys are derived, never stored."""

    def __init__(self, keys: DeviceKeys, place: Place) -> None:
        self._keys = keys
        self._place = place
        self._last_keys: tuple[int, tuple[bytes, bytes]] = (-1, (b"", b""))
        self._next_status: kem.Encapsulation | None = None

    def record(self, sample: MeterSample, *, seq: int) -> bytes:
        """Make the 104 bytes m of a sample, with the nonce that its day's key and seq give."""
        _, nonce_key = self._keys_of(day_of(sample.time_s))
        return record_codec.encode(
            Reading(
                chain_id=self._place.chain_id,
                device=self._place.device,
                seq=seq,
                time_s=sample.time_s,
                import_wh=sample.import_wh,
                export_wh=sample.export_wh,
                power_w=sample.power_w,
                temperature_dc=sample.temperature_dc,
                flags=sample.flags,
                nonce=kdf.reading_nonce(nonce_key, seq),
            )
        )

    def envelope(self, record: bytes, *, seq: int, day: int, processor: Account) -> Envelope:
        """Seal a record for a processor and sign the envelope. Random: seal once."""
        link = self._place.link(processor)
        context = contexts.reading(link, seq=seq, day=day)
        sealed = box.seal(self._keys_of(day)[0], record, context=context)
        digest = signing.envelope_digest(link, seq=seq, day=day, box=sealed)
        return Envelope(seq=seq, day=day, box=sealed, signature=self._sign(digest))

    def open_own(self, envelope: Envelope, processor: Account) -> bytes:
        """Return the record in an envelope that this device has sealed and signed itself.

        Raises AgentError when it is not one: whoever gave it back has changed it.
        """
        link, seq, day = self._place.link(processor), envelope.seq, envelope.day
        digest = signing.envelope_digest(link, seq=seq, day=day, box=envelope.box)
        if not signing.verify_signature(digest, envelope.signature, link.device):
            raise AgentError(f"envelope {seq} does not bear this device's signature")
        context = contexts.reading(link, seq=seq, day=day)
        try:
            record = box.open_sealed(self._keys_of(day)[0], envelope.box, context=context)
            reading = record_codec.decode(record)
        except (CryptoError, FormatError) as error:
            raise AgentError(f"envelope {seq} does not open: {error}") from error
        if reading.seq != seq or reading.device != link.device:
            raise AgentError(f"the record in envelope {seq} is of another reading")
        return record

    def day_keys(
        self, day: int, *, processor: Account, processor_key: PaillierPublicKey
    ) -> DayKeys:
        """Seal the two keys of a day to a processor and sign them. Random: seal once."""
        link = self._place.link(processor)
        context = contexts.day(link, day=day)
        sealed = kem.seal(processor_key, b"".join(self._keys_of(day)), context=context)
        digest = signing.day_keys_digest(link, day=day, sealed=sealed)
        return DayKeys(device=link.device, day=day, sealed=sealed, signature=self._sign(digest))

    def start(self, seq: int, *, processor: Account) -> SignedSeq:
        """Say that a processor will get nothing below a seq that it does not hold."""
        link = self._place.link(processor)
        digest = signing.start_digest(link, seq=seq)
        return SignedSeq(device=link.device, seq=seq, signature=self._sign(digest))

    def recovery(self, from_seq: int, *, processor: Account) -> SignedSeq:
        """Ask a processor for this device's own envelopes back."""
        link = self._place.link(processor)
        digest = signing.recovery_digest(link, from_seq=from_seq)
        return SignedSeq(device=link.device, seq=from_seq, signature=self._sign(digest))

    def report_for(self, sealed: bytes, *, processor: Account) -> SealedReport:
        """Sign a sealed report for the processor that shall keep it."""
        digest = signing.report_digest(self._place.link(processor), sealed=sealed)
        device = self._place.device
        return SealedReport(device=device, sealed=sealed, signature=self._sign(digest))

    def batch_signature(self, batch: Batch) -> G1:
        """Sign a batch root (BLS, role ROOT)."""
        message = messages.root_message(
            chain_id=self._place.chain_id,
            data_ledger=self._place.data_ledger,
            device=batch.device,
            from_seq=batch.from_seq,
            count=batch.count,
            root=batch.root,
        )
        return bls.sign(self._keys.bls, message, role=messages.Role.ROOT)

    def status(
        self, entry: ReportEntry, policy: Policy, *, owner: Account, owner_key: PaillierPublicKey
    ) -> SealedStatus:
        """Sign a report and seal it to the owner. Random: seal once."""
        place = self._place
        signed = report.sign(
            _unsigned(entry, policy, place.device),
            chain_id=place.chain_id,
            data_ledger=place.data_ledger,
            owner=owner,
            private_key=self._keys.account,
        )
        plain = report.encode(signed)
        self.prepare_status(owner=owner, owner_key=owner_key)
        made, self._next_status = self._next_status, None
        assert made is not None  # prepared just now, if not before
        commitment = report.sealed_commitment(plain) if policy.is_sealed else None
        return SealedStatus(sealed=made.seal(plain), commitment=commitment)

    def prepare_status(self, *, owner: Account, owner_key: PaillierPublicKey) -> None:
        """Do now what sealing the next report to the owner costs most, unless it is done."""
        place, made = self._place, self._next_status
        context = contexts.status(
            chain_id=place.chain_id,
            notification_board=place.notification_board,
            device=place.device,
            owner=owner,
        )
        if made is None or (made.public_key, made.context) != (owner_key, context):
            self._next_status = kem.encapsulate(owner_key, context=context)

    def _sign(self, digest: bytes) -> bytes:
        return signing.sign(digest, self._keys.account)

    def _keys_of(self, day: int) -> tuple[bytes, bytes]:
        """Return sealing key and nonce key of a day; only the last day's are kept in memory."""
        last_day, keys = self._last_keys
        if last_day != day:
            place, secret = self._place, self._keys.secret
            chain_id, ledger, device = place.chain_id, place.data_ledger, place.device
            seal_key, nonce_key = (
                derive(secret, chain_id=chain_id, data_ledger=ledger, device=device, day=day)
                for derive in (kdf.seal_day_key, kdf.nonce_day_key)
            )
            keys = seal_key, nonce_key
            self._last_keys = (day, keys)  # one assignment: two threads may come here
        return keys


def _unsigned(entry: ReportEntry, policy: Policy, device: Account) -> report.StatusReport:
    return report.StatusReport(
        device=device,
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
