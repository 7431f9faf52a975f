"""Run the contract tests in two processes side by side, each with about half of the work.

Brownie runs one test after another and waits for its node most of the time, so that one process
leaves a core idle. A file is in one share as a whole: many share what takes seconds to make.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
SHARES = 2
# What a file takes is judged by its test functions, but for those that were measured as far off.
SECONDS_A_TEST = 0.45
SECONDS_MEASURED = {
    "tests/stateful/test_prepaid_lock.py": 88.0,
    "tests/contracts/endings/test_what_has_begun.py": 47.0,
    "tests/contracts/DataMarket/test_respond.py": 22.0,
}
TEST = re.compile(r"^def test_", re.MULTILINE)
PASSED, NONE_COLLECTED = 0, 5  # pytest's exit codes
STOP_SECONDS = 4.0  # less than the runner of all tests waits


def split(seconds: dict[str, float]) -> list[list[str]]:
    """Return the files in shares of about equal ``seconds``: the longest first, to the lesser."""
    shares: list[list[str]] = [[] for _ in range(SHARES)]
    sums = [0.0] * SHARES
    for file in sorted(seconds, key=lambda name: (-seconds[name], name)):
        least = sums.index(min(sums))
        shares[least].append(file)
        sums[least] += seconds[file]
    return [sorted(share) for share in shares if share]


def seconds_of(folders: Sequence[str]) -> dict[str, float]:
    """Return about how many seconds each test file below the folders takes."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("test_*.py"))]
    return {name: _seconds(file) for file in files for name in [file.relative_to(ROOT).as_posix()]}


def _seconds(file: Path) -> float:
    measured = SECONDS_MEASURED.get(file.relative_to(ROOT).as_posix())
    return measured or SECONDS_A_TEST * len(TEST.findall(file.read_text()))


def run(command: Sequence[str], shares: list[list[str]], options: Sequence[str]) -> int:
    """Run ``command FILES OPTIONS`` for each share at once; return the exit code of all.

    The first share is shown as it runs, the others when they are done; their closing lines come
    last. A share from which the options select nothing is no failure beside one that passed.
    """
    with contextlib.ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile()) for _ in shares]
        started = [
            stack.enter_context(_started([*command, *files, *options], log if number else None))
            for number, (files, log) in enumerate(zip(shares, logs, strict=True))
        ]
        _show_and_keep(started[0], logs[0])
        codes = [process.wait() for process in started]
        texts = [_text(log) for log in logs]
    for text in texts[1:]:
        print(text, end="")
    for number, (text, files) in enumerate(zip(texts, shares, strict=True), start=1):
        print(f"share {number} of {len(shares)} ({len(files)} files): {closing_line(text)}")
    sys.stdout.flush()
    return code_of_all(codes)


@contextlib.contextmanager
def _started(command: list[str], log: IO[bytes] | None) -> Iterator[subprocess.Popen[bytes]]:
    output = subprocess.PIPE if log is None else log
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()  # on this it stops its node
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _show_and_keep(process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    while chunk := process.stdout.read1():  # type: ignore[union-attr]
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
        log.write(chunk)


def _text(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")


def closing_line(text: str) -> str:
    """Return the last line that says something, without the rule around it."""
    lines = [line.strip("= ") for line in text.splitlines()]
    return next((line for line in reversed(lines) if line), "said nothing")


def code_of_all(codes: list[int]) -> int:
    """Return 0 if some share passed and the others did or had nothing selected."""
    if PASSED in codes:
        codes = [code for code in codes if code != NONE_COLLECTED]
    return next((code for code in codes if code != PASSED), PASSED)
