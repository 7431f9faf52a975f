"""The measurement of storing works on a running node and leaves nothing pinned there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import storing
from offchain.records.ciphertexts import decode_ciphertexts
from tests.network.swarm import Swarm


def test_storage_figures__at_a_running_node__measures_and_unpins_what_it_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ROUNDS": 2, "ADDS": 3, "ALONE": 10, "HOMES": 2}.items():
        monkeypatch.setattr(storing, name, value)
    swarm = Swarm(tmp_path / "swarm", nodes=1)
    try:
        before = swarm.rpc("ipfs-1").pins()
        figures = storing.storage_figures(swarm.urls[0])
        assert swarm.rpc("ipfs-1").pins() == before
    finally:
        swarm.stop()
    assert [figure.name for figure in figures] == [
        "data_set_by_car_vs_http_add",
        "data_set_import_vs_http_add",
        "ciphertexts_alone_by_car_vs_http_add",
    ]
    assert figures[0].limit == 40
    assert all(figure.value > 0 for figure in figures)


def test_data_set__of_the_measurement__is_one_that_a_buyer_could_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storing, "HOMES", 3)
    ciphertexts, companion, manifest = storing._data_set()
    file = decode_ciphertexts(ciphertexts)
    assert sum(len(one.ciphertexts) for one in file.devices) == (
        storing.ciphertexts_of_a_data_set()
    )
    assert len(manifest) < len(companion)
