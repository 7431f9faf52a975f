"""A store's tables and the steps by which older ones become today's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect, text

from offchain.errors import StoreVersion

VERSIONS = "schema_version"  # the table in which Alembic notes the step


@dataclass(frozen=True, slots=True)
class Schema:
    """A store by name: its tables, and the folder with its migrations (Alembic).

    The steps are files `versions/NNNN_what.py` with the revision `NNNN`, one after the other.
    `remedy`: what to do about a damaged one, where that is not to restore a copy.
    """

    name: str
    tables: MetaData
    migrations: Path
    remedy: str | None = None

    @property
    def newest(self) -> str:
        """Return the newest step that this program knows."""
        return max(path.name[:4] for path in (self.migrations / "versions").glob("[0-9]*_*.py"))

    def bring_up(self, connection: Connection, place: str) -> None:
        """Make the tables, or migrate older ones, inside the connection's transaction.

        Raises StoreVersion for those of a newer program, or of another store.
        """
        found = self.found(connection)
        if found == self.newest:
            return
        if found is None and inspect(connection).get_table_names():
            raise StoreVersion(f"{place} is no {self.name} database: give another place")
        if found is not None and found > self.newest:
            raise StoreVersion(
                f"{place} has schema {found} and this program knows {self.newest}: a newer program "
                "made it; use that one, or restore an older copy"
            )
        self._upgrade(connection)

    def found(self, connection: Connection) -> str | None:
        """Return the step that a database is at, None before the first."""
        if not inspect(connection).has_table(VERSIONS):
            return None
        return connection.execute(text(f"SELECT version_num FROM {VERSIONS}")).scalar()

    def _upgrade(self, connection: Connection) -> None:
        # Alembic costs a third of a second to import, and is needed once a version.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
        config.set_main_option("version_locations", str(self.migrations / "versions"))
        config.set_main_option("path_separator", "newline")
        config.attributes["connection"] = connection
        config.attributes["tables"] = self.tables
        command.upgrade(config, "head")
