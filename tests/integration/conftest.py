"""The town that the tests of all roles share; agents and commands have worlds of their own."""

from collections.abc import Iterator

import pytest

from offchain.chain.anvil import start_anvil
from offchain.index.follower import Follower
from tests.integration.town import Builder, Town, go_back
from tests.network import real_chain


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    if real_chain.is_wanted():
        with real_chain.start_real_chain(folder / "network") as chain:
            yield Builder(chain, folder).build()
        return
    with start_anvil(states_in_memory=20_000) as anvil:  # tests go back and forth in it
        yield Builder(anvil, folder).build()


@pytest.fixture
def fresh(town: Town) -> Iterator[Town]:
    """The town, with the chain as it was before the test; see go_back for the nodes' journals."""
    snapshot = town.anvil.snapshot()
    yield town
    go_back(town, snapshot)


_IS_ABREAST = Follower.is_abreast


@pytest.fixture(autouse=True)
def looking_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each poll look at the head: a test's only poll must not come before anvil tells of the
    block that it is for. A service is woken then, and polls again.
    """
    monkeypatch.setattr(Follower, "is_abreast", False)


@pytest.fixture
def told_polls(looking_polls: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let polls ask nothing where no block was told, as services do."""
    monkeypatch.setattr(Follower, "is_abreast", _IS_ABREAST)
