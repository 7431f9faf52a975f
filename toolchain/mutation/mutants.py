"""Mutants of a source file: read from the generator, named, sampled, compiled in memory."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_260_501


@dataclass(frozen=True)
class Mutant:
    """One change of one file. ``name`` stays as long as the changed lines do."""

    name: str
    file: str
    operator: str
    line: int
    old: str
    new: str
    source: str

    @property
    def shown(self) -> str:
        """Return the change in one line."""
        flat = [" ".join(part.split()) for part in (self.old, self.new)]
        return f"{self.file}:{self.line} [{self.operator}] {flat[0]} -> {flat[1] or '(nothing)'}"


def generate(
    files: Iterable[str], *, out_folder: Path, environment: dict[str, str]
) -> dict[str, list[Mutant]]:
    """Return every mutant of the files, in an order that the seed decides, each text once."""
    command = [
        sys.executable,
        str(ROOT / "toolchain/mutation/generate.py"),
        str(out_folder),
        *files,
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    listed = json.loads(done.stdout)
    return {file: shuffled(file, listed[file]) for file in listed}


def shuffled(file: str, patches: list[dict]) -> list[Mutant]:
    """Return the mutants of one file in a fixed random order, those of texts last."""
    source = (ROOT / file).read_bytes()
    unique: dict[bytes, dict] = {}
    for patch in sorted(patches, key=lambda it: (it["start"], it["end"], it["new"])):
        text = source[: patch["start"]] + patch["new"].encode() + source[patch["end"] :]
        if text != source:
            unique.setdefault(text, patch)
    seen: Counter[str] = Counter()
    mutants = [as_mutant(file, source, text, patch, seen) for text, patch in unique.items()]
    texts = [it for it in mutants if it.operator == "STR"]
    others = [it for it in mutants if it.operator != "STR"]
    random.Random(f"{SEED} {file}").shuffle(others)
    return others + texts


def as_mutant(file: str, source: bytes, text: bytes, patch: dict, seen: Counter[str]) -> Mutant:
    """Name a mutant by its file and the lines that it changes, as they become."""
    start = source.rfind(b"\n", 0, patch["start"]) + 1
    end = source.find(b"\n", patch["end"])
    grown = len(text) - len(source)
    old, new = source[start:end].decode().strip(), text[start : end + grown].decode().strip()
    digest = hashlib.sha256(f"{file}\n{old}\n{new}".encode()).hexdigest()[:12]
    seen[digest] += 1
    return Mutant(
        name=f"{Path(file).stem}-{digest}" + (f"-{seen[digest]}" if seen[digest] > 1 else ""),
        file=file,
        operator=patch["operator"],
        line=source.count(b"\n", 0, patch["start"]) + 1,
        old=source[patch["start"] : patch["end"]].decode(),
        new=patch["new"],
        source=text.decode(),
    )


class Compiler:
    """A compiler process that stays: one contract takes it a third of a second."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._uses = 0

    def compile(
        self, changed: dict[str, str], wanted: dict[str, list[str]], *, optimize: bool = False
    ) -> dict[str, str] | None:
        """Return the creation code of each wanted contract, or None if it does not compile."""
        if self._process is None or self._uses >= 200:  # its memory never shrinks
            self.close()
            self._process = subprocess.Popen(
                ["node", "toolchain/solc_worker.js"], cwd=ROOT, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            self._uses = 0
        self._uses += 1
        order = {"changed": changed, "wanted": wanted, "optimize": optimize}
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if answer["error"] and answer["error"].startswith("solc_worker:"):
            self.close()
            raise RuntimeError(answer["error"])
        return None if answer["error"] else answer["code"]

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
