"""Count the tests that were skipped for a missing program; a plugin of pytest.

    DMSM_MISSING_PROGRAMS=FILE python -m pytest -p toolchain.missing_programs

A skip counts whose reason begins with "no PROGRAM: ". FILE gets one line a test. With
DMSM_ALL_PROGRAMS set (CI) such a skip makes the run fail.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_REASON = re.compile(r"(?:Skipped: )?no ([\w.-]+): ")


def program_of(reason: str) -> str | None:
    """Return the program that a skip's reason names, or None for a skip of another kind."""
    found = _REASON.match(reason)
    return found.group(1) if found else None


def summary(lines: Iterable[str]) -> list[str]:
    """Return what to say of FILE's lines: a sentence a program, with its number of tests."""
    counts = Counter(line.split(" ", 1)[0] for line in lines if line.strip())
    return [
        f"tests skipped because there is no {name}: {count}"
        for name, count in sorted(counts.items())
    ]


class _Counter:
    """What one run of pytest skipped. With xdist the process that hands out the tests counts."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        self._note(report)

    def pytest_collectreport(self, report: Any) -> None:
        self._note(report)

    def pytest_sessionfinish(self, session: Any) -> None:
        if path := os.environ.get("DMSM_MISSING_PROGRAMS"):
            with Path(path).open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in self.lines)
        if self.lines and os.environ.get("DMSM_ALL_PROGRAMS") and not session.exitstatus:
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for sentence in summary(self.lines):
            terminalreporter.write_line(sentence, red=bool(os.environ.get("DMSM_ALL_PROGRAMS")))

    def _note(self, report: Any) -> None:
        is_skip = report.skipped and isinstance(report.longrepr, tuple)
        if is_skip and (program := program_of(report.longrepr[2])):
            self.lines.append(f"{program} {report.nodeid}")


def pytest_configure(config: Any) -> None:
    """Count in the process that hands out the tests, not in its workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Counter(), "missing-programs")
