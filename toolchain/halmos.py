"""Prove properties of the contracts for every input: the symbolic tests, run by halmos.

    .venv/bin/python toolchain/halmos.py [options of halmos]

Takes minutes, most of them for the proofs about whole sequences of calls (``--match-contract``
picks others).
Ends with 0 only if every property was proven and the one that is false was refuted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "toolchain"))

import analysers
from foundry import forge_binary

WORK = ROOT / ".cache" / "halmos"
MUST_FAIL = "check_must_fail__"
PROVEN, REFUTED = 0, 1  # halmos' exit codes of one test
UNFINISHED = -1


def main(options: list[str]) -> int:
    """Run halmos; return the exit code."""
    analysers.install()
    WORK.mkdir(parents=True, exist_ok=True)
    report = WORK / "report.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-P", str(ROOT / "toolchain" / "precompiles.py")]
    command += ["--forge-build-out", str(WORK / "out")]
    command += ["--no-status", "--solver-timeout-assertion", "300s"]
    command += ["--json-output", str(report), *options]
    environment = analysers.environment(forge_binary()) | {"FOUNDRY_PROFILE": "symbolic"}
    subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
    if not report.exists():
        print("halmos: gave no report")
        return 1
    suites = json.loads(report.read_text())["test_results"]
    return judge({it["name"]: verdict(it) for tests in suites.values() for it in tests})


def verdict(result: dict) -> int:
    """Return the exit code of a test; a proof that stopped unrolling a loop is none."""
    code = int(result["exitcode"])
    return UNFINISHED if code == PROVEN and result["num_bounded_loops"] else code


def judge(results: dict[str, int]) -> int:
    """Tell by the exit code of each test whether all is as it must be; return the exit code."""
    controls = {name for name in results if name.startswith(MUST_FAIL)}
    properties = results.keys() - controls
    failed = [name for name in sorted(properties) if results[name] != PROVEN]
    failed += [name for name in sorted(controls) if results[name] != REFUTED]
    print(f"halmos: {len(properties)} properties, {len(controls)} false on purpose")
    for name in failed:
        print(f"  not as it must be: {name}")
    return 1 if failed or not properties or not controls else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
