"""The shipped dashboard and alerts ask for metrics that the nodes have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import requests
import yaml

from offchain.network.operation import Network

MONITORING = Path(__file__).resolve().parents[2] / "network" / "monitoring"
METRIC = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")


def metrics_at(url: str) -> set[str]:
    session = requests.Session()
    session.trust_env = False
    text = session.get(f"{url}/debug/metrics/prometheus", timeout=10).text
    return {
        re.split(r"[{ ]", line)[0]
        for line in text.splitlines()
        if line and not line.startswith("#")
    }


def test_monitoring__each_expression__names_metrics_of_geth_or_kubo(network: Network) -> None:
    there = metrics_at(f"http://127.0.0.1:{network.plan.signers[0].metrics_port}")
    there |= metrics_at(network.plan.ipfs_urls[0])
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    asked = [one["expr"] for panel in dashboard["panels"] for one in panel["targets"]]
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"][0]["rules"]
    asked += [rule["expr"] for rule in rules]
    named = {name for expression in asked for name in METRIC.findall(expression)}
    assert len(named) > 10
    assert named - there == set()
