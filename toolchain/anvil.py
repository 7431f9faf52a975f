"""Start and stop a private anvil (no base fee; London rules, or later ones) for tests."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHAIN_ID = 31337
HARDFORKS = ("london", "prague")
START_SECONDS = 30.0


def anvil_binary() -> Path:
    """Return the native program; the npm launcher beside it would orphan it when killed."""
    found = sorted((ROOT / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil"))
    if not found:
        raise SystemExit("anvil is not installed: run `make setup`")
    return found[0]


@contextlib.contextmanager
def running_anvil(folder: Path, *, hardfork: str = "london") -> Iterator[str]:
    """Run anvil on a free port with its log in ``folder``; yield its URL; stop it in any case."""
    log = folder / "anvil.log"
    command = [str(anvil_binary()), "--host", "127.0.0.1", "--port", "0"]
    command += ["--hardfork", hardfork, "--base-fee", "0", "--gas-price", "0"]
    command += ["--chain-id", str(CHAIN_ID), "--accounts", "20", "--balance", "1000000"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield _wait_for_url(process, log)
    finally:
        process.kill()
        process.wait()


def _wait_for_url(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        match = re.search(rb"Listening on (127\.0\.0\.1:\d+)", log.read_bytes())
        if match:
            return "http://" + match[1].decode()
        time.sleep(0.05)
    raise SystemExit(f"anvil did not start:\n{log.read_text(errors='replace')[-2000:]}")
