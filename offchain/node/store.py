"""The node's store: one database for intake and worker, safe to share between threads."""

from pathlib import Path

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

    def __init__(
        self, place: Place, *, positions: Path | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        """Open the store, with its tables made or migrated. Raises StoreError.

        positions: the file that says how far the chain's events were read; the store's own if it
        is a file, and else beside it. One that is lost costs a walk over the chain.
        """
        super().__init__(place, patience_s=patience_s)
        self._positions = positions or (Path(place) if self._database.is_sqlite else None)

    @property
    def path(self) -> Path:
        """Return the file of the positions in the chain's events."""
        assert self._positions is not None, "a store on a server needs a file for positions"
        return self._positions

    def remember(self, name: str, value: bytes) -> None:
        """Store a small value under a name, in place of what was there."""
        self._put(notes, name=name, value=value)

    def recall(self, name: str) -> bytes | None:
        """Return what is stored under a name."""
        return self._value(select(notes.c.value).where(notes.c.name == name))
