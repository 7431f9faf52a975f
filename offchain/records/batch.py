"""Batches: runs of consecutive readings of one device and UTC day (docs/formats.md §5, §7)."""

from collections.abc import Sequence

from eth_hash.auto import keccak

from offchain.crypto import merkle
from offchain.crypto.encoding import exact_bytes, word
from offchain.errors import FormatError
from offchain.records.reading import commitment_of
from offchain.types import Batch, Reading, day_of

MAX_COUNT = 65_536  # what DataLedger.anchor accepts


def cut(readings: Sequence[Reading], *, max_count: int = MAX_COUNT) -> list[list[Reading]]:
    """Cut consecutive readings of one device into runs that become batches.

    A run never crosses UTC midnight of the meter's time and has at most `max_count` readings.
    Raises FormatError when the readings are not consecutive.
    """
    runs: list[list[Reading]] = []
    for before, reading in zip([None, *readings], readings, strict=False):
        if before is not None:
            _check_follows(before, reading)
        same_day = before is not None and day_of(before.time_s) == day_of(reading.time_s)
        if same_day and len(runs[-1]) < max_count:
            runs[-1].append(reading)
        else:
            runs.append([reading])
    return runs


def make(readings: Sequence[Reading]) -> Batch:
    """Make the batch of 1..65,536 consecutive readings of one device and day.

    Raises FormatError when they are not that.
    """
    if not readings or len(cut(readings)) != 1:
        raise FormatError("a batch is 1 to 65,536 readings of one UTC day")
    root = merkle.root([commitment_of(reading) for reading in readings])
    first = readings[0]
    return Batch(device=first.device, from_seq=first.seq, count=len(readings), root=root)


def prove(readings: Sequence[Reading], seq: int) -> list[bytes]:
    """Build the inclusion proof (leaf to root) of the reading `seq` in the batch of `readings`."""
    index = seq - readings[0].seq
    return merkle.prove([commitment_of(reading) for reading in readings], index)


def anchor_hash(batch: Batch) -> bytes:
    """Return keccak256(abi(fromSeq, count, root)), what DataLedger.anchorOf gives for the batch."""
    root = exact_bytes(batch.root, 32, name="a batch root")
    return keccak(word(batch.from_seq) + word(batch.count) + root)


def _check_follows(before: Reading, reading: Reading) -> None:
    if reading.device != before.device or reading.chain_id != before.chain_id:
        raise FormatError("the readings of a batch come from one device on one chain")
    if reading.seq != before.seq + 1:
        raise FormatError(f"reading {reading.seq} does not follow reading {before.seq}")
    if reading.time_s <= before.time_s:
        raise FormatError(f"the time of reading {reading.seq} does not rise")
