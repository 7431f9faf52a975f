"""A town of its own: reorganisations of depth 20 upset an anvil that has gone back often before."""

from collections.abc import Iterator

import pytest

from offchain.chain.anvil import start_anvil
from tests.integration.town import Builder, Town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with start_anvil(states_in_memory=20_000) as anvil:
        yield Builder(anvil, tmp_path_factory.mktemp("town")).build()
