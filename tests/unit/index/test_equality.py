"""After any history with reorganisations the tables are those of a fresh catch-up, and the plain
model's, at the newest and the final block alike.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.database import Place
from offchain.index.chain_index import ChainIndex
from offchain.index.follower import Follower
from offchain.index.projections.all_rules import RULES
from tests.databases import new_postgres_database
from tests.unit.index.conftest import dump, open_index, require_model
from tests.unit.index.history import History
from tests.unit.index.simulated import SimulatedChain, SimulatedGateway

DEPTH = 4

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("mine"), st.integers(0, 6)),
        st.tuples(st.just("mine"), st.integers(1, 4)),
        st.tuples(st.just("reorganise"), st.integers(1, 20)),
        st.tuples(st.just("follow"), st.integers(0, 0)),
        st.tuples(st.just("span"), st.integers(1, 30)),
        st.tuples(st.just("node falls behind"), st.integers(1, 10)),
    ),
    min_size=5,
    max_size=40,
)


@cache
def _index_at(place: Place) -> ChainIndex:
    """Return an index that is kept from one history to the next: to open one takes longest."""
    return open_index(place, SimulatedChain(), confirmations=DEPTH)


@contextmanager
def _emptied(place: Place, chain: SimulatedChain) -> Iterator[ChainIndex]:
    index = _index_at(place)
    gateway = SimulatedGateway(chain, confirmations=DEPTH)
    index.follower = Follower(gateway, index.database, RULES)  # type: ignore[arg-type]
    index.follower._begin_anew()
    yield index


def _live_through(place: Place, fresh: Place, seed: int, steps: list, times_told: bool) -> None:
    chain = SimulatedChain(times_told=times_told)
    history = History(chain, random.Random(seed))
    history.mine(3)
    with _emptied(place, chain) as index:
        gateway = index.follower._gateway
        for what, size in [*steps, ("follow", 0)]:
            if what == "mine":
                history.mine(size)
            elif what == "reorganise":
                chain.go_back(size)
                for _ in range(size + 1):
                    history.mine(history.rng.randrange(3))
            elif what == "span":
                index.follower._span.blocks = size
            elif what == "node falls behind":
                gateway.head = max(0, chain.head - size)
                index.follower.catch_up()
                gateway.head = None
            else:
                index.follower.catch_up()
        index.follower.catch_up()
        with _emptied(fresh, chain) as other:
            other.follower.catch_up()
            assert index.newest() == other.newest() == chain.head
            assert dump(index, 0, whole=True) == dump(other, 0, whole=True)
            for block in (index.newest(), index.final()):
                assert dump(index, block) == dump(other, block)
                require_model(index, chain, block)


@pytest.fixture(scope="module")
def two_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Place]:
    folder = tmp_path_factory.mktemp("index")
    return folder / "followed.sqlite", folder / "fresh.sqlite"


@pytest.fixture(scope="module")
def two_databases() -> tuple[Place, Place]:
    return new_postgres_database(), new_postgres_database()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), steps=STEPS, times_told=st.booleans())
def test_tables__after_any_history__are_those_of_a_fresh_catch_up_and_the_model(
    seed: int, steps: list, times_told: bool, two_files: tuple[Place, Place]
) -> None:
    _live_through(*two_files, seed, steps, times_told)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), steps=STEPS)
def test_tables__on_postgresql__are_the_same(
    seed: int, steps: list, two_databases: tuple[Place, Place]
) -> None:
    _live_through(*two_databases, seed, steps, True)


def test_tables__after_a_long_history__are_the_models(new_place: Callable[[], Place]) -> None:
    chain = SimulatedChain()
    history = History(chain, random.Random(11))
    with open_index(new_place(), chain, confirmations=DEPTH) as index:
        for turn in range(12):
            for _ in range(5):
                history.mine(8)
            index.follower.catch_up()
            if turn % 3 == 2:
                chain.go_back(9)
                history.mine(5)
        index.follower.catch_up()
        require_model(index, chain, index.newest())
        require_model(index, chain, index.final())
