"""`dmsm demo --network clique` as a command: every check on real signers and Kubo, nothing left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.demo.checks import CHECKS
from offchain.network.programs import PROJECT

DMSM = PROJECT / ".venv" / "bin" / "dmsm"
# A machine with other work is given its time; a demo that hangs is all that these are for.
WHOLE_RUN_S, BEGUN_S, END_S = 1_200, 300, 120


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """The commands of a test; one that still runs at its end is killed."""
    commands: list[subprocess.Popen[bytes]] = []
    yield commands
    for one in commands:
        one.kill()
        one.wait()


def start(
    started: list[subprocess.Popen[bytes]], folder: Path, *options: str
) -> subprocess.Popen[bytes]:
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [str(DMSM), "demo", "--network", "clique", "--json", "r.json", *options],
            cwd=folder,
            env={**os.environ, "DMSM_TEST": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    started.append(process)
    return process


def left_behind(folder: Path, networks: set[Path]) -> list[str]:
    """Processes with this run's environment, and its networks' folders, a moment after the end."""
    give_up_at = time.monotonic() + 5
    while (found := _left(folder, networks)) and time.monotonic() < give_up_at:
        time.sleep(0.1)
    return found


def _left(folder: Path, networks: set[Path]) -> list[str]:
    return [*_alive(folder), *(str(path) for path in networks if path.exists())]


def networks_of(folder: Path) -> set[Path]:
    """Where this run's network lies, by the command lines of its nodes: demos may run beside it."""
    lines = " ".join(_alive(folder))
    return {PROJECT / ".cache" / name for name in re.findall(r"demo-network-[^/ ]+", lines)}


def wait_until_said(demo: subprocess.Popen[bytes], folder: Path, words: str) -> None:
    give_up_at = time.monotonic() + BEGUN_S
    while words not in (said := (folder / "out").read_text()):
        assert demo.poll() is None and time.monotonic() < give_up_at, said
        time.sleep(0.05)


def _alive(folder: Path) -> list[str]:
    mark, found = f"DMSM_TEST={folder}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it ended meanwhile
            continue
    return [command for command in found if command]


@pytest.mark.timeout(BEGUN_S + WHOLE_RUN_S + END_S)
@pytest.mark.long
def test_demo__on_real_signers_and_kubo__every_check_holds(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    demo = start(started, tmp_path, "--homes", "5", "--days", "3")
    wait_until_said(demo, tmp_path, "making keys of full size")
    networks = networks_of(tmp_path)
    assert len(networks) == 1
    code = demo.wait(timeout=WHOLE_RUN_S)
    said = (tmp_path / "out").read_text()
    assert code == 0, said
    checks = json.loads((tmp_path / "r.json").read_text())["checks"]
    assert [(one["name"], one["ok"]) for one in checks] == [(name, True) for name in CHECKS]
    assert f"{len(CHECKS)} of {len(CHECKS)} checks hold" in said
    page = (tmp_path / "demo-report" / "index.html").read_text()
    assert "5 Geth signers (Clique) and 3 Kubo nodes, final after 3 blocks" in page
    assert left_behind(tmp_path, networks) == []


def test_demo__interrupted_on_real_signers__leaves_nothing_behind(
    tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    demo = start(started, tmp_path, "--homes", "2", "--days", "2")
    wait_until_said(demo, tmp_path, "making keys of full size")
    networks = networks_of(tmp_path)
    assert len(networks) == 1
    assert len(_alive(tmp_path)) > 9
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=END_S) == 130
    assert "everything that was started has been stopped" in (tmp_path / "out").read_text()
    assert left_behind(tmp_path, networks) == []
