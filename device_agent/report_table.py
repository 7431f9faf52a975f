"""The reports in the outbox: made with a reading, sealed once, kept by the node, then on chain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from device_agent.outbox_file import OutboxFile
from offchain.types import Status, Verdict

REPORT_SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (
    id INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE, seq INTEGER, time_s INTEGER NOT NULL,
    power_w INTEGER NOT NULL, temperature_dc INTEGER, status INTEGER NOT NULL,
    too_hot INTEGER NOT NULL, changed INTEGER NOT NULL, policy TEXT NOT NULL,
    sealed BLOB, commitment BLOB, kept INTEGER NOT NULL DEFAULT 0, ended TEXT
);
CREATE INDEX IF NOT EXISTS open_reports ON reports (id) WHERE ended IS NULL;
"""
_COLUMNS = (
    "id, origin, seq, time_s, power_w, temperature_dc, status, too_hot, changed, policy,"
    " sealed, commitment, kept"
)
REPORTED, DROPPED = "reported", "dropped"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReportEntry:
    """A report to send: what it says, why it was made, and its sealed bytes once there are any.

    origin: unique, so that one cause makes one report. seq: None for an injected trial.
    kept: the node that serves now keeps the sealed bytes.
    """

    origin: str
    seq: int | None
    time_s: int
    power_w: int
    temperature_dc: int | None
    verdict: Verdict
    changed: bool
    policy: str
    id: int = 0
    sealed: bytes | None = None
    commitment: bytes | None = None
    kept: bool = False

    @property
    def injected(self) -> bool:
        """Whether no reading stands behind the report."""
        return self.seq is None


class ReportTable(OutboxFile):
    """Reports in the order in which they were made."""

    def add_reports(self, reports: Sequence[ReportEntry]) -> None:
        """Store reports; one whose origin is known already is left out."""
        with self._write() as database:
            for report in reports:
                database.execute(
                    "INSERT OR IGNORE INTO reports (origin, seq, time_s, power_w, temperature_dc,"
                    " status, too_hot, changed, policy) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
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

    def last_report(self) -> ReportEntry | None:
        """Return the last report that was made and not dropped."""
        found = self._reports("ended IS NOT 'dropped' ORDER BY id DESC LIMIT 1")
        return found[0] if found else None

    def open_reports(self) -> list[ReportEntry]:
        """Return the reports that are neither on chain nor dropped, in order."""
        return self._reports("ended IS NULL ORDER BY id")

    def seal_report(self, id: int, *, sealed: bytes, commitment: bytes | None) -> None:
        """Store the sealed bytes of a report; they are made once."""
        query = "UPDATE reports SET sealed=?, commitment=? WHERE id=?"
        with self._write() as database:
            database.execute(query, (sealed, commitment, id))

    def mark_report_kept(self, id: int) -> None:
        """Note that the node keeps the sealed report."""
        with self._write() as database:
            database.execute("UPDATE reports SET kept=1 WHERE id=?", (id,))

    def end_reports(self, ids: Sequence[int], ended: str) -> None:
        """Note that reports are on chain (REPORTED), or will never be (DROPPED)."""
        with self._write() as database:
            rows = [(ended, id) for id in ids]
            database.executemany("UPDATE reports SET ended=? WHERE id=?", rows)

    def _reports(self, where: str) -> list[ReportEntry]:
        return [_report(row) for row in self._all(f"SELECT {_COLUMNS} FROM reports WHERE {where}")]


def _report(row: tuple[Any, ...]) -> ReportEntry:
    id, origin, seq, time_s, power_w, temperature_dc, status, too_hot, changed, policy = row[:10]
    sealed, commitment, kept = row[10:]
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
        kept=bool(kept),
    )
