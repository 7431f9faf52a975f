"""The shares that a buyer has at hand, kept durably by lock and member."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

from offchain.crypto.curve import G1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS shares (
    lock_id BLOB NOT NULL,
    member INTEGER NOT NULL,
    share BLOB NOT NULL,
    PRIMARY KEY (lock_id, member)
) WITHOUT ROWID
"""


class KeptShares:
    """A file of the shares S_i of one's grants: one's own, and those of others in the group."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute(_SCHEMA)

    def keep(self, lock_id: bytes, index: int, share: G1) -> None:
        """Store the share of member `index` (1..n)."""
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO shares VALUES (?, ?, ?)", (lock_id, index, share.to_bytes())
            )

    def shares(self, lock_id: bytes) -> dict[int, G1]:
        """Return the shares held for a lock, by member index."""
        with self._lock:
            rows = self._database.execute(
                "SELECT member, share FROM shares WHERE lock_id = ?", (lock_id,)
            ).fetchall()
        return {index: G1.from_bytes(share) for index, share in rows}

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()
