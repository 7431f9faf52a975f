"""The durable outbox: everything is stored before it leaves, and sent again as the same bytes.

SQLite in WAL mode with synchronous=FULL. A reading, its sealed envelope and the report it gives
rise to are one transaction; what node and chain confirmed is marked after they did, so that a crash
at any moment repeats at most a message that both know already.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from device_agent.errors import BadSetup, SafeMode
from offchain.crypto.curve import G1
from offchain.records import reading as record_codec
from offchain.records.envelope import BatchNotice, DayKeys, Envelope
from offchain.types import Account, Batch, Reading, Status, Verdict, day_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS identity (
    chain_id INTEGER NOT NULL, device TEXT NOT NULL, data_ledger TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS days (
    day INTEGER PRIMARY KEY, sealed BLOB NOT NULL, signature BLOB NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS readings (
    seq INTEGER PRIMARY KEY, time_s INTEGER NOT NULL, record BLOB NOT NULL,
    commitment BLOB NOT NULL, box BLOB NOT NULL, signature BLOB NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS unsent_readings ON readings (seq) WHERE sent = 0;
CREATE TABLE IF NOT EXISTS batches (
    from_seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, root BLOB NOT NULL,
    signature BLOB NOT NULL, anchored INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS reports (
    id INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE, seq INTEGER, time_s INTEGER NOT NULL,
    power_w INTEGER NOT NULL, temperature_dc INTEGER NOT NULL, status INTEGER NOT NULL,
    too_hot INTEGER NOT NULL, changed INTEGER NOT NULL, policy TEXT NOT NULL,
    sealed BLOB, commitment BLOB, signature BLOB, kept INTEGER NOT NULL DEFAULT 0,
    ended TEXT
);
CREATE INDEX IF NOT EXISTS open_reports ON reports (id) WHERE ended IS NULL;
"""
_REPORT = (
    "id, origin, seq, time_s, power_w, temperature_dc, status, too_hot, changed, policy,"
    " sealed, commitment, signature, kept"
)
REPORTED, DROPPED = "reported", "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEntry:
    """A report to send: what it says, why it was made, and its sealed bytes once there are any.

    origin: unique, so that one cause makes one report. seq: None for an injected trial.
    """

    origin: str
    seq: int | None
    time_s: int
    power_w: int
    temperature_dc: int
    verdict: Verdict
    changed: bool
    policy: str
    id: int = 0
    sealed: bytes | None = None
    commitment: bytes | None = None
    signature: bytes | None = None
    kept: bool = False

    @property
    def injected(self) -> bool:
        """Whether no reading stands behind the report."""
        return self.seq is None


class Outbox:
    """One device's outbox; one process at a time may hold it. Also a context manager."""

    def __init__(self, path: Path) -> None:
        """Open the file, made when missing. A damaged one is put aside first, never deleted.

        Raises BadSetup when another process holds it.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = _hold(path)
        self.put_aside = _put_damaged_aside(path)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = _connect(path)
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let others hold it."""
        self._database.close()
        os.close(self._lock_file)

    def claim(self, *, chain_id: int, device: Account, data_ledger: Account) -> None:
        """Bind a new outbox to its device and chain. Raises SafeMode when it is another's."""
        wanted = (chain_id, device, data_ledger)
        with self._write() as database:
            held = database.execute("SELECT * FROM identity").fetchone()
            if held is None:
                database.execute("INSERT INTO identity VALUES (?, ?, ?)", wanted)
            elif held != wanted:
                raise SafeMode(f"this outbox belongs to {held[1]} on chain {held[0]}")

    # ---- readings

    @property
    def last(self) -> Reading | None:
        """The last reading stored."""
        row = self._one("SELECT record FROM readings ORDER BY seq DESC LIMIT 1")
        return None if row is None else record_codec.decode(row[0])

    @property
    def next_seq(self) -> int:
        """The seq of the next reading."""
        return (self._one("SELECT max(seq) FROM readings")[0] or 0) + 1

    def add_reading(
        self, record: bytes, *, envelope: Envelope, reports: Sequence[ReportEntry] = ()
    ) -> None:
        """Store a record, its envelope and its reports in one transaction."""
        reading = record_codec.decode(record)
        commitment = record_codec.commitment(record)
        row = (reading.seq, reading.time_s, record, commitment, envelope.box, envelope.signature)
        with self._write() as database:
            database.execute("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?, 0)", row)
            for report in reports:
                _insert_report(database, report)

    def unsent_envelopes(self, limit: int) -> list[Envelope]:
        """Return the first envelopes that the node has not confirmed."""
        query = "SELECT seq, time_s, box, signature FROM readings WHERE sent=0 ORDER BY seq LIMIT ?"
        return [
            Envelope(seq=seq, day=day_of(time_s), box=box, signature=signature)
            for seq, time_s, box, signature in self._all(query, limit)
        ]

    def mark_readings_sent(self, *, before_seq: int) -> None:
        """Note that the node holds every reading below a seq, and none from there on."""
        with self._write() as database:
            database.execute("UPDATE readings SET sent=1 WHERE sent=0 AND seq<?", (before_seq,))
            database.execute("UPDATE readings SET sent=0 WHERE sent=1 AND seq>=?", (before_seq,))

    # ---- day keys

    def has_day(self, day: int) -> bool:
        """Whether the keys of a day were sealed already."""
        return self._one("SELECT 1 FROM days WHERE day=?", day) is not None

    def add_day(self, keys: DayKeys) -> None:
        """Store the sealed keys of a day; they are sealed once."""
        with self._write() as database:
            row = (keys.day, keys.sealed, keys.signature)
            database.execute("INSERT OR IGNORE INTO days VALUES (?, ?, ?, 0)", row)

    def unsent_days(self, device: Account) -> list[DayKeys]:
        """Return the sealed keys of days that the node has not confirmed."""
        rows = self._all("SELECT day, sealed, signature FROM days WHERE sent=0 ORDER BY day")
        return [
            DayKeys(device=device, day=day, sealed=sealed, signature=signature)
            for day, sealed, signature in rows
        ]

    def mark_day(self, day: int, *, sent: bool) -> None:
        """Note whether the node holds the keys of a day."""
        with self._write() as database:
            database.execute("UPDATE days SET sent=? WHERE day=?", (sent, day))

    def days(self) -> list[int]:
        """Return the days whose keys were sealed."""
        return [row[0] for row in self._all("SELECT day FROM days ORDER BY day")]

    # ---- batches

    @property
    def next_batch_seq(self) -> int:
        """The seq that the next batch begins with."""
        return self._one("SELECT max(from_seq+count) FROM batches")[0] or 1

    def unbatched(self) -> list[Reading]:
        """Return the readings that are in no batch yet."""
        query = "SELECT record FROM readings WHERE seq>=? ORDER BY seq"
        return [record_codec.decode(row[0]) for row in self._all(query, self.next_batch_seq)]

    def add_batch(self, batch: Batch, signature: G1) -> None:
        """Store a batch and the device's BLS signature over it."""
        row = (batch.from_seq, batch.count, batch.root, signature.to_bytes())
        with self._write() as database:
            database.execute("INSERT INTO batches VALUES (?, ?, ?, ?, 0, 0)", row)

    def batches(self, device: Account, where: str = "1") -> list[BatchNotice]:
        """Return the batches in order; `where` is `anchored=0`, or `anchored=1 AND sent=0`."""
        query = f"SELECT from_seq, count, root, signature FROM batches WHERE {where}"
        return [
            BatchNotice(
                batch=Batch(device=device, from_seq=from_seq, count=count, root=root),
                signature=G1.from_bytes(signature),
            )
            for from_seq, count, root, signature in self._all(query + " ORDER BY from_seq")
        ]

    def mark_anchored(self, *, before_seq: int) -> None:
        """Note that every batch below a seq is on chain, and none from there on."""
        with self._write() as database:
            database.execute("UPDATE batches SET anchored = from_seq < ?", (before_seq,))

    def mark_batches_sent(self, *, before_seq: int) -> None:
        """Note that the node holds every batch below a seq, and none from there on."""
        with self._write() as database:
            database.execute("UPDATE batches SET sent = from_seq < ?", (before_seq,))

    # ---- reports

    def last_report(self) -> ReportEntry | None:
        """Return the last report that was made and not dropped."""
        where = "ended IS NOT 'dropped' ORDER BY id DESC LIMIT 1"
        found = self._reports(where)
        return found[0] if found else None

    def open_reports(self) -> list[ReportEntry]:
        """Return the reports that are neither on chain nor dropped, in order."""
        return self._reports("ended IS NULL ORDER BY id")

    def seal_report(
        self, id: int, *, sealed: bytes, commitment: bytes | None, signature: bytes
    ) -> None:
        """Store the sealed bytes of a report; they are made once."""
        query = "UPDATE reports SET sealed=?, commitment=?, signature=? WHERE id=?"
        with self._write() as database:
            database.execute(query, (sealed, commitment, signature, id))

    def mark_report_kept(self, id: int) -> None:
        """Note that the node keeps the sealed report."""
        with self._write() as database:
            database.execute("UPDATE reports SET kept=1 WHERE id=?", (id,))

    def end_reports(self, ids: Sequence[int], ended: str) -> None:
        """Note that reports are on chain (REPORTED), or will never be (DROPPED)."""
        with self._write() as database:
            rows = [(ended, id) for id in ids]
            database.executemany("UPDATE reports SET ended=? WHERE id=?", rows)

    def counts(self) -> dict[str, int]:
        """Return how much there is: readings, sent, batches, anchored, reports, reported."""
        query = """SELECT (SELECT count(*) FROM readings),
            (SELECT coalesce(sum(sent),0) FROM readings),
            (SELECT count(*) FROM batches), (SELECT coalesce(sum(anchored),0) FROM batches),
            (SELECT count(*) FROM reports), (SELECT count(*) FROM reports WHERE ended='reported')"""
        names = ("readings", "sent", "batches", "anchored", "reports", "reported")
        return dict(zip(names, self._one(query), strict=True))

    def is_drained(self) -> bool:
        """Whether nothing is left to send, anchor or report."""
        query = """SELECT EXISTS (SELECT 1 FROM readings WHERE sent=0)
            OR EXISTS (SELECT 1 FROM days WHERE sent=0)
            OR EXISTS (SELECT 1 FROM batches WHERE NOT (anchored AND sent))
            OR EXISTS (SELECT 1 FROM reports WHERE ended IS NULL)"""
        return not self._one(query)[0]

    # ---- SQLite

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> Any:
        return self._database.execute(query, values).fetchone()

    def _reports(self, where: str) -> list[ReportEntry]:
        rows = self._all(f"SELECT {_REPORT} FROM reports WHERE {where}")
        return [_report(row) for row in rows]


def _insert_report(database: sqlite3.Connection, report: ReportEntry) -> None:
    database.execute(
        "INSERT OR IGNORE INTO reports (origin, seq, time_s, power_w, temperature_dc, status,"
        " too_hot, changed, policy) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            report.origin,
            report.seq,
            report.time_s,
            report.power_w,
            report.temperature_dc,
            int(report.verdict.status),
            report.verdict.temperature_too_high,
            report.changed,
            report.policy,
        ),
    )


def _report(row: tuple[Any, ...]) -> ReportEntry:
    id, origin, seq, time_s, power_w, temperature_dc, status, too_hot, changed, policy = row[:10]
    sealed, commitment, signature, kept = row[10:]
    return ReportEntry(
        id=id,
        origin=origin,
        seq=seq,
        time_s=time_s,
        power_w=power_w,
        temperature_dc=temperature_dc,
        verdict=Verdict(Status(status), bool(too_hot)),
        changed=bool(changed),
        policy=policy,
        sealed=sealed,
        commitment=commitment,
        signature=signature,
        kept=bool(kept),
    )


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    # FULL: with less, a power failure may forget a committed row, and so what was sent.
    database.execute("PRAGMA synchronous=FULL")
    return database


def _hold(path: Path) -> int:
    """Take the lock that the system drops when the process dies."""
    held = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(held)
        raise BadSetup(f"another process holds {path}; stop that agent first") from error
    return held


def _put_damaged_aside(path: Path) -> Path | None:
    """Rename a file that is no sound database; return its new name."""
    if not path.exists() or _is_sound(path):
        return None
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for tail in ("", "-wal", "-shm"):
        part = Path(f"{path}{tail}")
        if part.exists():
            part.rename(f"{aside}{tail}")
    return aside


def _is_sound(path: Path) -> bool:
    try:
        database = _connect(path)
        try:
            return database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        finally:
            database.close()
    except sqlite3.DatabaseError:
        return False
