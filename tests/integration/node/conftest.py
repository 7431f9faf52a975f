"""A publisher of the town's first node, and the homes of its region."""

from pathlib import Path

import pytest

from offchain.node.publisher import DataSetPublisher
from offchain.node.store import NodeStore
from offchain.node.tables import data_sets
from tests.databases import store_place
from tests.integration.node.test_crashes import copy_store
from tests.integration.town import BITS, DATA_SET_PRICE_WEI, House, Town


@pytest.fixture
def publisher(fresh: Town, tmp_path: Path) -> DataSetPublisher:
    """The first node's, on a copy of its store: data sets of other tests are not in the way."""
    held = store_place(tmp_path, "north")
    copy_store(fresh.nodes[0].place, held)
    node, store = fresh.nodes[0], NodeStore(held)
    for known in store.data_sets():
        store._run(data_sets.delete().where(data_sets.c.data_set_id == known.data_set_id))
    return DataSetPublisher(
        gateway=node.gateway,
        index=fresh.index,
        store=fresh.store,
        keys=node.keys,
        readings=store,
        directory=fresh.directory,
        price_wei=DATA_SET_PRICE_WEI,
        paillier_bits=BITS,
    )


@pytest.fixture
def homes(fresh: Town) -> list[House]:
    """The two homes of the first node's region."""
    return [fresh.houses[0], fresh.houses[2]]
