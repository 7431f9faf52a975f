"""The content stores under test: the directory store always, Kubo where an `ipfs` program is found.

The daemon is private and offline: own repository, no peers, random loopback ports.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from offchain.storage import ContentStore, open_store

_PROJECT = Path(__file__).resolve().parents[3]


def find_ipfs() -> str | None:
    """Return the ipfs program of DMSM_IPFS, of the project's cache, or of PATH."""
    cached = _PROJECT / ".cache" / "kubo" / "ipfs"
    return os.environ.get("DMSM_IPFS") or (str(cached) if cached.exists() else shutil.which("ipfs"))


@contextmanager
def running_kubo(program: str, folder: Path, *, checks_hashes: bool = False) -> Iterator[str]:
    """Start a daemon with its repository in `folder` and yield its RPC address."""
    environment = {**os.environ, "IPFS_PATH": str(folder), "IPFS_TELEMETRY": "off"}
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([program, "init", "--empty-repo", "--profile=test"], check=True, **quiet)
    _configure(folder / "config", checks_hashes)
    daemon = subprocess.Popen([program, "daemon", "--offline"], **quiet)
    try:
        yield _rpc_address(daemon, folder / "api")
    finally:
        daemon.terminate()
        try:
            daemon.wait(timeout=10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _configure(path: Path, checks_hashes: bool) -> None:
    """Cut it off from the world."""
    config = json.loads(path.read_text())
    config["Datastore"]["HashOnRead"] = checks_hashes
    config["Bootstrap"] = []
    config["AutoConf"] = {"Enabled": False}
    config["Addresses"].update(API="/ip4/127.0.0.1/tcp/0", Gateway="", Swarm=[])
    config["Routing"] = {"Type": "none"}
    config["DNS"] = {"Resolvers": {}}
    config["Ipns"]["DelegatedPublishers"] = []
    config["Routing"]["DelegatedRouters"] = []
    path.write_text(json.dumps(config))


def _rpc_address(daemon: subprocess.Popen, api_file: Path) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and daemon.poll() is None:
        if api_file.exists() and api_file.read_text().strip():
            _, _, host, _, port, *_ = api_file.read_text().strip().split("/")
            return f"http://{host}:{port}"
        time.sleep(0.05)
    raise RuntimeError(f"the ipfs daemon did not come up (exit code {daemon.poll()})")


@pytest.fixture(scope="session")
def kubo_program() -> str:
    program = find_ipfs()
    if program is None:
        pytest.skip(
            "no ipfs: DMSM_IPFS, .cache/kubo/ipfs (make test-net builds it) or the PATH names it"
        )
    return program


@pytest.fixture(scope="session")
def kubo_url(kubo_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_kubo(kubo_program, tmp_path_factory.mktemp("kubo")) as url:
        yield url


@pytest.fixture(params=["dir", "kubo"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ContentStore]:
    url = f"dir:{tmp_path}/store" if request.param == "dir" else request.getfixturevalue("kubo_url")
    with open_store(url) as opened:
        yield opened
