"""Fuzz every decoder for a share of a time budget, and try the costly inputs on all of them.

    .venv/bin/python toolchain/fuzz.py [--minutes 10] [NAME...]

Two decoders run at once. What breaks one is kept in .cache/fuzz/found; add it to
tests/fuzz/inputs/NAME under a telling name with the fix. Ends with 1 when something was found.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "fuzz"
PACKAGES = CACHE / "packages"
LOCK = ROOT / "requirements" / "fuzz.txt"
JOBS = 2
MAX_LENGTH = 16_384
START_S = 4  # imports, instrumented
GRACE_S = 60

sys.path.insert(0, str(ROOT))
from tests.fuzz.corpus import CORPUS


def main() -> int:
    """Fuzz; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    names = arguments.names or sorted(path.name for path in CORPUS.iterdir())
    install_atheris()
    seconds = max(2, int(arguments.minutes * 60 * JOBS / len(names)) - START_S)
    print(f"fuzzing {len(names)} decoders for {seconds} s each", flush=True)
    with ThreadPoolExecutor(JOBS) as pool:
        broken = [name for name in pool.map(lambda name: fuzz(name, seconds), names) if name]
    print(f"broken: {', '.join(broken)}" if broken else "no decoder broke its promises")
    return 1 if broken else 0


def install_atheris() -> None:
    """Install the locked fuzzer into .cache/fuzz, unless it is there."""
    stamp = CACHE / "lock.txt"
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return
    PACKAGES.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    subprocess.run([*pip, "--upgrade", "--target", PACKAGES, "-r", LOCK], check=True)
    stamp.write_bytes(LOCK.read_bytes())


def fuzz(name: str, seconds: int) -> str | None:
    """Fuzz one decoder; return its name if an input broke a promise."""
    work, found = CACHE / "work" / name, CACHE / "found"
    work.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    options = [
        *(f"-max_total_time={seconds}", f"-max_len={MAX_LENGTH}", "-timeout=20", "-verbosity=0"),
        *("-rss_limit_mb=1024", "-print_final_stats=1", f"-artifact_prefix={found}/{name}-"),
    ]
    command = [sys.executable, "-m", "tests.fuzz.fuzz_decoder", name, *options]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{PACKAGES}"}
    try:
        done = subprocess.run(
            [*command, str(work), str(CORPUS / name)],
            cwd=ROOT, env=environment, capture_output=True, text=True,
            timeout=seconds + GRACE_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        output, code = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        output, code = "did not end in time", -1
    runs = [line.split()[-1] for line in output.splitlines() if "number_of_executed" in line]
    print(f"  {name}: {'broken' if code else 'held'}, {runs[0] if runs else 0} runs", flush=True)
    if code:
        print("\n".join(output.splitlines()[-30:]), flush=True)
    return name if code else None


if __name__ == "__main__":
    sys.exit(main())
