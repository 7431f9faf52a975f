"""What a node holds of a device in whole UTC days, and whether all of it is anchored."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.records import batch as batches
from offchain.services.node.store import NodeStore, StoredBatch
from offchain.types import SECONDS_PER_DAY, Account, Batch, Reading, day_of


@dataclass(frozen=True, slots=True)
class HeldWindow:
    """Anchored readings of one device in a window, in whole batches.

    `opening` is the last reading before the window with the readings of its batch; None if the
    window begins with the device's first reading. `reaches_end`: nothing of the window can be
    missing at its end.
    """

    device: Account
    readings: tuple[Reading, ...]
    batches: tuple[StoredBatch, ...]
    nonce_keys: dict[int, bytes]
    opening: Reading | None
    opening_batch: Batch | None
    reaches_end: bool


def held_window(
    held: NodeStore, gateway: ChainGateway, device: Account, *, from_s: int, to_s: int
) -> HeldWindow | None:
    """Return the device's readings in [from_s, to_s) if they lie in whole, consecutive, anchored
    batches; else None.

    A window without a single reading is None too. Both ends must be UTC midnights.
    """
    if from_s % SECONDS_PER_DAY or to_s % SECONDS_PER_DAY or from_s >= to_s:
        return None
    readings = tuple(held.readings(device, from_s=from_s, to_s=to_s))
    stored = tuple(held.batches(device, from_s=from_s, to_s=to_s))
    if not readings or not _tile(readings, stored):
        return None
    opening = held.last_reading_before(device, from_s)
    opening_batch = held.batch_of(device, opening.seq) if opening is not None else None
    if not _follows(readings[0], opening, opening_batch):
        return None
    before = [opening_batch.batch] if opening_batch is not None else []
    if not are_anchored(gateway, [*before, *(one.batch for one in stored)]):
        return None
    nonce_keys = held.nonce_keys(device, sorted({day_of(reading.time_s) for reading in readings}))
    last = readings[-1]
    reaches_end = day_of(last.time_s) == day_of(to_s - 1) or held.next_seq(device) > last.seq + 1
    return HeldWindow(
        device=device,
        readings=readings,
        batches=stored,
        nonce_keys=nonce_keys,
        opening=opening,
        opening_batch=before[0] if before else None,
        reaches_end=reaches_end,
    )


def are_anchored(gateway: ChainGateway, wanted: list[Batch]) -> bool:
    """Whether every batch stands on chain with exactly this root (one round trip)."""
    calls = [("DataLedger", "anchorOf", (batch.device, batch.from_seq)) for batch in wanted]
    anchors = gateway.call_many(calls)
    pairs = zip(anchors, wanted, strict=True)
    return all(bytes(anchor) == batches.anchor_hash(batch) for anchor, batch in pairs)


def _tile(readings: tuple[Reading, ...], stored: tuple[StoredBatch, ...]) -> bool:
    in_batches = [seq for one in stored for seq in range(one.batch.from_seq, one.batch.next_seq)]
    return in_batches == [reading.seq for reading in readings]


def _follows(first: Reading, opening: Reading | None, opening_batch: StoredBatch | None) -> bool:
    if opening is None:
        return first.seq == 1
    return opening_batch is not None and first.seq == opening.seq + 1
