"""One door to SQL: SQLite files by default, PostgreSQL by URL; schemas, migrations, faults.

Whatever the database raises leaves this room as one of the errors below StoreError.
"""

from offchain.database.database import Database, Place
from offchain.database.schema import Schema
from offchain.database.store import Store

__all__ = ["Database", "Place", "Schema", "Store"]
