"""What was judged: kept for a run that goes on, summed up for the checked-in result, compared."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from pathlib import Path

LEAST_PERCENT = 95

_TOKEN = re.compile(r'(?P<comment>//[^\n]*|/\*.*?\*/)|"(?:\\.|[^"\\\n])*"|\w+|[^\w\s]', re.DOTALL)
_IMPORT = re.compile(r"^import\b[^;]*;", re.MULTILINE)


class Known:
    """Verdicts on codes, appended to a file at once, so that a stop loses nothing."""

    def __init__(self, path: Path, *, tests: str) -> None:
        self._path, self._tests, self._lock = path, tests, threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text().splitlines() if path.exists() else []
        self._verdicts = dict(json.loads(line) for line in lines)

    def get(self, code: dict[str, str]) -> str | None:
        """Return the verdict on a code, if it stands: a survivor's stands while the tests do."""
        key = digest(json.dumps(code, sort_keys=True))
        return self._verdicts.get(key) or self._verdicts.get(f"{key} {self._tests}")

    def put(self, code: dict[str, str], verdict: str) -> None:
        """Keep a verdict."""
        key = digest(json.dumps(code, sort_keys=True))
        key += f" {self._tests}" if verdict == "survived" else ""
        with self._lock, self._path.open("a") as file:
            self._verdicts[key] = verdict
            file.write(json.dumps([key, verdict]) + "\n")


def digest(*texts: str) -> str:
    """Return a short hash of texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a source file's code: no mutant changes comments, imports or spaces."""
    return hashlib.sha256(code_of(path.read_text(encoding="utf-8")).encode()).hexdigest()


def code_of(text: str) -> str:
    """Return what a compiler makes code of, a token a line."""
    tokens = _TOKEN.finditer(_IMPORT.sub("", text))
    return "\n".join(it[0] for it in tokens if it["comment"] is None)


def compare(
    results: dict[str, dict], reasons: dict[str, dict[str, str]], sources: dict[str, str]
) -> int:
    """Print each file's score, what is unexplained and what is stale; return the exit code.

    `sources` are the digests of the files as they are now.
    """
    changed = changed_since(results, sources)
    for file in changed:
        only = Path(file).stem
        print(f'{file} is not what was judged; judge again: make mutate ARGS="--only {only}"')
    failed = bool(changed)
    known: set[str] = set()
    for file, result in results.items():
        known |= result["survivors"].keys()
        failed |= not report(file, result, reasons)
    for name in sorted(reasons.keys() - known):
        print(f"  explained, but no survivor: {name}")
        failed = True
    missing = sources.keys() - results.keys()
    if missing:
        print(f"not judged: {', '.join(sorted(missing))}")
    return 1 if failed or missing else 0


def changed_since(results: dict[str, dict], sources: dict[str, str]) -> list[str]:
    """Return the judged files whose source is now another, or gone."""
    return [file for file, result in results.items() if result["sha256"] != sources.get(file)]


def table(results: dict[str, dict], reasons: dict[str, dict[str, str]]) -> str:
    """Return each file's counts as the table of docs/proofs.md."""
    lines = [
        "| file | mutants | judged | killed | equivalent | open |",
        "|---|---|---|---|---|---|",
    ]
    for file, result in results.items():
        kinds = [reasons.get(name, {}).get("kind") for name in result["survivors"]]
        judged, equivalent = result["killed"] + result["survived"], kinds.count("equivalent")
        counts = (result["mutants"], judged, result["killed"], equivalent, len(kinds) - equivalent)
        lines.append(
            " | ".join([f"| `{file.removeprefix('contracts/')}`", *map(str, counts)]) + " |"
        )
    return "\n".join(lines) + "\n"


def report(file: str, result: dict, reasons: dict[str, dict[str, str]]) -> bool:
    """Print a file's score and unexplained survivors; tell whether all is as it must be."""
    survivors = result["survivors"]
    equivalent = sum(reasons.get(name, {}).get("kind") == "equivalent" for name in survivors)
    judged = result["killed"] + result["survived"] - equivalent
    percent = 100 * result["killed"] / judged if judged else 0.0
    enough = percent >= LEAST_PERCENT
    print(
        f"{file} {percent:.1f}% >={LEAST_PERCENT} {'ok' if enough else 'MISSED'} "
        f"({result['killed']} of {judged} killed, {equivalent} equivalent, "
        f"{result['same']} of the same code, {result['refused']} refused by the compiler)"
    )
    unexplained = [name for name in survivors if not is_explained(reasons.get(name, {}))]
    for name in unexplained:
        print(f"  unexplained: {name}: {survivors[name]}")
    return enough and not unexplained


def is_explained(entry: dict[str, str]) -> bool:
    """Tell whether a survivor has a kind and a reason."""
    return entry.get("kind") in ("equivalent", "open") and bool(entry.get("reason", "").strip())
