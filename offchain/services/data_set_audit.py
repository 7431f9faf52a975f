"""The buyer's audit of a data set: decrypt every row, rebuild every reading, compare with the
chain (protocol §5.6).

A row is right if the reading rebuilt from its decrypted energy has the commitment M' that stands
beside the ciphertext, and that reading's batch has the root that its device anchored. Registers
add up row by row, so after a wrong ciphertext the rows that follow it cannot be rebuilt: they are
named apart from the rows that are wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.chain.pairing import precompile_pairing
from offchain.crypto import bls, merkle, messages, packing, paillier
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.errors import CryptoError, RecordError
from offchain.records import batch as batches
from offchain.records import ciphertexts as ciphertext_file
from offchain.records import dataset
from offchain.records.ciphertexts import CiphertextFile, DeviceCiphertexts
from offchain.records.dataset import CompanionDevice
from offchain.records.reading import commitment_of
from offchain.services.findings import Finding, all_hold
from offchain.services.members import MemberDirectory
from offchain.services.opened_data_set import OpenedDataSet
from offchain.types import Batch, Reading


@dataclass(frozen=True)
class DeviceFindings:
    """What was found of one device.

    `bad_rows`: seqs of rows that are wrong; `unreachable_rows`: those that follow a wrong
    ciphertext; `false_batches`: first seqs of batches whose root is not the anchored one.
    """

    device: str
    rows: int
    bad_rows: tuple[int, ...]
    unreachable_rows: tuple[int, ...]
    false_batches: tuple[int, ...]
    detail: str

    @property
    def ok(self) -> bool:
        """Whether every row is right and anchored."""
        return not (self.bad_rows or self.unreachable_rows or self.false_batches)

    @property
    def batches_anchored(self) -> bool:
        """Whether every rebuilt batch has its anchored root."""
        return not self.false_batches


@dataclass(frozen=True)
class VerificationReport:
    """The audit of one data set; `readings` are the rows that are right, by device, then seq."""

    findings: tuple[Finding, ...]
    devices: tuple[DeviceFindings, ...]
    readings: tuple[Reading, ...]

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return all_hold(self.findings)

    @property
    def bad_devices(self) -> tuple[str, ...]:
        """The devices with rows that are not right."""
        return tuple(one.device for one in self.devices if not one.ok)


def verify_data_set(
    opened: OpenedDataSet, *, gateway: ChainGateway, directory: MemberDirectory
) -> VerificationReport:
    """Audit an opened data set.

    Never raises for wrong data: what does not hold is a finding, by device and row.
    """
    findings = [_files_intact(opened)]
    try:
        file = ciphertext_file.decode_ciphertexts(opened.ciphertext_bytes)
        _require_fitting(file, opened)
    except RecordError as error:
        findings.append(Finding("rows_match", False, f"the ciphertext file is malformed: {error}"))
        return VerificationReport(tuple(findings), (), ())
    pairs = list(zip(opened.companion.devices, file.devices, strict=True))
    anchors = _anchors(opened, gateway)
    audits = [
        _audit_device(companion, encrypted, opened.private_key, anchors, gateway.chain_id)
        for companion, encrypted in pairs
    ]
    devices = tuple(found for found, _ in audits)
    findings += [
        _rows_match(devices),
        _batches_anchored(devices),
        _window_kept(opened, [reading for _, readings in audits for reading in readings]),
        _readings_root(file, opened),
        _aggregate_signature(opened, gateway, directory),
    ]
    readings = tuple(reading for _, of_device in audits for reading in of_device)
    return VerificationReport(tuple(findings), devices, readings)


def _files_intact(opened: OpenedDataSet) -> Finding:
    digest = hashlib.sha256(opened.ciphertext_bytes).digest()
    expected = opened.manifest.ciphertexts
    is_intact = digest == expected.sha256 and len(opened.ciphertext_bytes) == expected.length
    return Finding("files_intact", is_intact, "SHA-256 of the ciphertext file against the manifest")


def _require_fitting(file: CiphertextFile, opened: OpenedDataSet) -> None:
    if file.modulus != opened.private_key.public_key.n_bytes():
        raise RecordError("the ciphertexts are under another key than the manifest's")
    in_file = [(one.device, one.rows) for one in file.devices]
    in_companion = [(one.packed.device, one.packed.count) for one in opened.companion.devices]
    if in_file != in_companion:
        raise RecordError("ciphertexts and companion list other devices or rows")


def _anchors(opened: OpenedDataSet, gateway: ChainGateway) -> dict[tuple[str, int], bytes]:
    listed = [batch for one in opened.companion.devices for batch in one.batches]
    calls = [("DataLedger", "anchorOf", (batch.device, batch.from_seq)) for batch in listed]
    anchors = gateway.call_many(calls)
    keys = [(batch.device, batch.from_seq) for batch in listed]
    return dict(zip(keys, map(bytes, anchors), strict=True))


def _audit_device(
    companion: CompanionDevice,
    encrypted: DeviceCiphertexts,
    private_key: PaillierPrivateKey,
    anchors: dict[tuple[str, int], bytes],
    chain_id: int,
) -> tuple[DeviceFindings, list[Reading]]:
    values, why = _decrypt_rows(encrypted, private_key)
    first, rows = companion.packed.first_seq, encrypted.rows
    try:
        rebuilt = _rebuild_prefix(companion, values, chain_id)
    except RecordError as error:
        rebuilt, why = [], why or str(error)
    right = _right_rows(rebuilt, encrypted)
    wrong = [index for index in range(len(rebuilt)) if index not in right]
    bad, unreachable = _sort_rows(wrong, len(rebuilt), encrypted, private_key)
    false = _false_batches(companion, rebuilt, anchors)
    found = DeviceFindings(
        device=encrypted.device,
        rows=rows,
        bad_rows=tuple(first + index for index in bad),
        unreachable_rows=tuple(first + index for index in unreachable),
        false_batches=false,
        detail=_detail(first, bad, unreachable, why),
    )
    good = [
        rebuilt[index]
        for index in sorted(right)
        if not _in_batches(rebuilt[index], companion, false)
    ]
    return found, good


def _decrypt_rows(
    encrypted: DeviceCiphertexts, private_key: PaillierPrivateKey
) -> tuple[list[int], str]:
    """Return the row values up to the first ciphertext that is refused, and why it was."""
    bits, values = private_key.public_key.bits, []
    slots = packing.slots_per_plaintext(bits)
    for number, data in enumerate(encrypted.ciphertexts):
        count = min(slots, encrypted.rows - len(values))
        try:
            ciphertext = paillier.ciphertext_from_bytes(private_key.public_key, data)
            plaintext = paillier.decrypt(private_key, ciphertext)
            values += packing.unpack([plaintext], count=count, key_bits=bits)
        except CryptoError as error:
            return values, f"ciphertext {number} was refused: {error}"
    return values, ""


def _rebuild_prefix(
    companion: CompanionDevice, values: Sequence[int], chain_id: int
) -> list[Reading]:
    """Rebuild as many readings as there are values; the rest of the rows count as zero steps and
    are cut off.
    """
    if not values:
        return []
    padded = [*values, *([0] * (companion.packed.count - len(values)))]
    return dataset.rebuild_device(companion, padded, chain_id=chain_id)[: len(values)]


def _right_rows(rebuilt: Sequence[Reading], encrypted: DeviceCiphertexts) -> set[int]:
    pairs = zip(rebuilt, encrypted.commitments, strict=False)
    return {index for index, (one, beside) in enumerate(pairs) if commitment_of(one) == beside}


def _sort_rows(
    wrong: Sequence[int],
    decrypted: int,
    encrypted: DeviceCiphertexts,
    private_key: PaillierPrivateKey,
) -> tuple[list[int], list[int]]:
    """Part the rows that are not right: those of the first wrong ciphertext and those beyond."""
    slots = packing.slots_per_plaintext(private_key.public_key.bits)
    missing = list(range(decrypted, encrypted.rows))
    not_right = [*wrong, *missing]
    if not not_right:
        return [], []
    end = (not_right[0] // slots + 1) * slots
    return [one for one in not_right if one < end], [one for one in not_right if one >= end]


def _false_batches(
    companion: CompanionDevice,
    rebuilt: Sequence[Reading],
    anchors: dict[tuple[str, int], bytes],
) -> tuple[int, ...]:
    first = companion.packed.first_seq
    return tuple(
        batch.from_seq
        for batch in companion.batches
        if not _is_anchored(
            batch, rebuilt[batch.from_seq - first : batch.next_seq - first], anchors
        )
    )


def _is_anchored(
    listed: Batch, rows: Sequence[Reading], anchors: dict[tuple[str, int], bytes]
) -> bool:
    if len(rows) != listed.count:
        return False
    try:
        made = batches.make(rows)
    except RecordError:
        return False
    return anchors[(listed.device, listed.from_seq)] == batches.anchor_hash(made)


def _in_batches(reading: Reading, companion: CompanionDevice, from_seqs: Sequence[int]) -> bool:
    return any(
        batch.from_seq in from_seqs and batch.from_seq <= reading.seq < batch.next_seq
        for batch in companion.batches
    )


def _detail(first: int, bad: Sequence[int], unreachable: Sequence[int], why: str) -> str:
    if not bad and not unreachable:
        return "every row matches"
    parts = [why] if why else []
    parts.append(f"rows seq {first + bad[0]}..{first + bad[-1]} are wrong ({len(bad)})")
    if unreachable:
        parts.append(f"{len(unreachable)} rows from seq {first + unreachable[0]} cannot be rebuilt")
    return "; ".join(parts)


def _rows_match(devices: Sequence[DeviceFindings]) -> Finding:
    bad = [f"{one.device}: {one.detail}" for one in devices if one.bad_rows or one.unreachable_rows]
    rows = sum(one.rows for one in devices)
    detail = " | ".join(bad) or f"{rows} rows of {len(devices)} devices rebuilt"
    return Finding("rows_match", not bad and rows > 0, detail)


def _batches_anchored(devices: Sequence[DeviceFindings]) -> Finding:
    false = [f"{one.device} from seq {seq}" for one in devices for seq in one.false_batches]
    detail = f"not as anchored: {', '.join(false)}" if false else "every batch root as on chain"
    return Finding("batches_anchored", not false, detail)


def _window_kept(opened: OpenedDataSet, readings: Sequence[Reading]) -> Finding:
    start, end = opened.published.window_from, opened.published.window_to
    outside = [one for one in readings if not start <= one.time_s < end]
    return Finding("window_kept", not outside, f"{len(outside)} readings outside the window")


def _readings_root(file: CiphertextFile, opened: OpenedDataSet) -> Finding:
    commitments = [beside for one in file.devices for beside in one.commitments]
    is_same = (
        len(commitments) == opened.published.row_count
        and merkle.root(commitments) == opened.published.readings_root
    )
    return Finding("readings_root", is_same, "Merkle root over all M' against the ledger")


def _aggregate_signature(
    opened: OpenedDataSet, gateway: ChainGateway, directory: MemberDirectory
) -> Finding:
    ledger = gateway.deployment.address("DataLedger")
    entries = []
    for one in opened.companion.devices:
        key = directory.member(one.packed.device).bls_key
        entries += [
            (
                messages.root_message(
                    chain_id=gateway.chain_id,
                    data_ledger=ledger,
                    device=batch.device,
                    from_seq=batch.from_seq,
                    count=batch.count,
                    root=batch.root,
                ),
                key,
            )
            for batch in one.batches
        ]
    holds = bls.verify_aggregate(
        entries,
        opened.companion.aggregate_signature,
        role=messages.Role.ROOT,
        pairing_check=precompile_pairing(gateway),
    )
    return Finding(
        "aggregate_signature", holds, f"{len(entries)} batch roots signed by their devices"
    )
