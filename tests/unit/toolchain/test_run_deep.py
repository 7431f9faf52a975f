"""The runner of deep checks: nothing that failed or was late is called good, nothing is left."""

import signal
import subprocess
import sys

import pytest
from toolchain_parts import FOLDER, is_running, load, wait_until

LEAVES_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open({file!r}, "w") as file:
    file.write(str(child.pid))
"""
STAYS = LEAVES_A_CHILD + "child.wait()"


@pytest.fixture
def deep():
    return load("run_deep")


@pytest.fixture
def part(deep):
    """``part(name, code, minutes)``: one that runs this Python code."""

    def make(name, code="", minutes=1):
        return deep.Part(name, f"what {name} shows", (sys.executable, "-c", code), minutes)

    return make


@pytest.fixture
def main_with(deep, monkeypatch):
    """``main_with(parts, *names)``: the exit code when these are the parts and the names given."""

    def run(parts, *names):
        monkeypatch.setattr(deep, "PARTS", tuple(parts))
        monkeypatch.setattr(sys, "argv", ["run_deep.py", *names])
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        return deep.main()

    return run


def test_parts__given_their_limits__end_within_the_whole_limit(deep):
    assert sum(part.minutes for part in deep.PARTS) <= deep.TOTAL_MINUTES == 90
    names = sorted(part.name for part in deep.PARTS)
    assert names == ["contracts", "fuzz", "large-inputs", "prague", "proofs", "soak"]


def test_main__given_longer_limits__runs_nothing(main_with, part, tmp_path, capsys):
    touches = f"open({str(tmp_path / 'ran')!r}, 'w')"
    assert main_with([part("a", touches, minutes=85), part("b", touches, minutes=6)]) == 2
    assert "more than 90 minutes" in capsys.readouterr().out
    assert not (tmp_path / "ran").exists()


def test_main__given_unknown_part__names_those_there_are(main_with, part, capsys):
    assert main_with([part("a"), part("b")], "b", "no-such") == 2
    assert "no such part: no-such; there are a, b" in capsys.readouterr().out


def test_main__given_names__runs_those_alone(main_with, part, capsys):
    assert main_with([part("a", "exit(1)"), part("b"), part("c")], "b", "c") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[-3:]] == [["b", "ok"], ["c", "ok"], ["in", "all"]]


def test_main__when_one_fails__runs_the_rest_and_fails(main_with, part, capsys):
    assert main_with([part("bad", "exit(3)"), part("good")]) == 1
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert lines[0].split()[:3] == ["bad", "FAILED", "(3)"]
    assert lines[1].split()[:2] == ["good", "ok"]


def test_run__when_a_part_is_late__fails_and_leaves_no_child(deep, part, tmp_path, monkeypatch):
    file = tmp_path / "pid"
    wait = subprocess.Popen.wait

    def wait_for_the_child(process, timeout=None):
        if timeout is None:
            return wait(process)
        assert timeout == 20 * 60
        wait_until(lambda: file.exists() and file.read_text())
        return wait(process, timeout=0)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_for_the_child)
    line, held = deep.run(part("late", STAYS.format(file=str(file)), minutes=20))
    assert not held and "FAILED (not done in 20 min)" in line
    wait_until(lambda: not is_running(int(file.read_text())))


def test_run__when_a_part_leaves_a_child__ends_it(deep, part, tmp_path):
    file = tmp_path / "pid"
    line, held = deep.run(part("careless", LEAVES_A_CHILD.format(file=str(file))))
    assert held, line
    wait_until(lambda: not is_running(int(file.read_text())))


def test_run_deep__when_it_is_stopped__stops_its_part(tmp_path):
    file = tmp_path / "pid"
    parent = (
        "import sys; sys.path.insert(0, sys.argv[1]); import run_deep as deep\n"
        "deep.PARTS = (deep.Part('a', '', (sys.executable, '-c', sys.argv.pop()), 5),)\n"
        "del sys.argv[1:]; sys.exit(deep.main())"
    )
    command = [sys.executable, "-c", parent, str(FOLDER), STAYS.format(file=str(file))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: file.exists() and file.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
        wait_until(lambda: not is_running(int(file.read_text())))
    finally:
        process.kill()
