"""The buyer's audit of a data set: decrypt every row, rebuild every reading, compare with the
chain (protocol §5.6).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.audit.data_set_owners import consent_stood, owners_root
from offchain.audit.data_set_rows import DeviceFindings, audit_rows
from offchain.audit.findings import Finding, all_hold
from offchain.audit.opened_data_set import OpenedDataSet
from offchain.chain.gateway import ChainGateway
from offchain.chain.pairing import configured_pairing
from offchain.crypto import bls, merkle, messages
from offchain.errors import RecordError
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.errors import UnknownMember
from offchain.records import ciphertexts as ciphertext_file
from offchain.records.ciphertexts import CiphertextFile
from offchain.types import Reading


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
    opened: OpenedDataSet,
    *,
    gateway: ChainGateway,
    index: ChainIndex,
    directory: MemberDirectory,
    lock_id: bytes | None = None,
) -> VerificationReport:
    """Audit an opened data set: as it was sold by a lock, or, without one, as it was published.

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
        audit_rows(companion, encrypted, opened.private_key, anchors, gateway.chain_id)
        for companion, encrypted in pairs
    ]
    devices = tuple(found for found, _ in audits)
    findings += [
        _rows_match(devices),
        _batches_anchored(devices),
        _window_kept(opened, [reading for _, readings in audits for reading in readings]),
        _readings_root(file, opened),
        _aggregate_signature(opened, gateway, directory),
        _region_kept(opened, directory),
        owners_root(opened, file),
        consent_stood(opened, gateway=gateway, index=index, lock_id=lock_id),
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
    anchors = gateway.call_many(calls, gateway.final())
    keys = [(batch.device, batch.from_seq) for batch in listed]
    return dict(zip(keys, map(bytes, anchors), strict=True))


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


def _region_kept(opened: OpenedDataSet, directory: MemberDirectory) -> Finding:
    """Compare the devices' region with the seller's: whoever has bought readings of another one
    could else sell them again, where their owners do not look.
    """
    try:
        region = directory.member(opened.published.processor).region_id
        devices = [one.packed.device for one in opened.companion.devices]
        strange = [one for one in devices if directory.member(one).region_id != region]
    except UnknownMember as unknown:
        return Finding("region_kept", False, str(unknown))
    others = f"of another region than the seller: {', '.join(strange)}"
    return Finding("region_kept", not strange, others if strange else "every device is of its own")


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
        try:
            key = directory.member(one.packed.device).bls_key
        except UnknownMember as unknown:  # whoever sold this put it there
            return Finding("aggregate_signature", False, str(unknown))
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
        pairing_check=configured_pairing(gateway),
    )
    return Finding(
        "aggregate_signature", holds, f"{len(entries)} batch roots signed by their devices"
    )
