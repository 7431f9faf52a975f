"""What a node holds of its devices: day keys, decoded readings, signed batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, func, insert, select

from offchain.crypto.curve import G1
from offchain.crypto.kept import Kept
from offchain.database import Store
from offchain.errors import StoreConflict
from offchain.node.tables import batches, day_keys, envelopes, readings, starts
from offchain.records import reading as record_codec
from offchain.records.envelope import Envelope
from offchain.types import SECONDS_PER_DAY, Account, Batch, Reading, day_of

# What the intake asks at each post is put together once.
_device: ColumnElement[str] = bindparam("device")
_DAY_KEYS = select(day_keys.c.sealed_digest, day_keys.c.seal_key, day_keys.c.nonce_key).where(
    day_keys.c.device == _device, day_keys.c.day == bindparam("day")
)
_START = select(starts.c.seq).where(starts.c.device == _device)
_NEXT_SEQ = select(
    func.coalesce(
        select(func.max(readings.c.seq)).where(readings.c.device == _device).scalar_subquery(), 0
    )
    + 1,
    func.coalesce(_START.scalar_subquery(), 1),
)
_RECORD = select(readings.c.record)
_LAST_RECORD = _RECORD.where(readings.c.device == _device).order_by(readings.c.seq.desc()).limit(1)
_BATCH = select(
    *(batches.c[name] for name in ("device", "from_seq", "count", "root", "signature", "day"))
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoredDayKeys(Kept):
    """A device's keys of one UTC day; `sealed_digest` is SHA-256 of the message they came in."""

    sealed_digest: bytes
    seal_key: bytes
    nonce_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoredReading:
    """A checked record of 104 bytes and SHA-256 of the box that it came in.

    envelope: as it came; kept until the reading is in a batch, for a device that lost its outbox.
    """

    record: bytes
    box_digest: bytes
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBatch:
    """A batch, the device's BLS signature over it, and its UTC day."""

    batch: Batch
    signature: G1
    day: int


class DeviceTables(Store):
    """Day keys, readings and batches by device account (EIP-55 text)."""

    def put_day_keys(self, device: Account, day: int, keys: StoredDayKeys) -> None:
        """Store a day's keys once. Raises StoreConflict when there are others."""
        self._put_once(
            day_keys,
            device=device,
            day=day,
            sealed_digest=keys.sealed_digest,
            seal_key=keys.seal_key,
            nonce_key=keys.nonce_key,
        )
        held = self.day_keys(device, day)
        if held is None or held.sealed_digest != keys.sealed_digest:
            raise StoreConflict(f"other keys of {device} are held for the UTC day {day}")

    def day_keys(self, device: Account, day: int) -> StoredDayKeys | None:
        """Return a day's keys."""
        row = self._first(_DAY_KEYS, device=device, day=day)
        return None if row is None else StoredDayKeys(**row._mapping)

    def nonce_keys(self, device: Account, days: Iterable[int]) -> dict[int, bytes]:
        """Return the nonce keys of those of the days whose keys are held."""
        found = {day: self.day_keys(device, day) for day in days}
        return {day: keys.nonce_key for day, keys in found.items() if keys is not None}

    def days(self, device: Account) -> list[int]:
        """Return the days whose keys are held, ascending."""
        query = select(day_keys.c.day).where(day_keys.c.device == device).order_by(day_keys.c.day)
        return [row[0] for row in self._all(query)]

    def devices(self) -> list[Account]:
        """Return every device that sent a reading, ascending."""
        found = [row[0] for row in self._all(select(readings.c.device).distinct())]
        return sorted(found, key=str.lower)

    def next_seq(self, device: Account) -> int:
        """Return the seq that comes next (1 for an unknown device)."""
        return max(self._first(_NEXT_SEQ, device=device))

    def put_start(self, device: Account, seq: int) -> None:
        """Note that nothing below a seq will come that is not here; starts only rise."""
        with self._database.write() as connection:
            row = {"device": device, "seq": max(seq, _start(connection, device))}
            new = self._insert(starts).values(row)
            connection.execute(
                new.on_conflict_do_update(index_elements=["device"], set_={"seq": row["seq"]})
            )

    def put_readings(self, device: Account, rows: Sequence[StoredReading]) -> None:
        """Store consecutive readings durably, all or none; the first must be the next seq.

        Raises StoreConflict otherwise.
        """
        decoded = [record_codec.decode(row.record) for row in rows]
        with self._database.write() as connection:
            first = max(connection.execute(_NEXT_SEQ, {"device": device}).one())
            for seq, one in enumerate(decoded, start=first):
                if one.seq != seq or one.device != device:
                    raise StoreConflict(f"reading {seq} of {device} comes next")
            _insert_rows(connection, readings, map(_reading_row, rows, decoded))
            sealed = [row.envelope for row in rows if row.envelope is not None]
            _insert_rows(connection, envelopes, (_envelope_row(device, one) for one in sealed))

    def envelopes(self, device: Account, *, from_seq: int, count: int) -> list[Envelope]:
        """Return the first `count` envelopes from a seq on, of those that are kept.

        Kept are those of readings in no batch, and that of the last reading in one.
        """
        kept, of_reading = envelopes.c, readings.c
        both = (kept.device == of_reading.device) & (kept.seq == of_reading.seq)
        query = (
            select(kept.seq, of_reading.time_s, kept.box, kept.signature)
            .join_from(envelopes, readings, both)
            .where(kept.device == device, kept.seq >= from_seq)
            .order_by(kept.seq)
            .limit(count)
        )
        return [
            Envelope(seq=seq, day=day_of(time_s), box=box, signature=signature)
            for seq, time_s, box, signature in self._all(query)
        ]

    def last_reading(self, device: Account) -> Reading | None:
        """Return the last reading held."""
        record = self._value(_LAST_RECORD, device=device)
        return None if record is None else record_codec.decode(record)

    def box_digest(self, device: Account, seq: int) -> bytes | None:
        """Return SHA-256 of the box in which a held reading came."""
        where = (readings.c.device == device, readings.c.seq == seq)
        return self._value(select(readings.c.box_digest).where(*where))

    def readings(self, device: Account, *, from_s: int, to_s: int) -> list[Reading]:
        """Return the readings with from_s <= time < to_s in the order of their seqs."""
        time_s = readings.c.time_s
        return self._readings(
            _RECORD.where(readings.c.device == device, time_s >= from_s, time_s < to_s)
        )

    def readings_by_seq(self, device: Account, *, from_seq: int, count: int) -> list[Reading]:
        """Return those of `count` readings from `from_seq` on that are held."""
        seq = readings.c.seq
        return self._readings(
            _RECORD.where(readings.c.device == device, seq >= from_seq, seq < from_seq + count)
        )

    def last_reading_before(self, device: Account, time_s: int) -> Reading | None:
        """Return the last reading earlier than a time."""
        query = _RECORD.where(readings.c.device == device, readings.c.time_s < time_s)
        record = self._value(query.order_by(readings.c.time_s.desc()).limit(1))
        return None if record is None else record_codec.decode(record)

    def put_batch(self, batch: Batch, signature: G1) -> None:
        """Store a batch of held readings with its signature, once.

        Raises StoreConflict for readings that are not held or another batch in its place.
        """
        first = self.readings_by_seq(batch.device, from_seq=batch.from_seq, count=1)
        if not first or self.next_seq(batch.device) < batch.next_seq:
            raise StoreConflict(f"the readings of batch {batch.from_seq} are not all held")
        row = {
            "device": batch.device,
            "from_seq": batch.from_seq,
            "count": batch.count,
            "day": day_of(first[0].time_s),
            "root": batch.root,
            "signature": signature.to_bytes(),
        }
        last = batch.next_seq - 1  # its envelope tells where the meter stood
        with self._database.write() as connection:
            connection.execute(self._insert(batches).values(row).on_conflict_do_nothing())
            done = (envelopes.c.device == batch.device, envelopes.c.seq < last)
            connection.execute(envelopes.delete().where(*done))
        held = self.batch_of(batch.device, batch.from_seq)
        if held is None or held.batch != batch:
            raise StoreConflict(f"another batch of {batch.device} holds seq {batch.from_seq}")

    def next_batch_seq(self, device: Account) -> int:
        """Return the seq that the next batch begins with (1 for an unknown device)."""
        ends = select(func.max(batches.c.from_seq + batches.c.count))
        with self._database.read() as connection:
            end = connection.execute(ends.where(batches.c.device == device)).scalar()
            return max(end or 1, _start(connection, device))

    def batches(self, device: Account, *, from_s: int, to_s: int) -> list[StoredBatch]:
        """Return the batches of the whole UTC days in [from_s, to_s), in seq order."""
        first, last = -(-from_s // SECONDS_PER_DAY), to_s // SECONDS_PER_DAY
        day = batches.c.day
        where = (batches.c.device == device, day >= first, day < last)
        return self._batches(_BATCH.where(*where).order_by(batches.c.from_seq))

    def batch_days_beside(self, device: Account, days: range) -> tuple[int | None, int | None]:
        """Return the last UTC day with a batch before some days, and the first one behind them."""
        day, is_its = batches.c.day, batches.c.device == device
        before = self._value(select(func.max(day)).where(is_its, day < days.start))
        behind = self._value(select(func.min(day)).where(is_its, day >= days.stop))
        return before, behind

    def batch_of(self, device: Account, seq: int) -> StoredBatch | None:
        """Return the batch that holds a seq."""
        first, end = batches.c.from_seq, batches.c.from_seq + batches.c.count
        found = self._batches(_BATCH.where(batches.c.device == device, first <= seq, end > seq))
        return found[0] if found else None

    def _readings(self, query: Select[Any]) -> list[Reading]:
        rows = self._all(query.order_by(readings.c.seq))
        return [record_codec.decode(row[0]) for row in rows]

    def _batches(self, query: Select[Any]) -> list[StoredBatch]:
        return [
            StoredBatch(
                batch=Batch(device=device, from_seq=from_seq, count=count, root=root),
                signature=G1.from_bytes(signature),
                day=day,
            )
            for device, from_seq, count, root, signature, day in self._all(query)
        ]


def _start(connection: Connection, device: Account) -> int:
    return connection.execute(_START, {"device": device}).scalar() or 1


def _insert_rows(connection: Connection, table: Table, rows: Iterable[dict[str, object]]) -> None:
    """Insert many rows in one go; an empty list, which would insert defaults, is none."""
    if listed := list(rows):
        connection.execute(insert(table), listed)


def _reading_row(row: StoredReading, reading: Reading) -> dict[str, object]:
    return {
        "device": reading.device,
        "seq": reading.seq,
        "time_s": reading.time_s,
        "record": row.record,
        "box_digest": row.box_digest,
    }


def _envelope_row(device: Account, envelope: Envelope) -> dict[str, object]:
    return {
        "device": device,
        "seq": envelope.seq,
        "box": envelope.box,
        "signature": envelope.signature,
    }
