"""Run every test that needs no network of nodes, and hold the line coverage of the Python code.

    .venv/bin/python toolchain/run_tests.py

The pure tests run in two processes, the contract tests (Brownie, anvil) in two beside them, with
their output shown after those; the end-to-end tests come last. Ends with 0 only if all passed and
coverage is at least ``fail_under`` of pyproject.toml. Says how many tests were skipped because a
program is missing (PostgreSQL, say); with DMSM_ALL_PROGRAMS set that is a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from missing_programs import summary

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / ".cache" / "contract-tests.log"
MISSING = ROOT / ".cache" / "missing-programs"
COVERAGE = [sys.executable, "-m", "coverage"]
# A test that hangs fails, and says where it stood.
PYTEST = ["-m", "pytest", "-p", "no:pytest-brownie", "-q", "--timeout=900"]
PYTEST += ["-p", "toolchain.missing_programs"]
# A file stays in one process: many share keys or a chain that take seconds to make.
IN_PARALLEL = ["-n", "2", "--dist", "loadfile"]


def main() -> int:
    """Run all parts; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shutil.rmtree(ROOT / ".cache" / "coverage", ignore_errors=True)
    (ROOT / ".cache" / "coverage").mkdir(parents=True)
    MISSING.write_text("")
    with LOG.open("wb") as log:
        command = [sys.executable, "toolchain/brownie_test.py", "-q"]
        contracts = _start(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            failed = (
                []
                if _pytest("pure", ["tests/unit", "tests/integration"], *IN_PARALLEL)
                else ["pure"]
            )
            _title("contract tests (Brownie on anvil)")
            if _wait_showing_dots(contracts):
                failed.append("contracts")
        finally:
            _stop(contracts)
    sys.stdout.write(LOG.read_text(errors="replace"))
    if not _pytest("end-to-end", ["tests/e2e"]):
        failed.append("end-to-end")
    _title("line coverage of offchain and device_agent")
    _call([*COVERAGE, "combine", "--quiet"])
    if _call([*COVERAGE, "report"]):
        failed.append("coverage")
    for sentence in summary(MISSING.read_text().splitlines()):
        print(f"\n{sentence}")
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall tests passed")
    return 1 if failed else 0


def _pytest(name: str, folders: list[str], *options: str) -> bool:
    paths = [f for f in folders if any((ROOT / f).rglob("test_*.py"))]
    if not paths:
        print(f"\n(no {name} tests yet)")
        return True
    _title(f"{name} tests: {' '.join(paths)}")
    return _call([*COVERAGE, "run", *PYTEST, *options, *paths]) == 0


def _title(text: str) -> None:
    print(f"\n== {text}", flush=True)


def _start(command: list[str], **options: object) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "DMSM_MISSING_PROGRAMS": str(MISSING)}
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, env=environment, **options)  # type: ignore[call-overload]


def _call(command: list[str]) -> int:
    process = _start(command)
    try:
        return process.wait()
    finally:
        _stop(process)


def _wait_showing_dots(process: subprocess.Popen[bytes]) -> int:
    since = time.monotonic()
    while process.poll() is None:
        time.sleep(0.5)
        if time.monotonic() - since > 15:
            since = time.monotonic()
            print("   ... running", flush=True)
    return process.returncode


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()  # brownie_test.py stops its anvil on this
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
