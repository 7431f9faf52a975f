"""Compile the contracts with Brownie into ``build/`` and write their ABIs for the run time."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from brownie_home import brownie_command, keep_build, make_brownie_home, make_brownie_project


def main() -> int:
    """Compile and export; return the exit code."""
    work = ROOT / ".cache" / "brownie"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="compile-", dir=work) as folder:
        environment = make_brownie_home(
            Path(folder) / "home", rpc_url="http://127.0.0.1:1", chain_id=1
        )
        project = make_brownie_project(Path(folder) / "project")
        code = subprocess.call(
            brownie_command("compile"), cwd=project, env=environment, stdin=subprocess.DEVNULL
        )
        if code:
            return code
        keep_build(project)
    export = ROOT / "scripts" / "export_abi.py"
    return subprocess.call([sys.executable, str(export)], cwd=ROOT) if export.exists() else 0


if __name__ == "__main__":
    sys.exit(main())
