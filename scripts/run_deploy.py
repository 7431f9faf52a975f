"""Deploy every contract to the node at an address: ``brownie run deploy`` in a home of its own.

    python scripts/run_deploy.py --rpc http://127.0.0.1:8545 --chain-id 31337 --out deployment.json

``scripts/deploy.py`` writes the addresses to the file that ``DMSM_DEPLOYMENT_FILE`` names; other
settings reach it through the environment unchanged. Brownie's output goes to stderr. Ends with
Brownie's exit code, or 1 when no addresses were written.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from brownie_home import (
    NETWORK,
    brownie_command,
    keep_build,
    make_brownie_home,
    make_brownie_project,
)


def main(arguments: list[str] | None = None) -> int:
    """Run the deployment that the command line asks for; return the exit code."""
    options = _parse(arguments)
    out = Path(options.out).resolve()
    out.unlink(missing_ok=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dmsm-deploy-") as folder:
        code = _deploy(options, Path(folder), out)
    if code == 0 and not out.exists():
        print(f"run_deploy: the deployment ended without writing {out}", file=sys.stderr)
        return 1
    return code


def _deploy(options: argparse.Namespace, folder: Path, out: Path) -> int:
    project = make_brownie_project(folder / "project")
    environment = make_brownie_home(
        folder / "home", rpc_url=options.rpc, chain_id=options.chain_id, live=True
    )
    environment.update(DMSM_DEPLOYMENT_FILE=str(out), DMSM_CHAIN_ID=str(options.chain_id))
    command = brownie_command("run", options.script, "--network", NETWORK)
    code = _run(command, folder=project, environment=environment)
    if code == 0 and os.access(Path(__file__).resolve().parent.parent, os.W_OK):
        keep_build(project)
    return code


def _run(command: list[str], *, folder: Path, environment: dict[str, str]) -> int:
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="deploy all contracts with Brownie")
    parser.add_argument("--rpc", required=True, help="address of the node, http://host:port")
    parser.add_argument("--chain-id", required=True, type=int)
    parser.add_argument("--out", required=True, help="file to write the addresses to (JSON)")
    parser.add_argument("--script", default="deploy", help="name of the script (default: deploy)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
