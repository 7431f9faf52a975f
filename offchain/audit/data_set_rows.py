"""The rows of one device in a data set: decrypted, rebuilt, compared with M' and anchors.

A row is right if the reading rebuilt from its decrypted energy has the commitment M' that stands
beside the ciphertext, and that reading's batch has the root that its device anchored. Registers
add up row by row, so after a wrong ciphertext the rows that follow it cannot be rebuilt: they are
named apart from the rows that are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.crypto import packing, paillier
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.errors import CryptoError, RecordError
from offchain.records import batch as batches
from offchain.records import dataset
from offchain.records.ciphertexts import DeviceCiphertexts
from offchain.records.dataset import VALUES_A_ROW, CompanionDevice, RowValues
from offchain.records.reading import commitment_of
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


def audit_rows(
    companion: CompanionDevice,
    encrypted: DeviceCiphertexts,
    private_key: PaillierPrivateKey,
    anchors: Mapping[tuple[str, int], bytes],
    chain_id: int,
) -> tuple[DeviceFindings, list[Reading]]:
    """Decrypt and rebuild one device's rows; return what was found and the readings that are right.

    `anchors` gives what the chain holds for (device, first seq) of each batch.
    """
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
) -> tuple[list[RowValues], str]:
    """Return the row values up to the first ciphertext that is refused, and why it was."""
    rows: list[RowValues] = []
    bits = private_key.public_key.bits
    for number, data in enumerate(encrypted.ciphertexts):
        count = min(_rows_a_ciphertext(private_key), encrypted.rows - len(rows))
        try:
            ciphertext = paillier.ciphertext_from_bytes(private_key.public_key, data)
            plaintext = paillier.decrypt(private_key, ciphertext)
            values = packing.unpack([plaintext], count=VALUES_A_ROW * count, key_bits=bits)
        except CryptoError as error:
            return rows, f"ciphertext {number} was refused: {error}"
        rows += zip(values[::VALUES_A_ROW], values[1::VALUES_A_ROW], strict=True)
    return rows, ""


def _rows_a_ciphertext(private_key: PaillierPrivateKey) -> int:
    return packing.slots_per_plaintext(private_key.public_key.bits) // VALUES_A_ROW


def _rebuild_prefix(
    companion: CompanionDevice, values: Sequence[RowValues], chain_id: int
) -> list[Reading]:
    """Rebuild as many readings as there are values; the rest of the rows count as zero steps and
    are cut off.
    """
    if not values:
        return []
    padded = [*values, *([(0, 0)] * (companion.packed.count - len(values)))]
    return dataset.rebuild_device(companion, padded, chain_id=chain_id)[: len(values)]


def _right_rows(rebuilt: Sequence[Reading], encrypted: DeviceCiphertexts) -> set[int]:
    pairs = zip(rebuilt, encrypted.commitments, strict=False)
    return {index for index, (one, beside) in enumerate(pairs) if _is_right(one, beside)}


def _is_right(rebuilt: Reading, beside: bytes) -> bool:
    try:
        return commitment_of(rebuilt) == beside
    except RecordError:  # wrong energies may add up to what no register can show
        return False


def _sort_rows(
    wrong: Sequence[int],
    decrypted: int,
    encrypted: DeviceCiphertexts,
    private_key: PaillierPrivateKey,
) -> tuple[list[int], list[int]]:
    """Part the rows that are not right: those of the first wrong ciphertext and those beyond."""
    rows = _rows_a_ciphertext(private_key)
    missing = list(range(decrypted, encrypted.rows))
    not_right = [*wrong, *missing]
    if not not_right:
        return [], []
    end = (not_right[0] // rows + 1) * rows
    return [one for one in not_right if one < end], [one for one in not_right if one >= end]


def _false_batches(
    companion: CompanionDevice,
    rebuilt: Sequence[Reading],
    anchors: Mapping[tuple[str, int], bytes],
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
    listed: Batch, rows: Sequence[Reading], anchors: Mapping[tuple[str, int], bytes]
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
