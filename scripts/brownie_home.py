"""Give every Brownie process a home and a project folder of its own.

Brownie keeps networks, caches and databases under ``$HOME`` and writes ``build/`` into the project.
Two runs at once would disturb each other, and an empty or read-only home would stop it. So each run
gets a folder with a home (``make_brownie_home``) and a copy of the project's sources that shares
nothing but ``node_modules`` (``make_brownie_project``). Needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import filecmp
import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NETWORK = "dmsm"
SOLC_FOLDER = ROOT / ".cache" / "solcx"
BUILD = ROOT / "build"
BUILD_FOLDERS = ("contracts", "interfaces")
KEPT_BUILDS = ROOT / ".cache" / "brownie" / "builds"
BUILDS_TO_KEEP = 3
SOURCES = ("contracts", "interfaces", "scripts", "brownie-config.yaml")
# What others import. Brownie recompiles a contract when its own text has changed, not when a struct
# of an interface has: what was compiled against another interface is of no use.
SHARED_SOURCES = ("interfaces", "contracts/bases", "contracts/libraries", "contracts/types")
DIGEST = "shared-sources.sha256"
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".hypothesis", ".pytest_cache")


def make_brownie_home(
    directory: Path, *, rpc_url: str, chain_id: int, live: bool = False
) -> dict[str, str]:
    """Create a home for Brownie in which the network ``dmsm`` is the node at ``rpc_url``.

    ``directory`` is created. With ``live`` false the node must be a local test node that can take
    snapshots (Brownie attaches to it and never stops it); with ``live`` true any node will do.
    Returns a copy of this process's environment to start Brownie with.
    """
    for name in (".brownie/accounts", ".brownie/packages", ".vvm", ".solcx"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    networks = _network_config(rpc_url=rpc_url, chain_id=chain_id, live=live)
    # Brownie reads this with a YAML parser, and JSON is YAML.
    (directory / ".brownie" / "network-config.yaml").write_text(json.dumps(networks, indent=2))
    environment = dict(os.environ)
    environment.update(
        HOME=str(directory.resolve()),
        SOLCX_BINARY_PATH=str(SOLC_FOLDER),
        VVM_BINARY_PATH=str((directory / ".vvm").resolve()),
        PYTHONDONTWRITEBYTECODE="1",
    )
    return environment


def _network_config(*, rpc_url: str, chain_id: int, live: bool) -> dict[str, list]:
    entry: dict[str, object] = {"id": NETWORK, "name": "DMSM", "host": rpc_url, "timeout": 120}
    if live:
        entry["chainid"] = str(chain_id)
        return {"live": [{"name": "DMSM", "networks": [entry]}], "development": []}
    entry.update(cmd="anvil", cmd_settings={"chain_id": chain_id})
    return {"live": [], "development": [entry]}


def brownie_command(*arguments: str) -> list[str]:
    """Return the command line that runs ``brownie ARGUMENTS`` under this process's Python.

    Not the script ``bin/brownie``: its first line holds a path that may be too long or hold spaces.
    """
    return [sys.executable, str(ROOT / "scripts" / "brownie_main.py"), *arguments]


def make_brownie_project(directory: Path, *, with_tests: bool = False) -> Path:
    """Copy the contracts and scripts, with what is compiled already, to ``directory``; return it.

    ``with_tests`` copies ``tests/`` and pytest's settings too.
    """
    directory.mkdir(parents=True, exist_ok=True)
    names = (
        [*SOURCES, "tests", "bench", "pyproject.toml", "docs", "deployments"]
        if with_tests
        else SOURCES
    )
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, directory / name, ignore=IGNORED, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy2(source, directory / name)
    (directory / "node_modules").symlink_to(ROOT / "node_modules")
    kept = _kept_builds()
    if kept and _kept_digest(kept[-1]) == _shared_digest(directory):
        shutil.copytree(kept[-1], directory / "build", dirs_exist_ok=True)
    return directory


def keep_build(directory: Path) -> None:
    """Take over what is compiled in the copy at ``directory``, for later copies and ``build/``.

    Only for a copy that Brownie has compiled without a fault. Safe beside other runs: a later copy
    begins with one whole set, never with artifacts that two runs have mixed.
    """
    KEPT_BUILDS.mkdir(parents=True, exist_ok=True)
    kept = _kept_builds()
    is_kept = kept and _kept_digest(kept[-1]) == _shared_digest(directory)
    if not is_kept or not _is_same_build(kept[-1], directory / "build"):
        partial = KEPT_BUILDS / f"partial-{os.getpid()}"
        for name in BUILD_FOLDERS:
            shutil.copytree(directory / "build" / name, partial / name)
        (partial / DIGEST).write_text(_shared_digest(directory))
        partial.rename(KEPT_BUILDS / f"{time.time_ns():020}")
    for old in kept[: 1 - BUILDS_TO_KEEP]:
        shutil.rmtree(old, ignore_errors=True)
    for name in BUILD_FOLDERS:
        _mirror(directory / "build" / name, BUILD / name)


def _kept_builds() -> list[Path]:
    return sorted(KEPT_BUILDS.glob("[0-9]*"))


def _kept_digest(kept: Path) -> str:
    """Return what a kept build was compiled with, or nothing for one that does not tell."""
    path = kept / DIGEST
    return path.read_text() if path.exists() else ""


def _shared_digest(directory: Path) -> str:
    """Return one digest of all sources that contracts share."""
    digest = hashlib.sha256()
    for folder in SHARED_SOURCES:
        for path in sorted((directory / folder).glob("*.sol")):
            digest.update(f"{folder}/{path.name}".encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _is_same_build(one: Path, other: Path) -> bool:
    for name in BUILD_FOLDERS:
        files = {path.name for path in (one / name).glob("*.json")}
        if files != {path.name for path in (other / name).glob("*.json")}:
            return False
        if filecmp.cmpfiles(one / name, other / name, files, shallow=False)[0] != list(files):
            return False
    return True


def _mirror(source: Path, target: Path) -> None:
    _copy_changed(source, target)
    for stale in {p.name for p in target.glob("*.json")} - {p.name for p in source.iterdir()}:
        (target / stale).unlink(missing_ok=True)


def _copy_changed(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(source.glob("*.json")):
        goal = target / file.name
        with contextlib.suppress(FileNotFoundError):  # another run may drop a stale file meanwhile
            if goal.exists() and filecmp.cmp(file, goal, shallow=False):
                continue
            partial = target / f".{file.name}.{os.getpid()}"
            shutil.copy2(file, partial)
            os.replace(partial, goal)
