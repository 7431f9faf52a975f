"""Let slither read the contracts: no finding of high or medium impact without a written reason.

    .venv/bin/python toolchain/slither.py

Reasons stand in tests/forge/slither.toml, by detector and place. A reason whose finding is gone is
an error as well. Ends with 0 only if findings and reasons are the same.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "toolchain"))

import analysers
from foundry import forge, forge_binary

REASONS = ROOT / "tests" / "forge" / "slither.toml"
WORK = ROOT / ".cache" / "slither"
NOT_OURS = "node_modules|tests/forge|contracts/mocks"
JUDGED = ("High", "Medium")


def main() -> int:
    """Compile, analyse, compare; return the exit code."""
    analysers.install()
    found = key_findings(analyse())
    return compare(found, tomllib.loads(REASONS.read_text()))


def build() -> Path:
    """Compile all contracts anew, for analysers; return the folder. An old build would mislead."""
    shutil.rmtree(WORK, ignore_errors=True)
    options = ["--build-info", "--out", str(WORK / "out"), "--cache-path", str(WORK / "cache")]
    done = forge("build", *options, "--skip", "tests/**", capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return WORK / "out"


def analyse() -> list[dict]:
    """Return slither's findings on the project's own contracts."""
    out = build()
    report = WORK / "report.json"
    command = [sys.executable, "-m", "slither", ".", "--compile-force-framework", "foundry"]
    command += ["--foundry-ignore-compile", "--foundry-out-directory", str(out)]
    command += ["--filter-paths", NOT_OURS, "--json", str(report)]
    done = subprocess.run(
        command, cwd=ROOT, env=analysers.environment(forge_binary()), capture_output=True, text=True
    )
    # Its exit code counts findings; whether it ran is told by the report.
    if not report.exists() or not json.loads(report.read_text())["success"]:
        raise SystemExit(done.stdout + done.stderr)
    print(done.stderr.strip().splitlines()[-1])
    return json.loads(report.read_text())["results"].get("detectors", [])


def key_findings(findings: list[dict]) -> dict[str, str]:
    """Return the description of each finding of high or medium impact by `detector place`."""
    judged = [finding for finding in findings if finding["impact"] in JUDGED]
    return {f"{it['check']} {it['description'].split(' (')[0]}": it["description"] for it in judged}


def compare(found: dict[str, str], reasons: dict[str, str]) -> int:
    """Print what has no reason and what has no finding; return the exit code."""
    unexplained = sorted(found.keys() - {key for key, reason in reasons.items() if reason.strip()})
    stale = sorted(reasons.keys() - found.keys())
    for key in unexplained:
        print(f"\nno reason in {REASONS.relative_to(ROOT)} for: {key}\n{found[key].strip()}")
    for key in stale:
        print(f"\nno finding any more, take the reason out: {key}")
    print(
        f"slither: {len(found)} findings of high or medium impact, {len(unexplained)} unexplained"
    )
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main())
