"""Run the tests on real networks of Geth and Kubo: `make test-net`, and its short form.

    .venv/bin/python toolchain/run_network_tests.py [--short] [pytest options]

First tests/network, then the tests of roles that are marked `real_chain`, on signers and a Kubo
of their own, then those of every worker under reorganisations that anvil makes, 1 to 5 blocks deep.
`--short` leaves out tests marked `long`, and the last part, which `make test` has, too; it says so
and ends well where Go is absent and the programs were not built before. Ends with 0 only if all
passed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from offchain.network.errors import ProgramMissing
from offchain.network.programs import GETH, KUBO, TOXIPROXY, find_program, is_built

ROOT = Path(__file__).resolve().parent.parent
# A test that hangs fails and ends its network; the longest says itself how long it may take.
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:pytest-brownie", "-q", "--timeout=900"]
ROLES = "tests/integration"
REORGANISATIONS = [
    "tests/integration/node/test_reorganisations.py",
    "tests/integration/agent/test_reorganisations.py",
    "tests/integration/chain/test_final.py",
    "tests/integration/index/test_town.py",
]


def main(arguments: list[str]) -> int:
    """Run all parts; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    is_short = "--short" in arguments
    options = [one for one in arguments if one != "--short"]
    programs = (GETH, KUBO) if is_short else (GETH, KUBO, TOXIPROXY)
    if is_short and shutil.which("go") is None and not all(map(is_built, programs)):
        print("network tests left out: Go is absent and Geth and Kubo were not built before")
        return 0
    try:
        for program in programs:
            find_program(program, say=lambda text: print(text, flush=True))
    except ProgramMissing as error:
        print(error, file=sys.stderr)
        return 1
    return _run(options, is_short=is_short)


def _run(options: list[str], *, is_short: bool) -> int:
    wanted = ["-m", "not long"] if is_short else []
    print("\n== real networks: tests/network", flush=True)
    codes = [_call([*PYTEST, *wanted, *options, "tests/network"])]
    print(f"\n== the roles on real signers and Kubo: {ROLES}", flush=True)
    chosen = "real_chain and not long" if is_short else "real_chain"
    codes.append(_call([*PYTEST, "-m", chosen, *options, ROLES], DMSM_TEST_CHAIN="clique"))
    if not is_short:
        print("\n== reorganisations that anvil makes, under every worker", flush=True)
        codes.append(_call([*PYTEST, *options, *REORGANISATIONS]))
    print("\nnetwork tests failed" if any(codes) else "\nall network tests passed")
    return 1 if any(codes) else 0


def _call(command: list[str], **environment: str) -> int:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
