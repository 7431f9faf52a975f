"""The tests that the changes to Geth bring along, in the source that it was built from."""

from __future__ import annotations

import subprocess

import pytest

from offchain.network.programs import GETH, find_program

# The engine's own tests, too: what is ranked must leave what is not as it was.
PACKAGES = {
    "./consensus/clique": ".",
    "./core/forkid": ".",
    "./eth/fetcher": "AwaitParent|Import|Propagat",
    "./eth": "AnnounceHead|AskForFork|RecvTransactions|BroadcastMalformed",
}


@pytest.mark.long
@pytest.mark.parametrize("package", PACKAGES)
def test_go_tests__of_what_was_changed__pass(package: str) -> None:
    source = find_program(GETH).with_name("source")
    if not source.is_dir():
        pytest.skip("this Geth was not built here")
    done = subprocess.run(
        ["go", "test", "-ldflags=-checklinkname=0", "-run", PACKAGES[package], package],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    assert "no tests to run" not in done.stdout
