"""A simulated chain, an index on it, and what its tables say at a block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from offchain.database import Place
from offchain.index import tables
from offchain.index.chain_index import ChainIndex
from tests.databases import new_place as new_place
from tests.databases import place as place
from tests.unit.index.model import Model
from tests.unit.index.simulated import SimulatedChain, SimulatedGateway

Dump = dict[str, list[dict[str, Any]]]


def open_index(place: Place, chain: SimulatedChain, **options: Any) -> ChainIndex:
    """Open an index on a gateway of its own to the chain."""
    return ChainIndex(place, SimulatedGateway(chain, **options))  # type: ignore[arg-type]


def dump(index: ChainIndex, block: int, *, whole: bool = False) -> Dump:
    """Return all tables at a block, rows in an order of their own; `whole`: all versions."""
    found: Dump = {}
    with index.database.read() as connection:
        for table in tables.projected():
            query = select(table) if whole else select(table).where(tables.at(table, block))
            rows = [dict(row) for row in connection.execute(query).mappings()]
            if not whole:
                for row in rows:
                    row.pop("to_block", None)
            found[table.name] = sorted(rows, key=repr)
    return found


def require_model(index: ChainIndex, chain: SimulatedChain, block: int) -> None:
    """The tables at a block say what the plain model says of the events until then."""
    model, found = Model.of(chain, until=block), dump(index, block)
    for table in tables.projected():
        rows = found[table.name]
        if not tables.is_versioned(table):
            assert len(rows) == model.counts[table.name], table.name
            continue
        if table.name in ("sharing_terms", "rules", "thresholds"):
            continue
        expected = model.tables[table.name]
        got = {tuple(row[name] for name in table.info["key"]): row for row in rows}
        assert got.keys() == expected.keys(), table.name
        for key, values in expected.items():
            for name, value in values.items():
                column = {"amount": "amount_wei"}.get(name, name)
                if not name.startswith("_"):
                    assert got[key][column] == value, (table.name, key, name)


@pytest.fixture
def chain() -> SimulatedChain:
    return SimulatedChain()


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"
