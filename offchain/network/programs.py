"""Find Geth and Kubo, or build them from the pinned recipes in `network/`.

Geth gets a few changes on the way (`network/geth/changes.toml`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from offchain.network.errors import ProgramMissing

PROJECT = Path(__file__).resolve().parents[2]
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?")
_BUILD_S = 3_600
CHANGES = "changes.toml"
ADDED = "added"  # files beside it that go into the source as they are


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

    @property
    def has_changes(self) -> bool:
        """Whether the project changes the program's source before it builds it."""
        return (PROJECT / self.recipe / CHANGES).exists()


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
# Stands between the signers of a test, which then cuts the network in two.
TOXIPROXY = Program(
    name="toxiproxy",
    version="2.5.0",
    recipe="network/toxiproxy",
    package="github.com/Shopify/toxiproxy/v2/cmd/server",
    go=(1, 23),
    flags=("-ldflags=-X github.com/Shopify/toxiproxy/v2.Version=2.5.0",),
)


def find_program(program: Program, *, say: Callable[[str], None] = lambda _: None) -> Path:
    """Return the program in its pinned version: the one built before, one on PATH, or build it.

    `say` is told before a build begins. One on PATH lacks this project's changes to it and so is
    taken only where it cannot be built, or where there are none.
    Raises ProgramMissing, with the version of Go that it takes.
    """
    if is_built(program):
        return program.cached
    on_path = _on_path(program)
    if on_path and (not program.has_changes or not _is_go_fit(program)):
        if program.has_changes:
            say(f"{on_path} is not changed as docs/network.md says: blocks will be slower")
        return on_path
    _require_go(program)
    say(f"building {program.name} {program.version} (some minutes, once) ...")
    return _build(program)


def is_built(program: Program) -> bool:
    """Whether the program was built from the recipe as it is now."""
    stamp = program.cached.with_name("recipe.sha256")
    if program.has_changes and (not stamp.exists() or stamp.read_text() != digest(program)):
        return False
    return program_version(program.cached) == program.version


def digest(program: Program) -> str:
    """Return the SHA-256 of the recipe: go.mod, go.sum, changes, added files."""
    folder = PROJECT / program.recipe
    added = sorted(path for path in (folder / ADDED).rglob("*") if path.is_file())
    files = [folder / "go.mod", folder / "go.sum", folder / CHANGES, *added]
    whole = hashlib.sha256()
    for path in files:
        whole.update(path.read_bytes() if path.exists() else b"")
    return whole.hexdigest()


def _on_path(program: Program) -> Path | None:
    found = shutil.which(program.name)
    if found and program_version(Path(found)) == program.version:
        return Path(found)
    return None


def program_version(path: Path) -> str | None:
    """Return the version that a program says it has, or None."""
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


def _is_go_fit(program: Program) -> bool:
    there = go_version()
    return there is not None and there >= program.go


def _require_go(program: Program) -> None:
    if _is_go_fit(program):
        return
    needed, there = _dotted(program.go), go_version()
    state = "is missing" if there is None else f"is {_dotted(there)}"
    raise ProgramMissing(
        f"{program.name} {program.version} must be built once and Go {state}: "
        f"install Go {needed} or newer (https://go.dev/dl)"
    )


def _build(program: Program) -> Path:
    program.cached.parent.mkdir(parents=True, exist_ok=True)
    with (program.cached.parent / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one build at a time: it takes all processors
        if is_built(program):
            return program.cached
        partial = program.cached.with_name(f"{program.name}.partial")
        module = changed_source(program) if program.has_changes else []
        _go(
            program,
            *("build", "-trimpath", "-mod=readonly", "-buildvcs=false"),
            *(*module, *program.flags, "-o", str(partial), program.package),
        )
        partial.replace(program.cached)
        program.cached.with_name("recipe.sha256").write_text(digest(program))
    return program.cached


def changed_source(program: Program) -> list[str]:
    """Copy the module beside the program, change the copy; return the options that build from it.

    Raises ProgramMissing when the source is not the one that the changes were made for.
    """
    folder = program.cached.parent
    module = program.package.partition("/cmd/")[0]
    there = json.loads(_go(program, "mod", "download", "-json", module))["Dir"]
    source = folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(there, source, copy_function=shutil.copyfile)  # writable, unlike Go's own
    for path in [source, *source.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    apply_changes(PROJECT / program.recipe / CHANGES, source)
    if (PROJECT / program.recipe / ADDED).exists():
        shutil.copytree(PROJECT / program.recipe / ADDED, source, dirs_exist_ok=True)
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(PROJECT / program.recipe / name, folder / name)
    _go(program, "mod", "edit", "-replace", f"{module}={source}", str(folder / "go.mod"))
    return ["-modfile", str(folder / "go.mod")]


def apply_changes(changes: Path, source: Path) -> None:
    """Replace each `old`, which must be there once, by `new`. Raises ProgramMissing."""
    for change in tomllib.loads(changes.read_text(encoding="utf-8"))["change"]:
        file = source / change["file"]
        text = file.read_text(encoding="utf-8")
        if text.count(change["old"]) != 1:
            raise ProgramMissing(
                f"{change['file']} is not the source that {changes.name} was made for: "
                f"{change['old']!r} is not there once"
            )
        file.write_text(text.replace(change["old"], change["new"]), encoding="utf-8")


def _go(program: Program, *arguments: str) -> str:
    done = subprocess.run(
        ["go", *arguments],
        cwd=PROJECT / program.recipe,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_BUILD_S,
        check=False,
    )
    if done.returncode != 0:
        raise ProgramMissing(
            f"building {program.name} {program.version} failed; can Go reach its module proxy "
            f"(GOPROXY)? It said: {done.stderr.strip()[-500:]}"
        )
    return done.stdout


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
