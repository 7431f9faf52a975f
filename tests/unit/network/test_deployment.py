"""A deployment that fails says so in the network's own words, with what the script said last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account

from offchain.network import deployment
from offchain.network.errors import DeployFailed, PlanInvalid
from offchain.network.plan import NetworkPlan, SignerPlan, write_whole

KEY = "11" * 32


@pytest.fixture
def plan(tmp_path: Path) -> NetworkPlan:
    for name in ("keys", "logs"):
        (tmp_path / name).mkdir()
    write_whole(tmp_path / "keys" / "consortium", KEY + "\n", mode=0o600)
    funded = {"alloc": {Account.from_key(KEY).address.removeprefix("0x"): {"balance": "0x1"}}}
    write_whole(tmp_path / "genesis.json", json.dumps(funded))
    signer = SignerPlan(
        name="signer-1",
        host="127.0.0.1",
        address="0x" + "11" * 20,
        node_id="11" * 64,
        p2p_port=1,
        rpc_port=2,
        auth_port=3,
        metrics_port=4,
    )
    return NetworkPlan(
        folder=tmp_path,
        engine="clique",
        chain_id=7,
        period_s=0,
        heartbeat_s=2,
        signers=(signer,),
        ipfs=(),
    )


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("import time; print('at it', flush=True); time.sleep(60)", "not done in 2 s.*at it"),
        ("print('at it'); raise SystemExit(3)", "with code 3.*at it"),
        ("print('at it')", "failed; see.*at it"),  # it wrote no file
    ],
)
def test_deploy__script_that_hangs_or_fails__is_told_with_what_it_said(
    plan: NetworkPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    (tmp_path / "script.py").write_text(script)
    monkeypatch.setattr(deployment, "_SCRIPT", tmp_path / "script.py")
    monkeypatch.setattr(deployment, "_DEPLOY_S", 2)
    with pytest.raises(DeployFailed, match=why):
        deployment.deploy(plan)


@pytest.mark.parametrize("at", [0, 1, 31, 63])
def test_deploy__damaged_digit_of_the_key__is_told_and_no_other_account_used(
    plan: NetworkPlan, at: int
) -> None:
    damaged = KEY[:at] + "2" + KEY[at + 1 :]
    write_whole(plan.key("consortium"), damaged + "\n", mode=0o600)
    with pytest.raises(PlanInvalid, match=r"damaged.*no money"):
        deployment.deploy(plan)


@pytest.mark.parametrize("text", ["00" * 32, "ff" * 32, "11" * 31, "no key"])
def test_deploy__key_that_is_none__is_told(plan: NetworkPlan, text: str) -> None:
    write_whole(plan.key("consortium"), text + "\n", mode=0o600)
    with pytest.raises(PlanInvalid, match="no private key"):
        deployment.deploy(plan)


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON", '{"alloc": 5}'])
def test_deploy__genesis_that_is_none__is_told(plan: NetworkPlan, text: str) -> None:
    write_whole(plan.folder / "genesis.json", text)
    with pytest.raises(PlanInvalid, match="no genesis block"):
        deployment.deploy(plan)
