"""Processes that outlive their starter: found again, ended, and never mistaken for others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from offchain.network.errors import NodeFailed
from offchain.network.processes import ProcessFolder

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    *(sys.executable, "-c"),
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)",
]


def wait_for_output(processes: ProcessFolder, name: str) -> None:
    give_up_at = time.monotonic() + 20
    while "up" not in processes.tail(name):
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_stop__a_running_process__ends_it_and_forgets_it(tmp_path: Path) -> None:
    processes = ProcessFolder(tmp_path)
    pid = processes.start("one", SLEEP, tied=True)
    assert ProcessFolder(tmp_path).pid("one") == pid
    processes.stop(["one"])
    assert not processes.is_running("one")
    assert processes.known() == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_stop__one_that_ignores_it__ends_it_hard(tmp_path: Path) -> None:
    processes = ProcessFolder(tmp_path)
    processes.start("one", STUBBORN, tied=True)
    wait_for_output(processes, "one")
    processes.stop(["one"], timeout_s=0.2)
    assert not processes.is_running("one")


def test_start__a_name_that_runs__is_refused(tmp_path: Path) -> None:
    processes = ProcessFolder(tmp_path)
    processes.start("one", SLEEP, tied=True)
    try:
        with pytest.raises(NodeFailed, match="runs already"):
            processes.start("one", SLEEP)
    finally:
        processes.stop(["one"])


def test_start__its_starter_ends_at_that_very_moment__leaves_none_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", Ended)
    processes = ProcessFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        processes.start("one", SLEEP, tied=True)
    found = ProcessFolder(tmp_path)
    assert found.is_running("one")
    found.stop(["one"])
    assert not found.is_running("one")


def test_start__no_such_program__leaves_nothing_behind(tmp_path: Path) -> None:
    processes = ProcessFolder(tmp_path)
    with pytest.raises(FileNotFoundError):
        processes.start("one", [str(tmp_path / "nothing")])
    assert processes.known() == []


def test_pid__of_a_number_that_somebody_else_has_now__is_none(tmp_path: Path) -> None:
    processes = ProcessFolder(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "one.pid").write_text(f"{os.getpid()} 1\n")
    assert processes.pid("one") is None
    processes.stop(["one"])  # which must not end this very test


def test_tail__of_a_long_log__is_its_last_lines(tmp_path: Path) -> None:
    processes = ProcessFolder(tmp_path)
    (tmp_path / "logs").mkdir()
    processes.log("one").write_text("\n".join(str(n) for n in range(50_000)))
    assert processes.tail("one", 2) == "49998\n49999"
    assert processes.tail("nobody") == ""


def test_last_words__of_a_program_that_panicked__begin_with_the_reason(tmp_path: Path) -> None:
    processes = ProcessFolder(tmp_path)
    (tmp_path / "logs").mkdir()
    stack = "\n".join(f"main.go:{n}" for n in range(40))
    why = "panic: runtime error: nil map"
    processes.log("one").write_text(f"INFO starting\n{why}\ngoroutine 1 [running]:\n{stack}\n")
    assert processes.last_words("one").splitlines() == [
        why,
        "main.go:37",
        "main.go:38",
        "main.go:39",
    ]


@pytest.mark.parametrize("log", ["INFO one\nFatal: no port", "INFO one\nINFO two"])
def test_last_words__of_a_short_log__are_each_line_once(tmp_path: Path, log: str) -> None:
    processes = ProcessFolder(tmp_path)
    (tmp_path / "logs").mkdir()
    processes.log("one").write_text(log)
    assert sorted(processes.last_words("one").splitlines()) == sorted(log.splitlines())
    assert processes.last_words("nobody") == ""
