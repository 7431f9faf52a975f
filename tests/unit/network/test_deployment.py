"""A deployment that fails says so in the network's own words, with what the script said last."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.network import deployment
from offchain.network.errors import DeployFailed
from offchain.network.plan import NetworkPlan, SignerPlan, write_whole


@pytest.fixture
def plan(tmp_path: Path) -> NetworkPlan:
    for name in ("keys", "logs"):
        (tmp_path / name).mkdir()
    write_whole(tmp_path / "keys" / "consortium", "11" * 32 + "\n", mode=0o600)
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
