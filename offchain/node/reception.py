"""What a node checks before it believes a device (protocol §2.3; docs/formats.md §8).

Everything here either stores durably and returns, or raises IntakeRefused and stores nothing.
"""

import hashlib
import threading
from dataclasses import dataclass

from offchain.crypto import bls, box, kem, messages
from offchain.crypto.curve import PairingCheck
from offchain.crypto.kdf import reading_nonce
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.errors import DecryptionError, FormatError
from offchain.node.refusal import IntakeRefused, bad_signature
from offchain.node.region import Region
from offchain.node.store import (
    NodeStore,
    StoreConflict,
    StoredDayKeys,
    StoredReading,
)
from offchain.records import batch as batch_codec
from offchain.records import contexts, signing
from offchain.records import reading as record_codec
from offchain.records.envelope import (
    DAY_KEY_BYTES,
    MAX_ENVELOPES,
    BatchNotice,
    DayKeys,
    Envelope,
    Envelopes,
    SealedReport,
    SignedSeq,
)
from offchain.storage import ContentStore
from offchain.types import Account, Link, Reading, day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity:
    """Who the node is: its account and the key that devices and users seal to."""

    account: Account
    paillier: PaillierPrivateKey


class Reception:
    """The checks of one node's intake, on one chain and ledger."""

    def __init__(
        self,
        *,
        store: NodeStore,
        content: ContentStore,
        identity: NodeIdentity,
        region: Region,
        chain_id: int,
        data_ledger: Account,
        pairing_check: PairingCheck,
    ) -> None:
        self._store = store
        self._content = content
        self._identity = identity
        self._region = region
        self._chain_id = chain_id
        self._data_ledger = data_ledger
        self._pairing_check = pairing_check
        self._order = threading.Lock()  # readings of one device are checked one post at a time

    def take_day_keys(self, message: DayKeys) -> None:
        """Open and store the keys of a day; a repeat of the same bytes is accepted."""
        link = self._link(message.device)
        digest = signing.day_keys_digest(link, day=message.day, sealed=message.sealed)
        self._check_signature(digest, message.signature, link, "the day's keys")
        sealed_digest = hashlib.sha256(message.sealed).digest()
        held = self._store.day_keys(message.device, message.day)
        if held is None:
            self._store.put_day_keys(
                message.device, message.day, self._open_keys(link, message, sealed_digest)
            )
        elif held.sealed_digest != sealed_digest:
            raise IntakeRefused(409, "day_taken", f"other keys are held for day {message.day}")

    def take_readings(self, message: Envelopes) -> int:
        """Open, check and store envelopes, all or none; return the seq that comes next.

        Held seqs are accepted when the box is the same, and refused otherwise.
        """
        link = self._link(message.device)
        with self._order:
            rows: list[StoredReading] = []
            expected = self._store.next_seq(message.device)
            before = self._store.last_reading(message.device)
            days = {envelope.day for envelope in message.envelopes if envelope.seq >= expected}
            keys = {day: self._store.day_keys(message.device, day) for day in days}
            for envelope in message.envelopes:
                digest = hashlib.sha256(envelope.box).digest()
                if envelope.seq < expected:
                    self._check_repeat(message.device, envelope.seq, digest)
                    continue
                if envelope.seq > expected:
                    raise IntakeRefused(
                        409, "seq_gap", f"reading {expected} comes next", next_seq=expected
                    )
                record, before = self._open_reading(link, envelope, keys[envelope.day], before)
                rows.append(StoredReading(record=record, box_digest=digest, envelope=envelope))
                expected += 1
            self._store.put_readings(message.device, rows)
        return expected

    def take_batch(self, message: BatchNotice) -> None:
        """Check a batch against the readings held and the device's signature, and store it."""
        batch = message.batch
        bls_key = self._region.bls_key(batch.device)
        held = self._store.batch_of(batch.device, batch.from_seq)
        if held is not None and held.batch == batch and held.signature == message.signature:
            return
        if held is not None:
            raise IntakeRefused(409, "batch_taken", f"a batch holds seq {batch.from_seq} already")
        expected = self._store.next_batch_seq(batch.device)
        if batch.from_seq != expected:
            raise IntakeRefused(
                409, "batch_gap", f"a batch from {expected} comes next", next_batch_seq=expected
            )
        self._check_root(message)
        signed = messages.root_message(
            chain_id=self._chain_id,
            data_ledger=self._data_ledger,
            device=batch.device,
            from_seq=batch.from_seq,
            count=batch.count,
            root=batch.root,
        )
        if not bls.verify(
            bls_key,
            signed,
            message.signature,
            role=messages.Role.ROOT,
            pairing_check=self._pairing_check,
        ):
            raise bad_signature("the batch root")
        try:
            self._store.put_batch(batch, message.signature)
        except StoreConflict as error:
            raise IntakeRefused(409, "batch_taken", str(error)) from error

    def take_start(self, message: SignedSeq) -> None:
        """Note that a device has nothing below a seq any more; a repeat is accepted.

        Only what is anchored can be left out so, and only whole batches: a device without its
        older records (its retention has passed, or its outbox was lost) goes on at a new node.
        """
        link = self._link(message.device)
        digest = signing.start_digest(link, seq=message.seq)
        self._check_signature(digest, message.signature, link, "the start")
        with self._order:
            next_seq = self._store.next_seq(message.device)
            if message.seq <= min(next_seq, self._store.next_batch_seq(message.device)):
                return
            if not self._region.may_start_at(message.device, message.seq):
                raise IntakeRefused(
                    409, "start_refused", f"no batch on chain begins or ends at {message.seq}"
                )
            self._store.put_start(message.device, message.seq)

    def give_back(self, message: SignedSeq) -> list[Envelope]:
        """Return at most 1,000 of a device's own envelopes from a seq on, as far as they are kept.

        They are kept for readings in no batch, and for the last reading in one.
        """
        link = self._link(message.device)
        digest = signing.recovery_digest(link, from_seq=message.seq)
        self._check_signature(digest, message.signature, link, "the recovery")
        return self._store.envelopes(message.device, from_seq=message.seq, count=MAX_ENVELOPES)

    def take_report(self, message: SealedReport) -> bytes:
        """Keep a sealed status report in the content store; return its SHA-256 (and CID digest)."""
        link = self._link(message.device)
        digest = signing.report_digest(link, sealed=message.sealed)
        self._check_signature(digest, message.signature, link, "the report")
        return self._content.put(message.sealed).digest

    def _link(self, device: Account) -> Link:
        self._region.bls_key(device)  # refuses whoever is no active device here
        return Link(
            chain_id=self._chain_id,
            data_ledger=self._data_ledger,
            device=device,
            processor=self._identity.account,
        )

    def _check_signature(self, digest: bytes, signature: bytes, link: Link, what: str) -> None:
        if not signing.verify_signature(digest, signature, link.device):
            raise bad_signature(what)

    def _open_keys(self, link: Link, message: DayKeys, sealed_digest: bytes) -> StoredDayKeys:
        context = contexts.day(link, day=message.day)
        try:
            keys = kem.open_sealed(self._identity.paillier, message.sealed, context=context)
        except DecryptionError as error:
            raise IntakeRefused(422, "day_keys_refused", "the day's keys do not open") from error
        if len(keys) != DAY_KEY_BYTES:
            raise IntakeRefused(422, "day_keys_refused", f"a day's keys are {DAY_KEY_BYTES} bytes")
        half = DAY_KEY_BYTES // 2
        return StoredDayKeys(
            sealed_digest=sealed_digest, seal_key=keys[:half], nonce_key=keys[half:]
        )

    def _check_repeat(self, device: Account, seq: int, digest: bytes) -> None:
        if self._store.box_digest(device, seq) != digest:
            raise IntakeRefused(409, "seq_taken", f"another box is held for reading {seq}")

    def _open_reading(
        self, link: Link, envelope: Envelope, keys: StoredDayKeys | None, before: Reading | None
    ) -> tuple[bytes, Reading]:
        seq, day = envelope.seq, envelope.day
        digest = signing.envelope_digest(link, seq=seq, day=day, box=envelope.box)
        self._check_signature(digest, envelope.signature, link, f"reading {seq}")
        if keys is None:
            raise IntakeRefused(409, "day_unknown", f"send the keys of day {day} first", day=day)
        try:
            context = contexts.reading(link, seq=seq, day=day)
            record = box.open_sealed(keys.seal_key, envelope.box, context=context)
        except DecryptionError as error:
            raise IntakeRefused(422, "box_refused", f"the box of {seq} does not open") from error
        reading = self._read(record, seq)
        claimed = (reading.chain_id, reading.device, reading.seq, day_of(reading.time_s))
        if claimed != (link.chain_id, link.device, seq, day):
            raise IntakeRefused(
                422, "record_mismatch", f"the record in the box of {seq} is of another envelope"
            )
        if reading.nonce != reading_nonce(keys.nonce_key, seq):
            raise IntakeRefused(
                422,
                "nonce_mismatch",
                f"the nonce of reading {seq} does not come from its day's key",
            )
        _check_follows(before, reading)
        return record, reading

    def _read(self, record: bytes, seq: int) -> Reading:
        try:
            return record_codec.decode(record)
        except FormatError as error:
            raise IntakeRefused(
                422, "record_mismatch", f"the box of {seq} holds no record"
            ) from error

    def _check_root(self, message: BatchNotice) -> None:
        batch = message.batch
        held = self._store.readings_by_seq(batch.device, from_seq=batch.from_seq, count=batch.count)
        if len(held) != batch.count:
            next_seq = self._store.next_seq(batch.device)
            raise IntakeRefused(
                409, "readings_missing", "send the batch's readings first", next_seq=next_seq
            )
        try:
            made = batch_codec.make(held)
        except FormatError as error:
            raise IntakeRefused(422, "root_mismatch", str(error)) from error
        if made != batch:
            raise IntakeRefused(
                422, "root_mismatch", "the root is not the one over the readings held here"
            )


def _check_follows(before: Reading | None, reading: Reading) -> None:
    """A clock or register that goes back is refused: no bill could be made of it."""
    if before is None:
        return
    falls = reading.import_wh < before.import_wh or reading.export_wh < before.export_wh
    if reading.time_s <= before.time_s or falls:
        raise IntakeRefused(
            422, "not_rising", f"time or register of reading {reading.seq} goes back"
        )
