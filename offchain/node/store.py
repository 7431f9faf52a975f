"""The node's store: one database for intake and worker, safe to share between threads."""

from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select

from offchain.database import Place
from offchain.errors import StoreConflict
from offchain.node.data_set_tables import DataSetTables, StoredDataSet, StoredResponse
from offchain.node.device_tables import DeviceTables, StoredBatch, StoredDayKeys, StoredReading
from offchain.node.duty_tables import DutyTables
from offchain.node.grant_tables import GrantJob, GrantState, GrantTables
from offchain.node.request_tables import JobState, RequestJob, RequestTables
from offchain.node.tables import NODE, notes
from offchain.sqlite_file import PATIENCE_S

__all__ = [
    "GrantJob",
    "GrantState",
    "JobState",
    "NodeStore",
    "RequestJob",
    "StoreConflict",
    "StoredBatch",
    "StoredDataSet",
    "StoredDayKeys",
    "StoredReading",
    "StoredResponse",
]


class NodeStore(DeviceTables, RequestTables, DataSetTables, GrantTables, DutyTables):
    """Everything that a node must not forget. `NodeStore(place)`; also a context manager.

    It holds day keys, factors and data keys in the clear. A file is readable by its owner only; it
    and a server's database are protected like the node's key directory.
    """

    schema = NODE

    def __init__(self, place: Place, *, patience_s: float = PATIENCE_S) -> None:
        """Open the store, with its tables made or migrated. Raises StoreError.

        patience_s: how long another program that holds the database is waited for.
        """
        super().__init__(place, patience_s=patience_s)
        # Positions must never be newer than the jobs that they stand for: they share the store's
        # file, and are found anew at each start where it is on a server that may be restored.
        self._folder = None if self._database.is_sqlite else TemporaryDirectory(prefix="dmsm-node-")
        self.path = Path(self._folder.name) / "positions.sqlite" if self._folder else Path(place)

    def close(self) -> None:
        """Close the database."""
        super().close()
        if self._folder is not None:
            self._folder.cleanup()

    def remember(self, name: str, value: bytes) -> None:
        """Store a small value under a name, in place of what was there."""
        self._put(notes, name=name, value=value)

    def recall(self, name: str) -> bytes | None:
        """Return what is stored under a name."""
        return self._value(select(notes.c.value).where(notes.c.name == name))
