"""Find Geth and Kubo, or build them from the pinned recipes in `network/`."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from offchain.network.errors import ProgramMissing

PROJECT = Path(__file__).resolve().parents[2]
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?")
_BUILD_S = 3_600


@dataclass(frozen=True, slots=True)
class Program:
    """One pinned program: `recipe` is the folder of its go.mod, `go` the least version of Go."""

    name: str
    version: str
    recipe: str
    package: str
    go: tuple[int, ...]
    flags: tuple[str, ...] = ()

    @property
    def cached(self) -> Path:
        """Return where the built program lies: a folder that git ignores."""
        return PROJECT / ".cache" / Path(self.recipe).name / self.name


# -checklinkname=0: a dependency of Geth reaches into Go's run time, which newer linkers refuse;
# the flag is known from Go 1.23 on.
GETH = Program(
    name="geth",
    version="1.13.15",
    recipe="network/geth",
    package="github.com/ethereum/go-ethereum/cmd/geth",
    go=(1, 23),
    flags=("-ldflags=-checklinkname=0",),
)
KUBO = Program(
    name="ipfs",
    version="0.42.0",
    recipe="network/kubo",
    package="github.com/ipfs/kubo/cmd/ipfs",
    go=(1, 26, 4),
)


def find_program(program: Program, *, say: Callable[[str], None] = lambda _: None) -> Path:
    """Return the program in its pinned version: the built one, the one on PATH, or build it.

    `say` is told before a build begins. Raises ProgramMissing, with the version of Go it takes.
    """
    on_path = shutil.which(program.name)
    for candidate in [program.cached, *([Path(on_path)] if on_path else [])]:
        if program_version(candidate) == program.version:
            return candidate
    _require_go(program)
    say(f"building {program.name} {program.version} (some minutes, once) ...")
    return _build(program)


def program_version(path: Path) -> str | None:
    """Return the version that a Geth or Kubo program says it has, or None."""
    argument = "version" if path.name == "ipfs" else "--version"
    try:
        done = subprocess.run(
            [str(path), argument], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(done.stdout)
    return found[0] if found else None


def go_version() -> tuple[int, ...] | None:
    """Return the version of the Go on PATH, or None."""
    try:
        done = subprocess.run(
            ["go", "env", "GOVERSION"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.search(done.stdout)
    return tuple(int(part) for part in found[0].split(".")) if found else None


def _require_go(program: Program) -> None:
    needed, there = _dotted(program.go), go_version()
    if there is not None and there >= program.go:
        return
    state = "is missing" if there is None else f"is {_dotted(there)}"
    raise ProgramMissing(
        f"{program.name} {program.version} must be built once and Go {state}: "
        f"install Go {needed} or newer (https://go.dev/dl)"
    )


def _build(program: Program) -> Path:
    program.cached.parent.mkdir(parents=True, exist_ok=True)
    with (program.cached.parent / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one build at a time: it takes all processors
        if program_version(program.cached) == program.version:
            return program.cached
        partial = program.cached.with_name(f"{program.name}.partial")
        command = ["go", "build", "-trimpath", *program.flags, "-o", str(partial), program.package]
        done = subprocess.run(
            command,
            cwd=PROJECT / program.recipe,
            env={**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_BUILD_S,
            check=False,
        )
        if done.returncode != 0:
            with suppress(FileNotFoundError):
                partial.unlink()
            raise ProgramMissing(
                f"building {program.name} {program.version} failed; can Go reach its module proxy "
                f"(GOPROXY)? It said: {done.stderr.strip()[-500:]}"
            )
        partial.replace(program.cached)
    return program.cached


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
