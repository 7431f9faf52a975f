"""Files for real hosts: they parse, and name what exists. Running them is another matter."""

from __future__ import annotations

import configparser
import json
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from offchain.network.building import IPFS_PORTS, SIGNER_PORTS
from offchain.network.plan import TARGET
from offchain.settings import Profile, load_profile

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


def machines_of(compose: dict[str, Any]) -> set[str]:
    """Return the services that hold a machine's address and do nothing that could end."""
    services = compose["services"].items()
    return {name for name, one in services if one.get("command") == ["sleep", "infinity"]}


def test_compose__each_program__shares_a_machine_that_outlives_it(compose: dict[str, Any]) -> None:
    machines = machines_of(compose)
    assert len(machines) == 3
    for name, one in compose["services"].items():
        if name in machines:
            assert set(one["networks"]) == {"consortium"}
        else:  # of a container that restarts, others would keep the dead network
            assert one["network_mode"] in {"none", *(f"service:{each}" for each in machines)}
            assert not {"networks", "ports"} & set(one)


def test_compose__our_image__runs_as_the_folders_owner(compose: dict[str, Any]) -> None:
    ours = [one for one in compose["services"].values() if one["image"] == "dmsm-node"]
    assert len(ours) == 3 + 3 + 3 + 3 + 2
    assert all(one["user"].startswith("${DMSM_USER:?") for one in ours)  # unset: it says so
    assert all(one["cap_drop"] == ["ALL"] for one in ours)


def test_compose__each_program__has_a_health_check(compose: dict[str, Any]) -> None:
    machines = machines_of(compose)
    for name, one in compose["services"].items():
        assert name in machines or one["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name


def test_compose__what_up_starts__needs_no_file_that_nothing_makes(compose: dict[str, Any]) -> None:
    services = compose["services"]
    started = [one for one in services.values() if "profiles" not in one]
    assert not [one for one in started if "secrets" in one]
    mounted = {m.split(":")[0] for one in started for m in one.get("volumes", []) if m[0] == "."}
    assert {one for one in mounted if not one.startswith("./monitoring")} == {"./site"}
    assert {name for name in services if "profiles" in services[name]} == {"processor", "postgres"}


def shipped_profile(folder: Path) -> Profile:
    """Read network/processor.toml where it would lie, beside a network of three machines."""
    view = {
        "engine": "clique",
        "chain_id": 20_191,
        "rpc_url": ["http://127.0.0.1:8545"],
        "deployment": "deployment.json",
        "store_copies": 2,
        "confirmations": 2,
        "gas_price_wei": 10**9,
        "owner_key_file": "keys/consortium",
    }
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in view.items()]
    (folder / "network.toml").write_text("".join(lines))
    text = (NETWORK / "processor.toml").read_text()
    assert f'network = "{TARGET}/network.toml"' in text
    (folder / "dmsm.toml").write_text(text.replace(str(TARGET), str(folder)))
    return load_profile(folder / "dmsm.toml")


def test_processor__its_profile__is_one_and_listens_where_a_published_port_leads(
    tmp_path: Path, compose: dict[str, Any]
) -> None:
    node = shipped_profile(tmp_path).require_node()
    published = [port for one in compose["services"].values() for port in one.get("ports", [])]
    assert f"127.0.0.1:{node.port}:{node.port}" in published
    assert node.host == "0.0.0.0"  # a container's published port does not reach its loopback


def test_processor__its_second_store__is_what_tunnel_and_compose_lead_to(
    tmp_path: Path, compose: dict[str, Any]
) -> None:
    first, second = shipped_profile(tmp_path).store_urls
    assert first == f"http://127.0.0.1:{IPFS_PORTS[1]}"
    port = second.rpartition(":")[2]
    tunnel = (NETWORK / "systemd" / "dmsm-second-store.service").read_text()
    assert f"-L 127.0.0.1:{port}:127.0.0.1:{IPFS_PORTS[1]} " in tunnel
    here, there = (compose["services"][name] for name in ("second-store", "second-store-there"))
    assert here["command"][1].startswith(f"TCP-LISTEN:{port},bind=127.0.0.1,")
    assert here["network_mode"] == compose["services"]["processor"]["network_mode"]
    assert there["network_mode"] != here["network_mode"]
    assert there["command"][2] == f"TCP:127.0.0.1:{IPFS_PORTS[1]}"
    socket = here["command"][2].removeprefix("UNIX-CONNECT:")
    assert there["command"][1].startswith(f"UNIX-LISTEN:{socket},")


def test_processor__its_database__is_the_service_of_the_compose_file(
    tmp_path: Path, compose: dict[str, Any]
) -> None:
    assert shipped_profile(tmp_path).database is None  # files, until somebody wants the server
    text = (NETWORK / "processor.toml").read_text()
    lines = [line for line in text.splitlines() if line.startswith(("#[", "#url", "#password"))]
    database = tomllib.loads("\n".join(line[1:] for line in lines))["database"]
    service, url = compose["services"]["postgres"], urlsplit(database["url"])
    assert (url.username, url.path) == (
        service["environment"]["POSTGRES_USER"],
        "/" + service["environment"]["POSTGRES_DB"],
    )
    assert url.hostname == "127.0.0.1" and url.port == 5432
    node = compose["services"]["processor"]
    assert service["network_mode"] == node["network_mode"]  # one loopback
    assert node["depends_on"]["postgres"] == {"condition": "service_healthy", "required": False}
    secret = compose["secrets"]["postgres"]["file"]
    assert database["password_file"] == secret.replace("./site", str(TARGET))


def test_dockerignore__the_build__gets_what_is_copied_and_no_keys() -> None:
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    copies = [
        line.split()[1:-1]
        for line in (NETWORK / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ")
    ]
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert let_in == {source for sources in copies for source in sources}
    assert not [one for one in let_in if one.startswith("network") or one == ".cache"]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd__each_unit__has_its_sections_and_gives_up_privileges(path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(path.read_text())
    assert {"Unit", "Service", "Install"} <= set(unit.sections())
    assert unit["Service"]["NoNewPrivileges"] == "yes"
    assert unit["Service"]["Restart"] == "always"


@pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="no systemd-analyze: part of systemd"
)
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


def test_prometheus__its_unit__takes_the_port_from_debians_own() -> None:
    unit = (NETWORK / "systemd" / "dmsm-prometheus.service").read_text()
    assert "Conflicts=prometheus.service" in unit.splitlines()


def test_prometheus__rules__are_looked_at_as_often_as_nodes_are_asked() -> None:
    given = load(NETWORK / "monitoring" / "prometheus.yml")["global"]
    assert given["evaluation_interval"] == given["scrape_interval"]


# Blocks taken back, and reorganisations, each 5 s; what must fire in the minute after.
FORKS = [
    ("12 short forks", "0+1x12 12x60", "0+1x12 12x60", []),
    ("60 short forks", "0+4x15 60x60", "0+4x15 60x60", ["ManyBlocksTakenBack"]),
    ("one of 10", "0x5 10x60", "0x5 1x60", ["DeepReorganisation"]),
    ("one of 2", "0x5 2x60", "0x5 1x60", []),
]


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: part of Prometheus")
@pytest.mark.parametrize(("name", "drop", "executes", "fires"), FORKS, ids=[f[0] for f in FORKS])
def test_alerts__blocks_taken_back__tell_depth_from_number(
    tmp_path: Path, name: str, drop: str, executes: str, fires: list[str]
) -> None:
    series = {"chain_reorg_drop": drop, "chain_reorg_executes": executes}
    asked = [
        {"alertname": alert, "eval_time": "2m", "exp_alerts": [{}] if alert in fires else []}
        for alert in ("DeepReorganisation", "ManyBlocksTakenBack")
    ]
    rules = load(NETWORK / "monitoring" / "alerts.yml")
    for rule in rules["groups"][0]["rules"]:
        rule.pop("annotations")  # promtool would compare their words
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(rules))
    test = {
        "rule_files": ["alerts.yml"],
        "evaluation_interval": "5s",
        "tests": [
            {
                "name": name,
                "interval": "5s",
                "input_series": [{"series": k, "values": v} for k, v in series.items()],
                "alert_rule_test": asked,
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    command = ["promtool", "test", "rules", "test.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: part of Prometheus")
def test_prometheus__its_files__are_understood_by_promtool() -> None:
    command = ["promtool", "check", "config", str(NETWORK / "monitoring" / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboard__each_panel__asks_the_shipped_data_source() -> None:
    dashboard = json.loads((NETWORK / "monitoring" / "dashboard.json").read_text())
    source = load(NETWORK / "monitoring" / "grafana-datasource.yml")["datasources"][0]
    assert len(dashboard["panels"]) == 12
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == source["uid"]
        assert all(target["expr"] for target in panel["targets"])
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len(set(places)) == len(places)
