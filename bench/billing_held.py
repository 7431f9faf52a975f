"""A meter's year or month as records, and how a node comes to hold it."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.billing.registers import RegisterReading
from offchain.crypto import bls, kdf, messages
from offchain.node.store import NodeStore, StoredDayKeys, StoredReading
from offchain.records import batch as batches
from offchain.records import reading as records
from offchain.types import Account, Batch, Reading, day_of

_SIGNATURE = bls.sign(bls.BlsSecretKey(7), b"bench", role=messages.Role.ROOT)  # checked at intake


def recorded(
    registers: Sequence[RegisterReading], *, device: Account, chain_id: int
) -> list[Reading]:
    """Return what a device records of these registers, with powers and temperatures beside."""
    return [
        Reading(
            chain_id=chain_id,
            device=device,
            seq=seq,
            time_s=one.time_s,
            import_wh=one.import_wh,
            export_wh=one.export_wh,
            power_w=7_919 * one.import_wh % 5_000 - 1_000,
            temperature_dc=200 + one.import_wh % 50,
            nonce=kdf.reading_nonce(_nonce_key(day_of(one.time_s)), seq),
        )
        for seq, one in enumerate(registers, start=1)
    ]


def hold(held: NodeStore, readings: Sequence[Reading]) -> list[Batch]:
    """Put a device's day keys, records and batches of whole days into a node's store, as the intake
    does; return the batches, which are yet to be anchored.
    """
    device = readings[0].device
    for day in sorted({day_of(one.time_s) for one in readings}):
        keys = StoredDayKeys(sealed_digest=bytes(32), seal_key=bytes(32), nonce_key=_nonce_key(day))
        held.put_day_keys(device, day, keys)
    rows = [StoredReading(record=records.encode(one), box_digest=bytes(32)) for one in readings]
    held.put_readings(device, rows)
    made = [batches.make(run) for run in batches.cut(readings)]
    for one in made:
        held.put_batch(one, _SIGNATURE)
    return made


def _nonce_key(day: int) -> bytes:
    return day.to_bytes(32, "big")
