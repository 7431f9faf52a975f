"""What the outbox holds for each processing node: sealed once for it, and what it has confirmed.

Day keys, boxes and signatures name the processor. When a region's processor is replaced, the next
one gets forms of its own, made from the records; those of the old one stay as they are.
"""

from collections.abc import Collection, Sequence

from device_agent.outbox_file import OutboxFile
from offchain.records.envelope import DayKeys, Envelope
from offchain.types import Account, day_of

PROCESSOR_SCHEMA = """
CREATE TABLE IF NOT EXISTS processors (
    account TEXT PRIMARY KEY, is_current INTEGER NOT NULL,
    readings_before INTEGER NOT NULL DEFAULT 1, batches_before INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS days (
    processor TEXT NOT NULL, day INTEGER NOT NULL, sealed BLOB NOT NULL, signature BLOB NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (processor, day)
);
CREATE TABLE IF NOT EXISTS envelopes (
    processor TEXT NOT NULL, seq INTEGER NOT NULL, box BLOB NOT NULL, signature BLOB NOT NULL,
    PRIMARY KEY (processor, seq)
);
"""
_CURRENT = "(SELECT account FROM processors WHERE is_current)"
READINGS_BEFORE = "(SELECT readings_before FROM processors WHERE is_current)"
BATCHES_BEFORE = "(SELECT batches_before FROM processors WHERE is_current)"


class ProcessorTable(OutboxFile):
    """All but `turn_to` concerns the processor that was turned to last."""

    @property
    def processor(self) -> Account | None:
        """The processor that was turned to last."""
        row = self._one(_CURRENT[1:-1])
        return None if row is None else Account(row[0])

    def turn_to(self, processor: Account) -> bool:
        """Work for a processor from now on; return whether it is another than before.

        Reports on their way are to be kept by the new one too.
        """
        if processor == self.processor:
            return False
        with self._write() as database:
            database.execute("UPDATE processors SET is_current=0")
            query = "INSERT OR IGNORE INTO processors (account, is_current) VALUES (?, 0)"
            database.execute(query, (processor,))
            database.execute("UPDATE processors SET is_current=1 WHERE account=?", (processor,))
            database.execute("UPDATE reports SET kept=0 WHERE ended IS NULL")
        return True

    # ---- day keys

    def has_day(self, day: int) -> bool:
        """Whether the keys of a day were sealed already."""
        query = f"SELECT 1 FROM days WHERE processor={_CURRENT} AND day=?"
        return self._one(query, day) is not None

    def add_day(self, keys: DayKeys) -> None:
        """Store the sealed keys of a day; they are sealed once."""
        query = f"INSERT OR IGNORE INTO days VALUES ({_CURRENT}, ?, ?, ?, 0)"
        with self._write() as database:
            database.execute(query, (keys.day, keys.sealed, keys.signature))

    def unsent_days(self, device: Account) -> list[DayKeys]:
        """Return the sealed keys of days that the node has not confirmed."""
        columns = "day, sealed, signature"
        where = f"processor={_CURRENT} AND sent=0 ORDER BY day"
        return [
            DayKeys(device=device, day=day, sealed=sealed, signature=signature)
            for day, sealed, signature in self._all(f"SELECT {columns} FROM days WHERE {where}")
        ]

    def mark_day_sent(self, day: int) -> None:
        """Note that the node holds the keys of a day."""
        query = f"UPDATE days SET sent=1 WHERE processor={_CURRENT} AND day=?"
        with self._write() as database:
            database.execute(query, (day,))

    def mark_days(self, *, held: Collection[int]) -> None:
        """Note that the node holds the keys of these days, and of no other.

        Those that another outbox had sealed for it are not sealed again: they stand here empty.
        """
        update = f"UPDATE days SET sent=1 WHERE processor={_CURRENT} AND day=?"
        insert = f"INSERT OR IGNORE INTO days VALUES ({_CURRENT}, ?, x'', x'', 1)"
        with self._write() as database:
            database.execute(f"UPDATE days SET sent=0 WHERE processor={_CURRENT}")
            for query in (insert, update):
                database.executemany(query, [(day,) for day in held])
            lost = f"processor={_CURRENT} AND sent=0 AND sealed=x''"
            database.execute(f"DELETE FROM days WHERE {lost}")

    # ---- readings

    def unsealed(self, limit: int) -> list[tuple[int, int, bytes]]:
        """Return (seq, time_s, record) of the first readings to send that have no envelope yet."""
        query = (
            f"SELECT seq, time_s, record FROM readings AS r WHERE seq>={READINGS_BEFORE} AND NOT"
            f" EXISTS (SELECT 1 FROM envelopes AS e WHERE processor={_CURRENT} AND e.seq=r.seq)"
            " ORDER BY seq LIMIT ?"
        )
        return [(seq, time_s, record) for seq, time_s, record in self._all(query, limit)]

    def add_envelopes(self, envelopes: Sequence[Envelope]) -> None:
        """Store the envelopes of readings; each is sealed once."""
        rows = [(one.seq, one.box, one.signature) for one in envelopes]
        query = f"INSERT OR IGNORE INTO envelopes VALUES ({_CURRENT}, ?, ?, ?)"
        with self._write() as database:
            database.executemany(query, rows)

    def unsent_envelopes(self, limit: int) -> list[Envelope]:
        """Return the first envelopes that the node has not confirmed."""
        query = (
            "SELECT seq, time_s, box, signature FROM envelopes JOIN readings USING (seq)"
            f" WHERE processor={_CURRENT} AND seq>={READINGS_BEFORE} ORDER BY seq LIMIT ?"
        )
        return [
            Envelope(seq=seq, day=day_of(time_s), box=box, signature=signature)
            for seq, time_s, box, signature in self._all(query, limit)
        ]

    def mark_readings_sent(self, *, before_seq: int) -> None:
        """Note that the node holds every reading below a seq, and none from there on."""
        with self._write() as database:
            query = "UPDATE processors SET readings_before=? WHERE is_current"
            database.execute(query, (before_seq,))

    def mark_batches_sent(self, *, before_seq: int) -> None:
        """Note that the node holds every batch below a seq, and none from there on."""
        with self._write() as database:
            query = "UPDATE processors SET batches_before=? WHERE is_current"
            database.execute(query, (before_seq,))
