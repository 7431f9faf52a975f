"""What a node holds of its devices: day keys, decoded readings, signed batches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from offchain.crypto.curve import G1
from offchain.member.database import Database, StoreConflict
from offchain.records import reading as record_codec
from offchain.records.envelope import Envelope
from offchain.types import SECONDS_PER_DAY, Account, Batch, Reading, day_of

DEVICE_SCHEMA = """
CREATE TABLE IF NOT EXISTS day_keys (
    device        TEXT NOT NULL,
    day           INTEGER NOT NULL,
    sealed_digest BLOB NOT NULL,
    seal_key      BLOB NOT NULL,
    nonce_key     BLOB NOT NULL,
    PRIMARY KEY (device, day)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS readings (
    device     TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    time_s     INTEGER NOT NULL,
    record     BLOB NOT NULL,
    box_digest BLOB NOT NULL,
    PRIMARY KEY (device, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS readings_by_time ON readings (device, time_s);
CREATE TABLE IF NOT EXISTS batches (
    device    TEXT NOT NULL,
    from_seq  INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    root      BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (device, from_seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batches_by_day ON batches (device, day);
CREATE TABLE IF NOT EXISTS envelopes (
    device    TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    box       BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (device, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS starts (
    device TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoredDayKeys:
    """A device's keys of one UTC day; `sealed_digest` is SHA-256 of the message they came in."""

    sealed_digest: bytes
    seal_key: bytes
    nonce_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoredReading:
    """A checked record of 95 bytes and SHA-256 of the box that it came in.

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


class DeviceTables(Database):
    """Day keys, readings and batches by device account (EIP-55 text)."""

    def put_day_keys(self, device: Account, day: int, keys: StoredDayKeys) -> None:
        """Store a day's keys once. Raises StoreConflict when there are others."""
        row = (device, day, keys.sealed_digest, keys.seal_key, keys.nonce_key)
        with self._write() as connection:
            connection.execute("INSERT OR IGNORE INTO day_keys VALUES (?, ?, ?, ?, ?)", row)
        held = self.day_keys(device, day)
        if held is None or held.sealed_digest != keys.sealed_digest:
            raise StoreConflict(f"other keys of {device} are held for the UTC day {day}")

    def day_keys(self, device: Account, day: int) -> StoredDayKeys | None:
        """Return a day's keys."""
        query = "SELECT sealed_digest, seal_key, nonce_key FROM day_keys WHERE device=? AND day=?"
        row = self._one(query, device, day)
        if row is None:
            return None
        return StoredDayKeys(sealed_digest=row[0], seal_key=row[1], nonce_key=row[2])

    def nonce_keys(self, device: Account, days: Iterable[int]) -> dict[int, bytes]:
        """Return the nonce keys of those of the days whose keys are held."""
        found = {day: self.day_keys(device, day) for day in days}
        return {day: keys.nonce_key for day, keys in found.items() if keys is not None}

    def days(self, device: Account) -> list[int]:
        """Return the days whose keys are held, ascending."""
        rows = self._all("SELECT day FROM day_keys WHERE device=? ORDER BY day", device)
        return [row[0] for row in rows]

    def devices(self) -> list[Account]:
        """Return every device that sent a reading, ascending."""
        rows = self._all("SELECT DISTINCT device FROM readings ORDER BY lower(device)")
        return [row[0] for row in rows]

    def next_seq(self, device: Account) -> int:
        """Return the seq that comes next (1 for an unknown device)."""
        last = self._value("SELECT max(seq) FROM readings WHERE device=?", device) or 0
        return max(last + 1, self._start(device))

    def put_start(self, device: Account, seq: int) -> None:
        """Note that nothing below a seq will come that is not here; starts only rise."""
        with self._write() as connection:
            query = "INSERT INTO starts VALUES (?, ?) ON CONFLICT (device) DO UPDATE SET seq=?"
            connection.execute(query, (device, seq, max(seq, self._start(device))))

    def _start(self, device: Account) -> int:
        return self._value("SELECT seq FROM starts WHERE device=?", device) or 1

    def put_readings(self, device: Account, rows: Sequence[StoredReading]) -> None:
        """Store consecutive readings durably, all or none; the first must be the next seq.

        Raises StoreConflict otherwise.
        """
        with self._write() as connection:
            seq = self.next_seq(device)
            for row in rows:
                reading = record_codec.decode(row.record)
                if reading.seq != seq or reading.device != device:
                    raise StoreConflict(f"reading {seq} of {device} comes next")
                values = (device, seq, reading.time_s, row.record, row.box_digest)
                connection.execute("INSERT INTO readings VALUES (?, ?, ?, ?, ?)", values)
                if row.envelope is not None:
                    sealed = (device, seq, row.envelope.box, row.envelope.signature)
                    connection.execute("INSERT INTO envelopes VALUES (?, ?, ?, ?)", sealed)
                seq += 1

    def envelopes(self, device: Account, *, from_seq: int, count: int) -> list[Envelope]:
        """Return the first `count` envelopes from a seq on, of those that are kept.

        Kept are those of readings in no batch, and that of the last reading in one.
        """
        query = (
            "SELECT seq, time_s, box, signature FROM envelopes JOIN readings USING (device, seq)"
            " WHERE device=? AND seq>=? ORDER BY seq LIMIT ?"
        )
        return [
            Envelope(seq=seq, day=day_of(time_s), box=box, signature=signature)
            for seq, time_s, box, signature in self._all(query, device, from_seq, count)
        ]

    def last_reading(self, device: Account) -> Reading | None:
        """Return the last reading held."""
        found = self._readings("device=? ORDER BY seq DESC LIMIT 1", device)
        return found[0] if found else None

    def box_digest(self, device: Account, seq: int) -> bytes | None:
        """Return SHA-256 of the box in which a held reading came."""
        query = "SELECT box_digest FROM readings WHERE device=? AND seq=?"
        return self._value(query, device, seq)

    def readings(self, device: Account, *, from_s: int, to_s: int) -> list[Reading]:
        """Return the readings with from_s <= time < to_s in the order of their seqs."""
        where = "device=? AND time_s>=? AND time_s<? ORDER BY seq"
        return self._readings(where, device, from_s, to_s)

    def readings_by_seq(self, device: Account, *, from_seq: int, count: int) -> list[Reading]:
        """Return those of `count` readings from `from_seq` on that are held."""
        where = "device=? AND seq>=? AND seq<? ORDER BY seq"
        return self._readings(where, device, from_seq, from_seq + count)

    def last_reading_before(self, device: Account, time_s: int) -> Reading | None:
        """Return the last reading earlier than a time."""
        where = "device=? AND time_s<? ORDER BY time_s DESC LIMIT 1"
        found = self._readings(where, device, time_s)
        return found[0] if found else None

    def put_batch(self, batch: Batch, signature: G1) -> None:
        """Store a batch of held readings with its signature, once.

        Raises StoreConflict for readings that are not held or another batch in its place.
        """
        first = self.readings_by_seq(batch.device, from_seq=batch.from_seq, count=1)
        if not first or self.next_seq(batch.device) < batch.next_seq:
            raise StoreConflict(f"the readings of batch {batch.from_seq} are not all held")
        day = day_of(first[0].time_s)
        row = (batch.device, batch.from_seq, batch.count, day, batch.root, signature.to_bytes())
        with self._write() as connection:
            connection.execute("INSERT OR IGNORE INTO batches VALUES (?, ?, ?, ?, ?, ?)", row)
            done = (batch.device, batch.next_seq - 1)  # the last one tells where the meter stood
            connection.execute("DELETE FROM envelopes WHERE device=? AND seq<?", done)
        held = self.batch_of(batch.device, batch.from_seq)
        if held is None or held.batch != batch:
            raise StoreConflict(f"another batch of {batch.device} holds seq {batch.from_seq}")

    def next_batch_seq(self, device: Account) -> int:
        """Return the seq that the next batch begins with (1 for an unknown device)."""
        query = "SELECT max(from_seq+count) FROM batches WHERE device=?"
        return max(self._value(query, device) or 1, self._start(device))

    def batches(self, device: Account, *, from_s: int, to_s: int) -> list[StoredBatch]:
        """Return the batches of the whole UTC days in [from_s, to_s), in seq order."""
        first, last = -(-from_s // SECONDS_PER_DAY), to_s // SECONDS_PER_DAY
        return self._batches("device=? AND day>=? AND day<? ORDER BY from_seq", device, first, last)

    def batch_of(self, device: Account, seq: int) -> StoredBatch | None:
        """Return the batch that holds a seq."""
        where = "device=? AND from_seq<=? AND from_seq+count>?"
        found = self._batches(where, device, seq, seq)
        return found[0] if found else None

    def _readings(self, where: str, *values: object) -> list[Reading]:
        rows = self._all(f"SELECT record FROM readings WHERE {where}", *values)
        return [record_codec.decode(row[0]) for row in rows]

    def _batches(self, where: str, *values: object) -> list[StoredBatch]:
        columns = "device, from_seq, count, root, signature, day"
        return [
            StoredBatch(
                batch=Batch(device=device, from_seq=from_seq, count=count, root=root),
                signature=G1.from_bytes(signature),
                day=day,
            )
            for device, from_seq, count, root, signature, day in self._all(
                f"SELECT {columns} FROM batches WHERE {where}", *values
            )
        ]
