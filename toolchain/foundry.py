"""Run forge on the contracts: the native program, with exit codes that mean something.

    .venv/bin/python toolchain/foundry.py selfcheck          a test that fails must make forge fail
    .venv/bin/python toolchain/foundry.py test [--deep] ...  every test; ``--deep`` with many runs
    .venv/bin/python toolchain/foundry.py forge ...          any other command of forge

``selfcheck`` comes first in every ``test``: npm's launcher of forge returns 0 whatever happens, and
a run that finds no test is green as well.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MUST_FAIL = "tests/forge/must_fail"
FAILED = re.compile(r"0 tests passed, 1 failed, 0 skipped")
PASSED = re.compile(r"(\d+) tests? passed, 0 failed, (\d+) skipped")


def forge_binary() -> Path:
    """Return the native program."""
    found = sorted((ROOT / "node_modules" / "@foundry-rs").glob("forge-*/bin/forge"))
    if not found:
        raise SystemExit("forge is not installed: run `make setup`")
    return found[0]


def forge(
    *arguments: str,
    profile: str = "default",
    settings: dict[str, str] | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run forge in the checkout; never raises on failure. ``settings`` go into its environment."""
    environment = {**os.environ, "FOUNDRY_PROFILE": profile, **(settings or {})}
    command = [str(forge_binary()), *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, **options)


def selfcheck() -> int:
    """Return 0 only if the test that is there to fail was run, failed, and made forge fail."""
    done = forge(
        "test", "--match-path", f"{MUST_FAIL}/**",
        profile="must_fail", capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0 and FAILED.search(done.stdout):
        print("forge fails when a test fails: yes")
        return 0
    print(done.stdout + done.stderr)
    print(
        "forge does not fail when a test fails, or did not run it: nothing it says can be believed"
    )
    return 1


def run_tests(arguments: list[str]) -> int:
    """Run the tests after the self-check; return the exit code."""
    if selfcheck():
        return 1
    deep = "--deep" in arguments
    rest = [argument for argument in arguments if argument != "--deep"]
    done = forge(
        "test", *rest, profile="deep" if deep else "default", stdout=subprocess.PIPE, text=True
    )
    print(done.stdout)
    summary = PASSED.search(done.stdout)
    if done.returncode == 0 and not (summary and int(summary[1]) and not int(summary[2])):
        print("forge ran no test, or skipped some")
        return 1
    return done.returncode


def main(arguments: list[str]) -> int:
    """Run the named command; return the exit code."""
    match arguments:
        case ["selfcheck"]:
            return selfcheck()
        case ["test", *rest]:
            return run_tests(rest)
        case ["forge", *rest]:
            return forge(*rest).returncode
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
