#!/usr/bin/env python3
"""Run Brownie tests on an anvil and a project copy of their own, beside any number of others.

    .venv/bin/python toolchain/brownie_test.py [--hardfork prague] [PATH ...] [pytest options]

The contracts are compiled for London always; ``--hardfork`` chooses the rules of the chain.
Without a path it runs tests/contracts and tests/stateful, as far as they exist, in two processes
(shares.py). Ends with pytest's exit code. Files that tests leave under ``reports/`` or
``tests/snapshots/`` are taken back into the checkout when ``DMSM_KEEP=1`` is set; then it is one
process, so that none takes back what another has not changed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "toolchain")]

import shares
from anvil import CHAIN_ID, HARDFORKS, running_anvil
from brownie_home import (
    NETWORK,
    brownie_command,
    keep_build,
    make_brownie_home,
    make_brownie_project,
)

DEFAULT_PATHS = ("tests/contracts", "tests/stateful")
PASSED, FAILED = 0, 1


def main(arguments: list[str]) -> int:
    """Run the tests that ``arguments`` name; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments, hardfork = _take_hardfork(arguments)
    if not any(_is_path(argument) for argument in arguments):
        return _run_all(arguments, hardfork)
    work = ROOT / ".cache" / "brownie"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="test-", dir=work) as folder:
        return _run(Path(folder), arguments, hardfork)


def _run_all(options: list[str], hardfork: str) -> int:
    seconds = shares.seconds_of(DEFAULT_PATHS)
    if not seconds:
        print("brownie_test: there are no contract tests yet")
        return 0
    parts = [sorted(seconds)] if _is_kept() else shares.split(seconds)
    command = [sys.executable, __file__, "--hardfork", hardfork]
    return shares.run(command, parts, options)


def _is_path(argument: str) -> bool:
    path = (ROOT / argument.split("::")[0]).resolve()
    return not argument.startswith("-") and path.is_relative_to(ROOT / "tests") and path.exists()


def with_a_path_first(arguments: list[str]) -> list[str]:
    """Brownie takes all of tests/ when what comes first is an option; twice a path runs once."""
    return [*[a for a in arguments if _is_path(a)][:1], *arguments]


def _is_kept() -> bool:
    return os.environ.get("DMSM_KEEP") == "1"


def _take_hardfork(arguments: list[str]) -> tuple[list[str], str]:
    if "--hardfork" not in arguments:
        return arguments, HARDFORKS[0]
    at = arguments.index("--hardfork")
    chosen = arguments[at + 1] if at + 1 < len(arguments) else ""
    if chosen not in HARDFORKS:
        raise SystemExit(f"--hardfork takes one of {', '.join(HARDFORKS)}, not {chosen!r}")
    return arguments[:at] + arguments[at + 2 :], chosen


def _run(folder: Path, arguments: list[str], hardfork: str) -> int:
    project = make_brownie_project(folder / "project", with_tests=True)
    with running_anvil(folder, hardfork=hardfork) as url:
        environment = make_brownie_home(folder / "home", rpc_url=url, chain_id=CHAIN_ID)
        command = brownie_command("test", *with_a_path_first(arguments), "--network", NETWORK)
        process = subprocess.Popen(command, cwd=project, env=environment, stdin=subprocess.DEVNULL)
        try:
            code = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code in (PASSED, FAILED):  # so the contracts compiled
        keep_build(project)
    if _is_kept():
        for name in ("reports", "tests/snapshots"):
            if (project / name).is_dir():
                shutil.copytree(project / name, ROOT / name, dirs_exist_ok=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
