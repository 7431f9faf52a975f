"""Hold readings against the chain, with nothing but their records and the public anchors (§5.6).

Whoever does need be no member and keeps no index: a device's anchors are read from the chain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.crypto import merkle
from offchain.errors import FormatError
from offchain.member.errors import MemberError
from offchain.records import batch as batches
from offchain.records import reading as records
from offchain.records.answer import AnchoredReading
from offchain.types import Account, Batch, Reading


@dataclass(frozen=True, slots=True)
class DeviceCheck:
    """What was found of one device's readings.

    `anchored`: rows in batches whose root is the anchored one. `false_batches`: first seqs of
    batches whose rows make another root. `unproven`: rows of batches that are not wholly there or
    not anchored: they may be right, and nothing here shows it.
    """

    device: Account
    rows: int
    anchored: int
    false_batches: tuple[int, ...]
    unproven: int

    @property
    def ok(self) -> bool:
        """Whether every row is proven by the chain."""
        return self.anchored == self.rows > 0


def anchored_batches(gateway: ChainGateway, device: Account) -> list[Batch]:
    """Return a device's batches as the ledger announced them and as is final, oldest first."""
    events = gateway.events(
        "DataLedger",
        "BatchAnchored",
        from_block=gateway.deployment.block("DataLedger"),
        to_block=gateway.final(),
        device=device,
    )
    return [
        Batch(
            device=device,
            from_seq=event.args["fromSeq"],
            count=event.args["count"],
            root=bytes(event.args["root"]),
        )
        for event in events
    ]


def check_readings(readings: Sequence[Reading], gateway: ChainGateway) -> list[DeviceCheck]:
    """Compare readings with the anchored roots, device by device; never raises for wrong ones.

    A batch can be proven only if all of its readings are given.
    """
    by_device: defaultdict[Account, dict[int, Reading]] = defaultdict(dict)
    counts: defaultdict[Account, int] = defaultdict(int)
    for one in readings:
        by_device[one.device][one.seq] = one
        counts[one.device] += 1
    return [
        _check_device(device, rows, counts[device], anchored_batches(gateway, device))
        for device, rows in by_device.items()
    ]


def prove_reading(
    readings: Sequence[Reading], *, device: Account, seq: int, gateway: ChainGateway
) -> AnchoredReading:
    """Make the proof of one reading from all readings of its batch.

    Raises MemberError when its batch is not anchored, not wholly given, or anchored otherwise.
    """
    rows = {one.seq: one for one in readings if one.device == device}
    for anchored in anchored_batches(gateway, device):
        if anchored.from_seq <= seq < anchored.next_seq:
            of_batch = _rows_of(anchored, rows)
            if of_batch is None or not _makes(anchored, of_batch):
                raise MemberError(
                    f"the readings given are not those of the batch from seq {anchored.from_seq} "
                    f"of {device}; give all {anchored.count} of them, unchanged"
                )
            proof = batches.prove(of_batch, seq)
            return AnchoredReading(
                record=records.encode(rows[seq]), batch=anchored, proof=tuple(proof)
            )
    raise MemberError(f"reading {seq} of {device} is not anchored")


def verify_reading(opening: AnchoredReading, gateway: ChainGateway) -> bool:
    """Whether the ledger itself finds the record in its anchored batch (DataLedger.verifyReading),
    as of the newest final block.

    Raises FormatError when the record is none, or of another chain.
    """
    reading, anchored = records.decode(opening.record), opening.batch
    if reading.chain_id != gateway.chain_id:
        raise FormatError(f"the record is of chain {reading.chain_id}, not {gateway.chain_id}")
    return bool(
        gateway.call(
            "DataLedger",
            "verifyReading",
            reading.device,
            reading.seq,
            records.commitment(opening.record),
            anchored.from_seq,
            anchored.count,
            anchored.root,
            list(opening.proof),
            block=gateway.final(),
        )
    )


def _check_device(
    device: Account, rows: dict[int, Reading], given: int, anchored: Sequence[Batch]
) -> DeviceCheck:
    proven, false = 0, []
    for one in anchored:
        of_batch = _rows_of(one, rows)
        if of_batch is None:
            continue
        if _makes(one, of_batch):
            proven += one.count
        else:
            false.append(one)
    unproven = given - proven - sum(one.count for one in false)
    return DeviceCheck(device, given, proven, tuple(one.from_seq for one in false), unproven)


def _rows_of(anchored: Batch, rows: dict[int, Reading]) -> list[Reading] | None:
    found = [rows.get(seq) for seq in range(anchored.from_seq, anchored.next_seq)]
    return None if None in found else [one for one in found if one is not None]


def _makes(anchored: Batch, rows: Sequence[Reading]) -> bool:
    try:
        leaves = [records.commitment_of(one) for one in rows]
    except FormatError:
        return False
    return merkle.root(leaves) == anchored.root
