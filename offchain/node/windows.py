"""What a node holds of a device in whole UTC days, and whether all of it is anchored."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import BlockId, ChainGateway
from offchain.member.errors import MemberError
from offchain.node.store import NodeStore, StoredBatch
from offchain.records import batch as batches
from offchain.types import SECONDS_PER_DAY, Account, Batch, Reading, day_of

_Chain = tuple[ChainGateway, BlockId]  # as of a block


class WindowPending(MemberError):
    """Something of the window is on its way: held and not anchored, or anchored and not held."""


@dataclass(frozen=True, slots=True, repr=False)
class HeldWindow:
    """Anchored readings of one device in a window, in whole batches.

    `opening` is the last reading before the window with its batch; None if the window begins with
    the device's first reading. `closing` is the first reading after the window with its batch;
    None if nothing is anchored behind the window's last reading. A window without readings lies
    between the two.
    """

    device: Account
    readings: tuple[Reading, ...]
    batches: tuple[StoredBatch, ...]
    nonce_keys: dict[int, bytes]
    opening: Reading | None
    opening_batch: Batch | None
    closing: Reading | None
    closing_batch: Batch | None

    @property
    def next_seq(self) -> int:
        """The seq behind the window's last reading."""
        before = self.readings[-1] if self.readings else self.opening
        return 1 if before is None else before.seq + 1

    @property
    def all_readings(self) -> list[Reading]:
        """The readings, with those before and after."""
        before = [] if self.opening is None else [self.opening]
        after = [] if self.closing is None else [self.closing]
        return [*before, *self.readings, *after]


def held_window(
    held: NodeStore,
    gateway: ChainGateway,
    device: Account,
    *,
    from_s: int,
    to_s: int,
    block: BlockId | None = None,
) -> HeldWindow | None:
    """Return all that is anchored of the device in [from_s, to_s), in whole batches.

    `block`: as of when; None: as of the newest final block. None is returned if the device has no
    reading there, or the ends are no UTC midnights. Raises WindowPending when the chain and what is
    held do not (yet) tell the same.
    """
    if from_s % SECONDS_PER_DAY or to_s % SECONDS_PER_DAY or from_s >= to_s:
        return None
    chain = gateway, gateway.final() if block is None else block
    readings = tuple(held.readings(device, from_s=from_s, to_s=to_s))
    stored = tuple(held.batches(device, from_s=from_s, to_s=to_s))
    if not readings:
        _require_nothing_newer(chain, device, held.next_batch_seq(device))
        return None
    if not _tile(readings, stored):
        raise WindowPending(f"some readings of {device} in the window are in no batch yet")
    opening = held.last_reading_before(device, from_s)
    opening_batch = _batch_of(held, device, opening)
    if not _follows(readings[0], opening, opening_batch):
        raise WindowPending(f"the reading of {device} before the window is in no batch yet")
    next_seq = readings[-1].seq + 1
    around = [] if opening_batch is None else [opening_batch]
    behind = _are_anchored(chain, [*around, *(one.batch for one in stored)], next_seq=next_seq)
    closing, closing_batch = _closing(held, device, next_seq, behind)
    return HeldWindow(
        device=device,
        readings=readings,
        batches=stored,
        nonce_keys=held.nonce_keys(device, sorted({day_of(one.time_s) for one in readings})),
        opening=opening,
        opening_batch=opening_batch,
        closing=closing,
        closing_batch=closing_batch,
    )


def held_between(
    held: NodeStore,
    gateway: ChainGateway,
    device: Account,
    *,
    from_s: int,
    to_s: int,
    block: BlockId,
) -> HeldWindow | None:
    """Return a window, whole UTC days without a reading, that lies between two anchored readings of
    the device as of a block; None where it lies before the first or behind the last one.

    Raises WindowPending as `held_window`, which says that there is no reading.
    """
    chain, opening = (gateway, block), held.last_reading_before(device, from_s)
    if opening is None:
        return None
    opening_batch = _batch_of(held, device, opening)
    if opening_batch is None:
        raise WindowPending(f"the reading of {device} before the window is in no batch yet")
    next_seq = opening.seq + 1
    behind = _are_anchored(chain, [opening_batch], next_seq=next_seq)
    closing, closing_batch = _closing(held, device, next_seq, behind)
    if closing is None:
        return None
    return HeldWindow(
        device=device,
        readings=(),
        batches=(),
        nonce_keys={},
        opening=opening,
        opening_batch=opening_batch,
        closing=closing,
        closing_batch=closing_batch,
    )


def _are_anchored(chain: _Chain, wanted: list[Batch], *, next_seq: int) -> bytes:
    """Return what is anchored from `next_seq` on, once every batch stands on chain with exactly
    this root (one round trip). Raises WindowPending.
    """
    (gateway, block), device = chain, wanted[-1].device
    seqs = [*((batch.device, batch.from_seq) for batch in wanted), (device, next_seq)]
    *anchors, behind = gateway.call_many([("DataLedger", "anchorOf", one) for one in seqs], block)
    pairs = zip(anchors, wanted, strict=True)
    if not all(bytes(anchor) == batches.anchor_hash(batch) for anchor, batch in pairs):
        raise WindowPending(f"some batches of {device} in the window are not anchored yet")
    return bytes(behind)


def _closing(
    held: NodeStore, device: Account, seq: int, anchor: bytes
) -> tuple[Reading | None, Batch | None]:
    """Return the reading `seq` behind a window with its batch, if that is what is anchored there.
    Raises WindowPending.
    """
    if anchor == bytes(32):
        return None, None
    found = held.readings_by_seq(device, from_seq=seq, count=1)
    batch = _batch_of(held, device, found[0] if found else None)
    if batch is None:
        raise WindowPending(f"{device} anchored a batch from seq {seq} that has not come here yet")
    if batches.anchor_hash(batch) != anchor:
        raise WindowPending(f"some batches of {device} in the window are not anchored yet")
    return found[0], batch


def _require_nothing_newer(chain: _Chain, device: Account, next_seq: int) -> None:
    gateway, block = chain
    if int(gateway.call("DataLedger", "nextSeqOf", device, block=block)) > next_seq:
        raise WindowPending(
            f"{device} anchored readings from seq {next_seq} on that have not come here yet"
        )


def _batch_of(held: NodeStore, device: Account, reading: Reading | None) -> Batch | None:
    found = None if reading is None else held.batch_of(device, reading.seq)
    return None if found is None else found.batch


def _tile(readings: tuple[Reading, ...], stored: tuple[StoredBatch, ...]) -> bool:
    in_batches = [seq for one in stored for seq in range(one.batch.from_seq, one.batch.next_seq)]
    return in_batches == [reading.seq for reading in readings]


def _follows(first: Reading, opening: Reading | None, opening_batch: Batch | None) -> bool:
    if opening is None:
        return first.seq == 1
    return opening_batch is not None and first.seq == opening.seq + 1
