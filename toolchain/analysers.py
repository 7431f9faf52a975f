"""Install the locked analysers of the contracts into .cache/analysers, apart from the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "analysers"
PACKAGES = CACHE / "packages"
LOCK = ROOT / "requirements" / "proofs.txt"


def install() -> None:
    """Install slither and halmos, unless they are there as locked."""
    stamp = CACHE / "lock.txt"
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return
    print("installing slither and halmos into .cache/analysers ...", flush=True)
    shutil.rmtree(CACHE, ignore_errors=True)
    PACKAGES.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
    subprocess.run([*pip, *options, "--target", PACKAGES, "-r", LOCK], check=True)
    stamp.write_bytes(LOCK.read_bytes())


def environment(forge: Path) -> dict[str, str]:
    """Return the environment in which the analysers find themselves and forge."""
    bins = [str(forge.parent), str(PACKAGES / "bin")]
    path = os.pathsep.join([*bins, os.environ.get("PATH", "")])
    return {**os.environ, "PYTHONPATH": str(PACKAGES), "PATH": path}
