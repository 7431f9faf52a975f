"""Files for real hosts: they parse, and name what exists. Running them is another matter."""

from __future__ import annotations

import configparser
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from offchain.network.building import IPFS_PORTS, SIGNER_PORTS
from offchain.network.plan import TARGET

ROOT = Path(__file__).resolve().parents[3]
NETWORK = ROOT / "network"
UNITS = sorted((NETWORK / "systemd").glob("*.service"))
YAML = sorted([*NETWORK.glob("*.yaml"), *(NETWORK / "monitoring").glob("*.yml")])


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.fixture
def compose() -> dict[str, Any]:
    return load(NETWORK / "compose.yaml")


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.name)
def test_yaml__each_shipped_file__parses_to_a_mapping(path: Path) -> None:
    assert isinstance(load(path), dict)


def test_compose__services__are_all_that_a_consortium_runs(compose: dict[str, Any]) -> None:
    services = set(compose["services"])
    assert {"signer-1", "ipfs-1", "processor", "postgres", "prometheus", "grafana"} <= services


def test_compose__published_ports__are_on_loopback_and_no_rpc(compose: dict[str, Any]) -> None:
    published = [port for one in compose["services"].values() for port in one.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    closed = {str(SIGNER_PORTS[1]), str(IPFS_PORTS[1])}
    assert not [port for port in published if port.rpartition(":")[2] in closed]


def test_compose__mounted_files__are_there(compose: dict[str, Any]) -> None:
    mounts = [m for one in compose["services"].values() for m in one.get("volumes", [])]
    files = [m.split(":")[0] for m in mounts if m.startswith("./monitoring")]
    assert len(files) == 5
    assert all((NETWORK / name).is_file() for name in files)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd__each_unit__has_its_sections_and_gives_up_privileges(path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(path.read_text())
    assert {"Unit", "Service", "Install"} <= set(unit.sections())
    assert unit["Service"]["NoNewPrivileges"] == "yes"
    assert unit["Service"]["Restart"] == "always"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd__each_unit__is_understood_by_systemd(path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # The programs are not installed here; whatever else it says is a fault of the unit.
    said = [line for line in done.stderr.splitlines() if path.stem.split("@")[0] in line]
    assert not [line for line in said if "is not executable" not in line]


def test_systemd__nodes__start_where_the_scripts_are_written() -> None:
    unit = (NETWORK / "systemd" / "dmsm-node@.service").read_text()
    assert f"ExecStart={TARGET}/%i/start" in unit


def test_prometheus__targets__are_the_usual_ports_on_loopback() -> None:
    jobs = load(NETWORK / "monitoring" / "prometheus.yml")["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    assert targets == {
        "geth": [f"127.0.0.1:{SIGNER_PORTS[3]}"],
        "kubo": [f"127.0.0.1:{IPFS_PORTS[1]}"],
    }


def test_dashboard__each_panel__asks_the_shipped_data_source() -> None:
    dashboard = json.loads((NETWORK / "monitoring" / "dashboard.json").read_text())
    source = load(NETWORK / "monitoring" / "grafana-datasource.yml")["datasources"][0]
    assert len(dashboard["panels"]) == 12
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == source["uid"]
        assert all(target["expr"] for target in panel["targets"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
