"""Judge a contract's code by the Foundry tests, without compiling the tests again.

A `Project` is a folder with some of the tests, compiled once. forge is then run in it without any
filter (with one it would parse every source at each start), by a compiler that knows its version
(wasm loads for 0.3 s), and out of git's sight (it would ask for submodules).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "toolchain"))

from foundry import forge_binary
from mutants import Compiler

TIMEOUT_S = 300
SHARED = ("tests/forge/base", "tests/forge/vectors", "tests/vectors")
# Few runs of each fuzz test: a mutant must be noticed at once, or by a plain test.
SETTINGS = {
    "FOUNDRY_SRC": "interfaces", "FOUNDRY_OPTIMIZER": "false", "FOUNDRY_SOLC": "bin/solc-v0.8.28",
    "FOUNDRY_FUZZ_RUNS": "48", "FOUNDRY_INVARIANT_RUNS": "6", "FOUNDRY_INVARIANT_DEPTH": "48",
}  # fmt: skip


class Project:
    """A folder in which forge runs one selection of the tests."""

    def __init__(self, folder: Path, tests: Iterable[str], *, origin: Path) -> None:
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("contracts", "interfaces", *SHARED):
            shutil.copytree(origin / name, folder / name)
        files = [file for pattern in tests for file in origin.glob(pattern)]
        if not files:
            raise SystemExit(f"no such tests: {tests}")
        for file in files:
            goal = folder / file.relative_to(origin)
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, goal)
        shutil.copy2(origin / "foundry.toml", folder)
        (folder / "node_modules").symlink_to(origin / "node_modules")
        self._write_compiler(origin)
        self._path = str(folder / "bin")
        done = self.forge("build")
        if done.returncode:
            raise SystemExit(done.stdout)

    def _write_compiler(self, origin: Path) -> None:
        solc = origin / ".cache" / "solcx" / "solc-v0.8.28"
        asked = subprocess.run([solc, "--version"], check=True, capture_output=True, text=True)
        (self.folder / "version.txt").write_text(asked.stdout)
        stub = self.folder / SETTINGS["FOUNDRY_SOLC"]
        stub.parent.mkdir()
        stub.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && exec /bin/cat "{self.folder}/version.txt"\n'
            f'exec "{solc}" "$@"\n'
        )
        stub.chmod(0o755)
        (self.folder / "bin" / "node").symlink_to(shutil.which("node") or "node")

    def forge(self, *arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
        """Run forge; ``code`` names the folder of artifacts, within this one."""
        environment = {
            **SETTINGS,
            "PATH": self._path,
            "HOME": str(self.folder),
            "DMSM_MUTANT": code,
        }
        environment["FOUNDRY_FUZZ_FAILURE_PERSIST_DIR"] = f"{code or 'none'}/failures"
        environment["FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR"] = f"{code or 'none'}/failures"
        return subprocess.run(
            [str(forge_binary()), *arguments], cwd=self.folder, env=environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
        )  # fmt: skip


class Judge:
    """A compiler and a name of its own, to judge codes one after another."""

    def __init__(self, name: str, originals: dict[str, str]) -> None:
        self.name, self.originals, self.compiler = name, originals, Compiler()

    def is_killed(self, project: Project, code: dict[str, str]) -> bool:
        """Tell whether a test of the project fails with this code."""
        folder = project.folder / ".cache" / "mutants" / self.name
        if not folder.exists():
            folder.mkdir(parents=True)
            write_artifacts(folder, self.originals)
        write_artifacts(folder, code)
        shutil.rmtree(folder / "failures", ignore_errors=True)
        try:
            done = project.forge(
                "test", "--fail-fast", "--threads", "1", code=f".cache/mutants/{self.name}"
            )
        except subprocess.TimeoutExpired:
            return True
        finally:
            write_artifacts(folder, {name: self.originals[name] for name in code})
        if "tests passed" not in done.stdout and "test passed" not in done.stdout:
            raise RuntimeError(f"forge ran no test:\n{done.stdout[-2000:]}")
        return done.returncode != 0


def write_artifacts(folder: Path, code: dict[str, str]) -> None:
    """Write creation codes as the artifacts that `vm.getCode` reads."""
    for name, text in code.items():
        artifact = {"abi": [], "bytecode": {"object": "0x" + text}}
        (folder / f"{name}.json").write_text(json.dumps(artifact))
