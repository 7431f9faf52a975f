"""Deploy the contracts on a network, with the project's one deployment script (Brownie)."""

from __future__ import annotations

import os
import subprocess
import sys

from offchain.network.errors import DeployFailed
from offchain.network.founders import founder
from offchain.network.plan import NetworkPlan
from offchain.network.programs import PROJECT

_SCRIPT = PROJECT / "scripts" / "run_deploy.py"
_DEPLOY_S = 600


def deploy(plan: NetworkPlan) -> None:
    """Deploy all contracts from the consortium's account and write `deployment.json`.

    Raises DeployFailed with the end of what the script said, PlanInvalid for a damaged key.
    """
    key = bytes(founder(plan, "consortium").key).hex()
    out = plan.folder / "deployment.json"
    command = [sys.executable, str(_SCRIPT), "--rpc", plan.rpc_urls[0]]
    command += ["--chain-id", str(plan.chain_id), "--out", str(out)]
    log = plan.folder / "logs" / "deploy.log"
    why = ""
    with log.open("wb") as stream:
        try:
            subprocess.run(
                command,
                env={**os.environ, "DMSM_DEPLOYER_KEY": "0x" + key},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                timeout=_DEPLOY_S,
                check=True,
            )
        except subprocess.TimeoutExpired:
            why = f": it was not done in {_DEPLOY_S} s"
        except subprocess.CalledProcessError as error:
            why = f" with code {error.returncode}"
    if why or not out.exists():
        said = log.read_text(errors="replace").strip()[-400:]
        raise DeployFailed(f"the deployment failed{why}; see {log}. It said: {said}")
