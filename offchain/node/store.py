"""The node's store: one SQLite file for intake and worker, safe to share between threads."""

from offchain.member.database import StoreConflict
from offchain.node.device_tables import (
    DEVICE_SCHEMA,
    DeviceTables,
    StoredBatch,
    StoredDayKeys,
    StoredReading,
)
from offchain.node.duty_tables import DUTY_SCHEMA, DutyTables
from offchain.node.job_tables import (
    JOB_SCHEMA,
    GrantJob,
    GrantState,
    JobState,
    JobTables,
    RequestJob,
    StoredDataSet,
    StoredResponse,
)

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


class NodeStore(DeviceTables, JobTables, DutyTables):
    """Everything that a node must not forget. `NodeStore(path)`; also a context manager.

    The file holds day keys, factors and data keys in the clear and is readable by its owner only:
    it is protected like the node's key directory.
    """

    _schema = DEVICE_SCHEMA + JOB_SCHEMA + DUTY_SCHEMA
