"""Every store's migrations make the tables that its code names, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from offchain.buyer.kept_shares import SHARES
from offchain.buyer.opening_record import OPENED
from offchain.database import Database, Place, Schema
from offchain.database.schema import VERSIONS
from offchain.node.aggregate_store import AGGREGATES
from offchain.node.tables import NODE

STORES = [NODE, AGGREGATES, OPENED, SHARES]


@pytest.mark.parametrize("schema", STORES, ids=lambda schema: schema.name)
def test_migrations__of_a_store__make_the_tables_of_its_code(place: Place, schema: Schema) -> None:
    with Database(place, schema) as database, database.read() as connection:
        options = {
            "version_table": VERSIONS,
            "compare_type": True,
            "compare_server_default": database.is_sqlite,  # PostgreSQL rewrites what it is given
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.tables) == []


@pytest.mark.parametrize("schema", STORES, ids=lambda schema: schema.name)
def test_migrations__of_a_store__are_numbered_without_a_gap(schema: Schema) -> None:
    steps = sorted(path.name[:4] for path in (schema.migrations / "versions").glob("[0-9]*_*.py"))
    assert steps == [f"{number:04}" for number in range(1, len(steps) + 1)]


def test_stores__on_one_server__do_not_meet(new_postgres: str) -> None:
    for schema in STORES:
        Database(new_postgres, schema).close()
    for schema in STORES:
        with Database(new_postgres, schema) as database, database.read() as connection:
            assert schema.found(connection) == schema.newest
