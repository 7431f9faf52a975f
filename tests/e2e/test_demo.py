"""`dmsm demo` as a command of its own: what it does, what it refuses, and what it leaves behind."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from offchain.demo.checks import CHECKS, NOT_REACHED
from offchain.demo.gas import REQUIRED
from offchain.demo.run import DATA_DIR, ROOT
from offchain.records.meter_csv import HEADER

pytestmark = pytest.mark.slow

DMSM = ROOT / ".venv" / "bin" / "dmsm"
STAGES = [
    "deploy and admit",
    "meter and anchor",
    "notify",
    "request, answer, audit",
    "refuse and refund",
    "publish and share",
    "withdraw and pay owners",
    "demand and dispute",
    "account for the money",
]
MIDNIGHT_S = 1_704_067_200
HOUR_S = 3_600
END_S = 180
Row = tuple[int, int, int, int]


class Demo:
    """A run of the command in a directory of its own, and the processes that it starts."""

    def __init__(self, cwd: Path, *options: str, **environment: str) -> None:
        self.cwd, self.mark = cwd, f"{cwd.name}-{time.monotonic_ns()}"
        self._out, self._err = (cwd / "out").open("wb"), (cwd / "err").open("wb")
        temporary = cwd / "tmp"
        temporary.mkdir(exist_ok=True)
        self.temporary = temporary
        self.process = subprocess.Popen(
            [str(DMSM), "demo", *options],
            cwd=cwd,
            env={**os.environ, "TMPDIR": str(temporary), "DMSM_TEST": self.mark, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
        )

    def finish(self) -> int:
        """Wait for the end and return the exit code."""
        try:
            return self.process.wait(timeout=END_S)
        finally:
            self._out.close()
            self._err.close()

    def wait_for(self, text: str) -> None:
        """Wait until the command has printed a text."""
        deadline = time.monotonic() + END_S
        while text not in self.out:
            assert self.process.poll() is None, f"ended before {text!r}:\n{self.out}\n{self.err}"
            assert time.monotonic() < deadline, f"no {text!r}:\n{self.out}"
            time.sleep(0.05)

    def alive(self) -> list[str]:
        """Return the command lines of the processes that have this run's environment."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                is_mine = self.mark.encode() in (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # it ended meanwhile
                continue
            if is_mine and command:
                found.append(command)
        return found

    def left_behind(self) -> list[str]:
        """Return what is alive a moment after the end, and what lies in the temporary folder."""
        deadline = time.monotonic() + 2
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        return [*self.alive(), *os.listdir(self.temporary)]

    def kill(self) -> None:
        """End the command at once, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return (self.cwd / "out").read_text("utf-8")

    @property
    def err(self) -> str:
        """What it has said on stderr so far."""
        return (self.cwd / "err").read_text("utf-8")

    @property
    def result(self) -> dict[str, Any]:
        """The JSON that it wrote."""
        loaded: dict[str, Any] = json.loads((self.cwd / "results" / "r.json").read_text())
        return loaded


@pytest.fixture
def runs() -> Iterator[list[Demo]]:
    """Hold the runs of a test; those that still work at its end are killed."""
    started: list[Demo] = []
    yield started
    for one in started:
        one.kill()


def start(runs: list[Demo], cwd: Path, *options: str, **environment: str) -> Demo:
    runs.append(Demo(cwd, "--json", "results/r.json", *options, **environment))
    return runs[-1]


def write_home(folder: Path, name: str, rows: Sequence[Row], eol: str = "\n") -> None:
    folder.mkdir(exist_ok=True)
    columns = [(time_s, wh, min(max(0, -w), 2_000), w, dc) for time_s, wh, w, dc in rows]
    given_back = accumulate(row[2] for row in columns)  # as registers have it
    shown = [(*row[:2], total, *row[3:]) for row, total in zip(columns, given_back, strict=True)]
    lines = [HEADER, *(",".join(map(str, row)) for row in shown)]
    (folder / name).write_bytes((eol.join(lines) + eol).encode())


def write_odd_homes(folder: Path) -> None:
    """Frost, gaps, feed-in, hours of zero use, half-hours beside hours, two rows, odd names."""
    half_hours = [
        (MIDNIGHT_S + n * HOUR_S // 2, 100 * n, 200 + 13 * (n % 40), -150 + n)
        for n in range(96)
        if not 30 < n < 41
    ]
    feed_in = [
        (MIDNIGHT_S + n * HOUR_S, 2**53 - 1000 + n // 3, 900 - 2_000 * (8 < n % 24 < 18), -2_732)
        for n in range(48)
    ]
    idle = [(MIDNIGHT_S + n * HOUR_S, 7, 0, 32_767 * (n == 5)) for n in range(30)]
    write_home(folder, "half hours & frost.csv", half_hours, eol="\r\n")
    write_home(folder, "solar [red] $\\x$ 家.csv", feed_in)
    write_home(folder, "_idle <script>.csv", idle)
    write_home(folder, "two rows.csv", [(1, 0, 5, 0), (2**32 - 1, 2**20 - 1, -(2**31) + 1, 0)])


def require_whole(demo: Demo, stages: Sequence[str] = STAGES) -> None:
    """Assert that everything that was promised of a good run is there."""
    result = demo.result
    failed = [check for check in result["checks"] if not check["ok"]]
    assert (failed, demo.err) == ([], "")
    assert result["ok"] is True
    assert [check["name"] for check in result["checks"]] == list(CHECKS)
    assert [(stage["name"], stage["ok"]) for stage in result["stages"]] == [
        (name, True) for name in stages
    ]
    gas = result["gas"]
    assert all(type(gas[step]) is int and gas[step] > 0 for step in REQUIRED)
    assert all(type(amount) is int for amount in gas.values())
    page = (demo.cwd / "demo-report" / "index.html").read_text("utf-8")
    assert all(name in page for name in CHECKS)
    assert not re.search(r"https?://|<script|<link|@import", page)
    assert f"{len(CHECKS)} of {len(CHECKS)} checks hold" in demo.out
    assert demo.left_behind() == []


def require_broken_off(demo: Demo, name: str) -> None:
    """Assert that the JSON lists every check though the run ended in the stage of this name."""
    result = demo.result
    assert result["ok"] is False
    assert [check["name"] for check in result["checks"]] == list(CHECKS)
    assert result["checks"][-1] == {"name": CHECKS[-1], "ok": False, "detail": NOT_REACHED}
    assert [stage["name"] for stage in result["stages"] if not stage["ok"]] == [name]
    assert set(REQUIRED) <= result["gas"].keys()
    assert demo.left_behind() == []


def test_demo__real_households__every_check_holds(tmp_path: Path, runs: list[Demo]) -> None:
    # Three homes in a region and three days: enough to add them under encryption, too.
    demo = start(runs, tmp_path, "--homes", "5", "--days", "3", "--seed", "5")
    assert demo.finish() == 0, demo.out + demo.err
    require_whole(demo, [*STAGES[:-1], "add under encryption", STAGES[-1]])
    page = (demo.cwd / "demo-report" / "index.html").read_text("utf-8")
    assert "24 hourly totals opened under a threshold key" in page


def test_demo__odd_meter_files__every_check_holds(tmp_path: Path, runs: list[Demo]) -> None:
    write_odd_homes(tmp_path / "meter files")
    options = ("--readings", "meter files", "--sharers", "4", "--threshold", "4")
    # A terminal that knows no letters but ASCII, as some services have it.
    demo = start(runs, tmp_path, *options, PYTHONIOENCODING="ascii")
    assert demo.finish() == 0, demo.out + demo.err
    require_whole(demo)


@pytest.mark.parametrize(
    ("number", "moment", "stage"),
    [
        (signal.SIGINT, "device agents replay", "meter and anchor"),
        (signal.SIGTERM, "deploying the contracts", "deploy and admit"),
    ],
)
def test_demo__a_signal_in_mid_run__stops_everything_and_reports(
    tmp_path: Path, runs: list[Demo], number: int, moment: str, stage: str
) -> None:
    demo = start(runs, tmp_path, "--homes", "2", "--days", "20")
    demo.wait_for(moment)
    wanted = "device_agent" if stage == "meter and anchor" else "run_deploy.py"
    while not any(wanted in command for command in demo.alive()):
        assert demo.process.poll() is None, demo.out + demo.err
        time.sleep(0.02)
    assert any("anvil" in command for command in demo.alive())
    time.sleep(1)
    os.kill(demo.process.pid, number)
    time.sleep(0.05)
    os.kill(demo.process.pid, number)  # somebody is impatient
    assert demo.finish() == 130, demo.out + demo.err
    assert "interrupted" in demo.out
    assert "Traceback" not in demo.out + demo.err
    require_broken_off(demo, stage)


def test_demo__the_chain_dies_under_it__reports_and_ends_with_1(
    tmp_path: Path, runs: list[Demo]
) -> None:
    demo = start(runs, tmp_path, "--homes", "2", "--days", "2")
    demo.wait_for("admitted home-01")
    kill_anvil(demo)
    assert demo.finish() == 1, demo.out + demo.err
    assert "no chain node answers" in demo.out
    assert "Traceback" not in demo.out + demo.err
    require_broken_off(demo, "deploy and admit")


def kill_anvil(demo: Demo) -> None:
    """Kill the chain under a run."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_mine = demo.mark.encode() in (folder / "environ").read_bytes()
            if is_mine and b"bin/anvil" in (folder / "cmdline").read_bytes():
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:
            continue


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--threshold", "4"], "--threshold 4"),
        (["--homes", "18"], "--homes 18"),
        (["--readings", "bad"], "bad/b.csv:3: import_wh: the register falls from 5 to 4"),
        (["--json", "bad"], "--json bad"),
    ],
)
def test_demo__bad_options_or_input__ends_with_2_and_one_line(
    tmp_path: Path, runs: list[Demo], options: list[str], said: str
) -> None:
    write_home(tmp_path / "bad", "a.csv", [(1, 0, 0, 0), (2, 0, 0, 0)])
    write_home(tmp_path / "bad", "b.csv", [(1, 5, 0, 0), (2, 4, 0, 0)])
    demo = start(runs, tmp_path, *options)
    assert demo.finish() == 2, demo.out + demo.err
    assert demo.err.count("\n") == 1
    assert said in demo.err
    assert demo.out == ""
    assert not (tmp_path / "results" / "r.json").exists()
    assert demo.left_behind() == []


def test_demo__help__says_what_it_needs() -> None:
    shown = subprocess.run([DMSM, "demo", "--help"], capture_output=True, text=True, check=True)
    options = "--homes --days --sharers --threshold --readings --json --seed"
    assert all(option in shown.stdout for option in options.split())
    assert "make setup" in shown.stdout


def test_data_dir__after_the_set_up__is_there() -> None:
    assert (DATA_DIR / "pricing.csv").is_file(), "run `make setup` before these tests"
