"""Change the contracts in small ways and see that the Foundry tests notice: `make mutate`.

    .venv/bin/python toolchain/mutate.py [--count 200] [--jobs 2] [--only STEM ...]
    .venv/bin/python toolchain/mutate.py --report | --table

Mutants come from slither-mutate's operators and three of our own, in a fixed random order, until
COUNT of a file compile to other code than the file's own (or all are tried). No source is ever
changed: a mutant is compiled in memory, and copies of the tests, which make contracts from
artifacts, are given its code. First the tests of its own file judge it; of one that survives the
optimized code is compared with the original's; then all tests judge it.

What was judged is kept in .cache/mutants, so that a run may be stopped and taken up again; after a
change of the tests, survivors are judged again. Results go to tests/forge/mutation/results.json.
Ends with 0 only if 95 % of those that are not equivalent were killed and every survivor has its
reason in tests/forge/mutation/survivors.toml, and if each file's code is still what was judged, by
its SHA-256. ``--report`` judges nothing and compares alone; ``--table`` prints the counts as
docs/proofs.md shows them.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "toolchain"), str(ROOT / "toolchain" / "mutation")]

import analysers
import slither
from foundry import forge_binary
from judge import Judge, Project
from mutants import Compiler, Mutant, generate
from verdicts import Known, compare, digest, digest_of_file, table

FOLDER = ROOT / "tests" / "forge" / "mutation"
RESULTS, SURVIVORS = FOLDER / "results.json", FOLDER / "survivors.toml"
WORK = ROOT / ".cache" / "mutants"
ALL_TESTS = tuple(f"tests/forge/{part}/*.sol" for part in ("contracts", "libraries", "invariants"))

# What tests make by name, and where it is written.
MADE = {
    **{name: f"contracts/{name}.sol" for name in (
        "MemberRegistry", "RequestCatalogue", "ConsentBook", "DataLedger", "NotificationBoard",
        "DataSetBook", "CreditBook", "PrepaidLock", "DataMarket", "Consortium", "DisputeCourt",
        "TariffBook",
    )},
    "LibraryHarness": "contracts/mocks/LibraryHarness.sol",
    "SortedFormHarness": "contracts/mocks/SortedFormHarness.sol",
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A file to mutate, the contracts that carry it, and the tests that judge it first."""

    file: str
    carriers: tuple[str, ...]
    tests: tuple[str, ...]


def _contract(name: str) -> Target:
    return Target(f"contracts/{name}.sol", (name,), (f"tests/forge/contracts/{name}.t.sol",))


def _library(name: str, carrier: str = "LibraryHarness", tests: tuple[str, ...] = ()) -> Target:
    tests = tests or (f"tests/forge/libraries/{name}.t.sol",)
    return Target(f"contracts/libraries/{name}.sol", (carrier,), tests)


LOCK = ("tests/forge/contracts/PrepaidLock*.t.sol",)
MARKET = ("tests/forge/contracts/DataMarket.t.sol",)
TARGETS = (
    Target("contracts/PrepaidLock.sol", ("PrepaidLock",), LOCK),
    Target("contracts/bases/LockEnding.sol", ("PrepaidLock",), LOCK),
    Target("contracts/bases/Purse.sol", ("PrepaidLock",), LOCK),
    _contract("DataMarket"),
    _contract("DataSetBook"),
    _contract("CreditBook"),
    _contract("NotificationBoard"),
    _contract("Consortium"),
    _contract("DisputeCourt"),
    _contract("TariffBook"),
    _library("BLS"),
    _library("BN254"),
    _library("BasisPoints", "PrepaidLock", LOCK),
    _library("BroadcastBook", "DataMarket", MARKET),
    _library("DataSetId", "DataSetBook", ("tests/forge/contracts/DataSetBook.t.sol",)),
    _library("DeliveryKey"),
    _library("DomainTags", tests=("tests/forge/libraries/BN254.t.sol",)),
    _library("HashToCurve"),
    _library("LockLifecycle", "PrepaidLock", LOCK),
    _library("MerkleSha256"),
    _library("SealedBytes", "DisputeCourt", ("tests/forge/contracts/DisputeCourt.t.sol",)),
    _library("ShareCheck"),
    _library("SortedForm", "SortedFormHarness"),
    _library("Wiring", "PrepaidLock", LOCK),
)
# A purse that pays without end must be noticed, and the purse as it is must pass.
CONTROL, ZEROING = "contracts/bases/Purse.sol", "withdrawableOf[account] = 0;"


def main() -> int:
    """Judge, write, compare; return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    if arguments.table:
        print(table(json.loads(RESULTS.read_text()), tomllib.loads(SURVIVORS.read_text())), end="")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    targets = [it for it in TARGETS if not arguments.only or Path(it.file).stem in arguments.only]
    if not arguments.report:
        run = Run(jobs=arguments.jobs)
        try:
            run.check_the_judges()
            run.judge_all(targets, count=arguments.count)
        finally:
            run.close()
    reasons = tomllib.loads(SURVIVORS.read_text())
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return compare(results, reasons, digests())


def digests() -> dict[str, str]:
    """Return the digest of each file to mutate, as it is now."""
    return {target.file: digest_of_file(ROOT / target.file) for target in TARGETS}


class Run:
    """One run: its judges, and the projects of compiled tests that they use."""

    def __init__(self, *, jobs: int) -> None:
        analysers.install()
        compiler = Compiler()
        originals = compiler.compile({}, wanted(tuple(MADE)))
        compiler.close()
        if originals is None:
            raise SystemExit("the contracts do not compile")
        self.originals = originals
        self.judges = [Judge(str(index), originals) for index in range(jobs)]
        self._projects: dict[tuple[str, ...], Project] = {}
        self._lock = threading.Lock()
        tests = sorted((ROOT / "tests/forge").rglob("*.sol"))
        self._known = Known(
            WORK / "judged.jsonl", tests=digest(*(file.read_text() for file in tests))
        )

    def project(self, tests: tuple[str, ...]) -> Project:
        """Return the compiled project of a selection of tests."""
        with self._lock:
            if tests not in self._projects:
                folder = WORK / "projects" / digest(*tests)
                self._projects[tests] = Project(folder, tests, origin=ROOT)
            return self._projects[tests]

    def check_the_judges(self) -> None:
        """Stop unless the contracts as they are pass, and a purse without a bottom is caught."""
        judge = self.judges[0]
        source = (ROOT / CONTROL).read_text()
        bad = source.replace(ZEROING, "")
        code = judge.compiler.compile({CONTROL: bad}, wanted(("PrepaidLock",)))
        if bad == source or code is None or not judge.is_killed(self.project(LOCK), code):
            raise SystemExit("the tests do not notice a purse that pays without end")
        if judge.is_killed(self.project(ALL_TESTS), {}):
            raise SystemExit("the contracts as they are fail their tests")
        print("a purse that pays without end: killed; the contracts as they are: pass", flush=True)

    def judge_all(self, targets: list[Target], *, count: int) -> None:
        """Judge the mutants of each target and write the results after each."""
        files = [target.file for target in targets]
        environment = analysers.environment(forge_binary())
        sources = digests()
        listed = generate(files, out_folder=slither.build(), environment=environment)
        for target in targets:
            since = time.monotonic()
            verdicts = self._judge_target(target, listed[target.file], count)
            summary = summarize(listed[target.file], verdicts)
            write_result(target.file, {"sha256": sources[target.file], **summary})
            counts = {key: value for key, value in summary.items() if key != "survivors"}
            print(f"{target.file}: {counts}, {time.monotonic() - since:.0f} s", flush=True)

    def _judge_target(self, target: Target, mutants: list[Mutant], count: int) -> dict[str, str]:
        free, lock = list(self.judges), threading.Lock()
        verdicts: dict[str, str] = {}

        def one(mutant: Mutant) -> None:
            with lock:
                if is_enough(verdicts, count):
                    return
                judge = free.pop()
            try:
                verdict = self._judge(judge, mutant, target)
                with lock:
                    verdicts[mutant.name] = verdict
            finally:
                with lock:
                    free.append(judge)

        with ThreadPoolExecutor(len(self.judges)) as pool:
            list(pool.map(one, mutants))
        # Two at once may judge one too many.
        taken: dict[str, str] = {}
        for mutant in mutants:
            if is_enough(taken, count):
                break
            taken[mutant.name] = verdicts[mutant.name]
        return taken

    def _judge(self, judge: Judge, mutant: Mutant, target: Target) -> str:
        """Return `refused` (by the compiler), `same` (code), `killed` or `survived`."""
        changed = {mutant.file: mutant.source}
        code = judge.compiler.compile(changed, wanted(target.carriers))
        if code is None:
            return "refused"
        if all(code[name] == self.originals[name] for name in code):
            return "same"
        verdict = self._known.get(code)
        if verdict is None:
            verdict = self._decide(judge, changed, target, code)
            self._known.put(code, verdict)
        return verdict

    def _decide(
        self, judge: Judge, changed: dict[str, str], target: Target, code: dict[str, str]
    ) -> str:
        if judge.is_killed(self.project(target.tests), code):
            return "killed"
        everywhere = wanted(tuple(carriers_of(target.file)))
        optimized = [
            judge.compiler.compile(text, everywhere, optimize=True) for text in (changed, {})
        ]
        if optimized[0] == optimized[1]:
            return "same"
        code_everywhere = judge.compiler.compile(changed, everywhere)
        if code_everywhere is None or judge.is_killed(self.project(ALL_TESTS), code_everywhere):
            return "killed"
        return "survived"

    def close(self) -> None:
        """End the compilers."""
        for judge in self.judges:
            judge.compiler.close()


def is_enough(verdicts: dict[str, str], count: int) -> bool:
    """Tell whether as many were judged as are asked for."""
    return sum(it in ("killed", "survived") for it in verdicts.values()) >= count


def wanted(names: tuple[str, ...]) -> dict[str, list[str]]:
    """Return what the compiler is asked for, by file."""
    return {MADE[name]: [name] for name in names}


def carriers_of(file: str) -> list[str]:
    """Return the contracts whose sources import a file, directly or not."""
    return [name for name, source in MADE.items() if file in closure(source)]


def closure(source: str) -> set[str]:
    """Return a source file and the project's files it imports."""
    found, waiting = set(), [source]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        for line in (ROOT / file).read_text().split('from "')[1:]:
            path = line.split('"')[0]
            if path.startswith("."):
                waiting.append(os.path.normpath(str(Path(file).parent / path)))
    return found


def summarize(mutants: list[Mutant], verdicts: dict[str, str]) -> dict:
    """Return one file's result."""
    tally = Counter(verdicts.values())
    counts = {key: tally[key] for key in ("killed", "survived", "same", "refused")}
    survivors = {it.name: it.shown for it in mutants if verdicts.get(it.name) == "survived"}
    return {"mutants": len(mutants), **counts, "survivors": dict(sorted(survivors.items()))}


def write_result(file: str, summary: dict) -> None:
    """Put one file's result into the checked-in results."""
    FOLDER.mkdir(exist_ok=True)
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[file] = summary
    RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
