"""The durable outbox: everything is stored before it leaves, and sent again as the same bytes.

SQLite in WAL mode with synchronous=FULL. A sample is stored as the meter gives it; it becomes a
reading, with a seq, once chain and node have said that this outbox is the newest. What they
confirm is marked after they did, so that a crash at any moment repeats at most a message that both
know already.
"""

from dataclasses import dataclass

from device_agent.errors import SafeMode
from device_agent.processor_table import (
    BATCHES_BEFORE,
    PROCESSOR_SCHEMA,
    READINGS_BEFORE,
    ProcessorTable,
)
from device_agent.report_table import REPORT_SCHEMA, ReportTable
from offchain.crypto.curve import G1
from offchain.records import reading as record_codec
from offchain.records.envelope import BatchNotice
from offchain.types import (
    SECONDS_PER_DAY,
    Account,
    Batch,
    MeterSample,
    Reading,
    ReadingFlag,
    day_of,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS identity (
    chain_id INTEGER NOT NULL, device TEXT NOT NULL, data_ledger TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS origin (
    first_seq INTEGER NOT NULL, time_s INTEGER NOT NULL, import_wh INTEGER NOT NULL,
    export_wh INTEGER NOT NULL
);
INSERT INTO origin SELECT 1, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM origin);
CREATE TABLE IF NOT EXISTS samples (
    id INTEGER PRIMARY KEY, time_s INTEGER NOT NULL, import_wh INTEGER NOT NULL,
    export_wh INTEGER NOT NULL, power_w INTEGER NOT NULL, temperature_dc INTEGER,
    flags INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS skipped (reason TEXT PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS readings (
    seq INTEGER PRIMARY KEY, time_s INTEGER NOT NULL, record BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (
    from_seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, root BLOB NOT NULL,
    signature BLOB NOT NULL, anchored INTEGER NOT NULL DEFAULT 0
);
"""

_SHOWN = "time_s, import_wh, export_wh, power_w, temperature_dc, flags"


@dataclass(frozen=True, slots=True, order=True, repr=False)
class Shown:
    """Time and registers of a sample; the next one may not fall behind any of them."""

    time_s: int = 0
    import_wh: int = 0
    export_wh: int = 0

    @classmethod
    def by(cls, reading: Reading) -> "Shown":
        """Return what a reading shows."""
        return cls(reading.time_s, reading.import_wh, reading.export_wh)


NOTHING_SHOWN = Shown()


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Origin:
    """Where an outbox begins: its first seq, and what the meter has shown before it, as far as
    known: zeros for a new device.
    """

    first_seq: int = 1
    shown: Shown = NOTHING_SHOWN


class Outbox(ReportTable, ProcessorTable):
    """One device's outbox; one process at a time may hold it. Also a context manager."""

    _schema = _SCHEMA + PROCESSOR_SCHEMA + REPORT_SCHEMA

    def claim(self, *, chain_id: int, device: Account, data_ledger: Account) -> None:
        """Bind a new outbox to its device and chain. Raises SafeMode when it is another's."""
        wanted = (chain_id, device, data_ledger)
        with self._write() as database:
            held = self._one("SELECT * FROM identity")
            if held is None:
                database.execute("INSERT INTO identity VALUES (?, ?, ?)", wanted)
            elif held != wanted:
                raise SafeMode(f"this outbox belongs to {held[1]} on chain {held[0]}")

    @property
    def origin(self) -> Origin:
        """Where this outbox begins."""
        query = "SELECT first_seq, time_s, import_wh, export_wh FROM origin"
        first_seq, *shown = self._one(query)
        return Origin(first_seq=first_seq, shown=Shown(*shown))

    def set_origin(self, origin: Origin) -> None:
        """Let the outbox begin elsewhere than at seq 1."""
        query = "UPDATE origin SET first_seq=?, time_s=?, import_wh=?, export_wh=?"
        with self._write() as database:
            shown = origin.shown
            row = (origin.first_seq, shown.time_s, shown.import_wh, shown.export_wh)
            database.execute(query, row)

    # ---- samples

    def add_sample(self, sample: MeterSample) -> None:
        """Store what the meter shows; it waits for its seq."""
        row = (
            sample.time_s,
            sample.import_wh,
            sample.export_wh,
            sample.power_w,
            sample.temperature_dc,
            int(sample.flags),
        )
        with self._write() as database:
            database.execute(f"INSERT INTO samples ({_SHOWN}) VALUES (?, ?, ?, ?, ?, ?)", row)

    def samples(self) -> list[MeterSample]:
        """Return the samples that wait for their seqs, in the order they were taken."""
        return [
            MeterSample(
                time_s=time_s,
                import_wh=import_wh,
                export_wh=export_wh,
                power_w=power_w,
                temperature_dc=temperature_dc,
                flags=ReadingFlag(flags),
            )
            for time_s, import_wh, export_wh, power_w, temperature_dc, flags in self._all(
                f"SELECT {_SHOWN} FROM samples ORDER BY id"
            )
        ]

    def clear_samples(self) -> None:
        """Forget the samples: they are readings now."""
        with self._write() as database:
            database.execute("DELETE FROM samples")

    def last_shown(self) -> Shown:
        """Return what the next sample must not fall behind; zeros at first."""
        columns = "time_s, import_wh, export_wh"
        row = self._one(f"SELECT {columns} FROM samples ORDER BY id DESC LIMIT 1")
        return Shown(*row) if row else self.last_read()

    def last_read(self) -> Shown:
        """Return what the last reading shows, or the origin."""
        last = self.last
        return Shown.by(last) if last else self.origin.shown

    def count_skipped(self, reason: str) -> None:
        """Count a sample that is not kept."""
        query = "INSERT INTO skipped VALUES (?, 1) ON CONFLICT (reason) DO UPDATE SET count=count+1"
        with self._write() as database:
            database.execute(query, (reason,))

    def skipped(self) -> dict[str, int]:
        """Return how many samples were not kept, by reason."""
        return dict(self._all("SELECT reason, count FROM skipped ORDER BY reason"))

    # ---- readings

    @property
    def last(self) -> Reading | None:
        """The last reading stored."""
        row = self._one("SELECT record FROM readings ORDER BY seq DESC LIMIT 1")
        return None if row is None else record_codec.decode(row[0])

    @property
    def next_seq(self) -> int:
        """The seq of the next reading."""
        last = self._one("SELECT max(seq) FROM readings")[0]
        return last + 1 if last else self.origin.first_seq

    def add_reading(self, record: bytes) -> None:
        """Store a record under its seq, once."""
        reading = record_codec.decode(record)
        with self._write() as database:
            row = (reading.seq, reading.time_s, record)
            database.execute("INSERT INTO readings VALUES (?, ?, ?)", row)

    # ---- batches

    @property
    def next_batch_seq(self) -> int:
        """The seq that the next batch begins with."""
        return self._one("SELECT max(from_seq+count) FROM batches")[0] or self.origin.first_seq

    def unbatched(self) -> list[Reading]:
        """Return the readings that are in no batch yet."""
        query = "SELECT record FROM readings WHERE seq>=? ORDER BY seq"
        return [record_codec.decode(row[0]) for row in self._all(query, self.next_batch_seq)]

    def add_batch(self, batch: Batch, signature: G1) -> None:
        """Store a batch and the device's BLS signature over it."""
        row = (batch.from_seq, batch.count, batch.root, signature.to_bytes())
        with self._write() as database:
            database.execute("INSERT INTO batches VALUES (?, ?, ?, ?, 0)", row)

    def batches(self, device: Account, *, last: int) -> list[BatchNotice]:
        """Return the `last` newest batches, in order."""
        newest = f"from_seq IN (SELECT from_seq FROM batches ORDER BY from_seq DESC LIMIT {last})"
        return self._batches(device, newest)

    def unanchored_batches(self, device: Account) -> list[BatchNotice]:
        """Return the batches that are not on chain, in order."""
        return self._batches(device, "anchored=0")

    def unsent_batches(self, device: Account) -> list[BatchNotice]:
        """Return the batches that are on chain and not with the processor, in order."""
        return self._batches(device, f"anchored=1 AND from_seq>={BATCHES_BEFORE}")

    @property
    def anchored_before(self) -> int:
        """The seq below which every batch is known to be on chain."""
        query = "SELECT max(from_seq+count) FROM batches WHERE anchored=1"
        return self._one(query)[0] or self.origin.first_seq

    def mark_anchored(self, *, before_seq: int) -> None:
        """Note that every batch below a seq is on chain, and none from there on."""
        with self._write() as database:
            database.execute("UPDATE batches SET anchored = from_seq < ?", (before_seq,))

    def _batches(self, device: Account, where: str) -> list[BatchNotice]:
        query = f"SELECT from_seq, count, root, signature FROM batches WHERE {where}"
        return [
            BatchNotice(
                batch=Batch(device=device, from_seq=from_seq, count=count, root=root),
                signature=G1.from_bytes(signature),
            )
            for from_seq, count, root, signature in self._all(query + " ORDER BY from_seq")
        ]

    # ---- all of it

    def forget(self, *, keep_days: int) -> int:
        """Delete whole batches that all know and that are older than `keep_days`; return how many.

        They are on chain and with the processor, and lie so many days of meter time before the
        last reading. The newest batch always stays.
        """
        horizon_s = self.last_read().time_s - keep_days * SECONDS_PER_DAY
        query = f"""SELECT max(b.from_seq+b.count) FROM batches AS b
            JOIN readings AS r ON r.seq = b.from_seq+b.count-1
            WHERE anchored AND r.time_s < ? AND b.from_seq < (SELECT max(from_seq) FROM batches)
            AND r.seq < {READINGS_BEFORE} AND r.seq < {BATCHES_BEFORE}"""
        with self._write() as database:
            before = self._one(query, horizon_s)[0]
            if before is None:
                return 0
            first = self._one("SELECT time_s FROM readings WHERE seq=?", before)[0]
            database.execute("DELETE FROM readings WHERE seq<?", (before,))
            database.execute("DELETE FROM envelopes WHERE seq<?", (before,))
            database.execute("DELETE FROM days WHERE day<?", (day_of(first),))
            database.execute("UPDATE origin SET first_seq=?", (before,))
            ended = "ended IS NOT NULL AND id < (SELECT max(id) FROM reports)"
            database.execute(f"DELETE FROM reports WHERE time_s<? AND {ended}", (first,))
            return database.execute("DELETE FROM batches WHERE from_seq<?", (before,)).rowcount

    def counts(self) -> dict[str, int]:
        """Return how much there is: waiting samples, readings, sent, batches, anchored, reports."""
        query = f"""SELECT (SELECT count(*) FROM samples), (SELECT count(*) FROM readings),
            (SELECT count(*) FROM readings WHERE seq<{READINGS_BEFORE}),
            (SELECT count(*) FROM batches), (SELECT coalesce(sum(anchored),0) FROM batches),
            (SELECT count(*) FROM reports), (SELECT count(*) FROM reports WHERE ended='reported')"""
        names = ("waiting", "readings", "sent", "batches", "anchored", "reports", "reported")
        return dict(zip(names, self._one(query), strict=True))

    def is_drained(self) -> bool:
        """Whether nothing is left to number, send, anchor or report."""
        query = f"""SELECT EXISTS (SELECT 1 FROM samples)
            OR EXISTS (SELECT 1 FROM readings WHERE seq >= coalesce({READINGS_BEFORE}, 0))
            OR EXISTS (SELECT 1 FROM batches
                WHERE NOT anchored OR from_seq >= coalesce({BATCHES_BEFORE}, 0))
            OR EXISTS (SELECT 1 FROM reports WHERE ended IS NULL)"""
        return not self._one(query)[0]
