"""Gas: every function that changes state has a figure, every figure its place on the page."""

import json
import tomllib

import pytest

from bench import gas
from bench.figures import unexplained

ABIS = gas.ROOT / "offchain" / "chain" / "abi"
EXECUTED = "Consortium.execute, "  # what the consortium alone may call


def changing() -> set[str]:
    """Return the functions of the deployed contracts that change state, and `receive`."""
    return {
        f"{file.stem}.{entry.get('name', entry['type'])}"
        for file in ABIS.glob("*.json")
        for entry in json.loads(file.read_text())
        if entry["type"] in ("function", "receive", "fallback")
        and entry["stateMutability"] in ("nonpayable", "payable")
    }


def measured(used):
    """Return the functions that have a figure."""
    executed = {name.removeprefix(EXECUTED) for name in used if name.startswith(EXECUTED)}
    return executed | {name.split(", ")[0] for name in used}


@pytest.fixture
def london():
    return gas.read(gas.LONDON)


@pytest.fixture
def prague():
    return gas.read(gas.PRAGUE)


@pytest.fixture
def within():
    return tomllib.loads(gas.WITHIN.read_text())


def test_snapshot__given_the_abis__has_every_function_or_what_it_is_within(london, within):
    assert len(changing()) > 40
    assert sorted(changing() - measured(london) - within.keys()) == []


def test_within__as_checked_in__names_functions_without_a_figure_and_figures(london, within):
    assert sorted(within.keys() & measured(london)) == []
    assert sorted(within.keys() - changing()) == []
    assert sorted(set(within.values()) - london.keys()) == []


def test_page__given_the_snapshots__is_the_one_in_the_docs(london, prague):
    assert gas.PAGE.read_text() == gas.page(london, prague)


def test_figures_of__as_checked_in__have_reasons_where_missed(london, prague):
    assert unexplained(gas.figures_of(london, prague)) == []


def test_figures_of__given_what_prague_alone_misses__names_it(london, prague):
    name = "PrepaidLock.deliver, (67,100)"
    figures = gas.figures_of(london, {**prague, name: gas.LIMITS[name] + 1})
    assert unexplained(figures) == ["gas_prague_PrepaidLock_deliver_67_100"]


def test_figures_of__given_a_dearer_lock__misses_the_goal_beside_its_peer(london, prague):
    name = "PrepaidLock.claim, the escrow's own part"
    figures = gas.figures_of({**london, name: 86_689 // 2 + 1}, prague)
    assert unexplained(figures) == ["gas_ratio_PrepaidLock_claim_the_escrows_own_part"]


def test_figures_of__given_an_anchor__counts_its_readings(london, prague):
    name = "DataLedger.anchor, batch of 1,000"
    values = {it.name: it.value for it in gas.figures_of({**london, name: 60_500}, prague)}
    assert values["gas_DataLedger_anchor_batch_of_1_000_a_reading"] == 60.5


@pytest.fixture
def copies(tmp_path, monkeypatch, london, prague):
    """``copies(london=…, prague=…)``: let the command read these and write elsewhere."""

    def put(**changed):
        for name, used in ({"LONDON": london, "PRAGUE": prague} | changed).items():
            path = tmp_path / f"{name}.json"
            path.write_text(json.dumps(used))
            monkeypatch.setattr(gas, name, path)
        monkeypatch.setattr(gas, "PAGE", tmp_path / "gas.md")

    return put


def test_main__given_the_snapshots__prints_and_writes(copies, capsys):
    copies()
    assert gas.main() == 0
    assert "gas_DataLedger_anchor_batch_of_100_a_reading" in capsys.readouterr().out
    assert gas.PAGE.read_text().startswith("# Gas")


def test_main__given_a_miss_without_a_reason__fails_and_names_it(copies, capsys, london):
    copies(LONDON={**london, "PrepaidLock.request": 350_001})
    assert gas.main() == 1
    assert "gas_PrepaidLock_request" in capsys.readouterr().err


def test_main__given_snapshots_of_different_calls__fails(copies, capsys, prague):
    copies(PRAGUE={"PrepaidLock.request": prague["PrepaidLock.request"]})
    assert gas.main() == 1
    assert "make gas" in capsys.readouterr().err
