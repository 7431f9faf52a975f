"""Places for databases, and a small store with two steps of migration."""

from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table

from offchain.database import Schema
from tests.databases import new_place as new_place
from tests.databases import new_postgres as new_postgres
from tests.databases import place as place

STEP_1 = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "0001", None


def upgrade():
    key = sa.Column("id", sa.Integer, primary_key=True)
    op.create_table("notes", key, sa.Column("text", sa.String))
"""
STEP_2 = """
from alembic import op
import sqlalchemy as sa

revision, down_revision = "0002", "0001"


def upgrade():
    with op.batch_alter_table("notes") as table:
        table.add_column(sa.Column("size", sa.Integer, nullable=False, server_default="0"))
"""


@pytest.fixture
def notes() -> Table:
    return Table(
        "notes",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("text", String),
        Column("size", Integer, nullable=False, server_default="0"),
    )


@pytest.fixture
def schema(tmp_path: Path, notes: Table) -> Schema:
    """The store of a program that knows both steps."""
    return _schema(tmp_path / "both", notes, STEP_1, STEP_2)


@pytest.fixture
def older(tmp_path: Path, notes: Table) -> Schema:
    """The same store, of a program that knows the first step alone."""
    return _schema(tmp_path / "first", notes, STEP_1)


def _schema(folder: Path, notes: Table, *steps: str) -> Schema:
    versions = folder / "versions"
    versions.mkdir(parents=True)
    for number, step in enumerate(steps, start=1):
        (versions / f"{number:04}_step.py").write_text(step)
    return Schema(name="notes", tables=notes.metadata, migrations=folder)
