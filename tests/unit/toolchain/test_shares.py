"""Contract tests in two processes: no file is left out or run twice, and no failure is hidden."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from toolchain_parts import FOLDER, is_running, load, wait_until

PROGRAM = """
import sys
name, code = sys.argv[1].split(":")
print("I am", name, *sys.argv[2:])
print("===== done with " + name + " =====\\n")
sys.exit(int(code))
"""


@pytest.fixture
def shares():
    return load("shares")


@pytest.fixture
def program(tmp_path):
    """A command that takes "NAME:EXIT CODE" for a file."""
    (tmp_path / "program.py").write_text(PROGRAM)
    return [sys.executable, str(tmp_path / "program.py")]


def test_split__given_any_files__puts_each_into_one_share(shares):
    seconds = {f"test_{i}.py": float(i % 7) for i in range(50)}
    parts = shares.split(seconds)
    assert sorted(name for part in parts for name in part) == sorted(seconds)
    sums = [sum(seconds[name] for name in part) for part in parts]
    assert len(sums) == 2 and abs(sums[0] - sums[1]) <= 6


def test_split__given_one_file__makes_no_empty_share(shares):
    assert shares.split({"a": 1.0}) == [["a"]]


def test_seconds_of__given_the_contract_tests__knows_all_and_splits_them_about_equally(shares):
    seconds = shares.seconds_of(["tests/contracts", "tests/stateful"])
    folders = [FOLDER.parent / "tests" / name for name in ("contracts", "stateful")]
    assert {Path(FOLDER.parent / name) for name in seconds} == {
        file for folder in folders for file in folder.rglob("test_*.py")
    }
    assert all(seconds.values()), "a file without tests weighs nothing"
    assert seconds.keys() >= shares.SECONDS_MEASURED.keys(), "a file that is no more"
    sums = [sum(seconds[name] for name in part) for part in shares.split(seconds)]
    assert max(sums) < 1.1 * min(sums)


def test_run__when_all_pass__shows_every_share_and_its_closing_line(shares, program, capfd):
    assert shares.run(program, [["one:0"], ["two:0"]], ["-q"]) == 0
    shown = capfd.readouterr().out.splitlines()
    assert "I am one -q" in shown and "I am two -q" in shown
    assert shown[-2:] == [
        "share 1 of 2 (1 files): done with one",
        "share 2 of 2 (1 files): done with two",
    ]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((1, 0), 1), ((0, 1), 1), ((2, 1), 2), ((0, 5), 0), ((5, 0), 0), ((5, 5), 5), ((5, 1), 5)],
)
def test_run__when_a_share_fails__fails(shares, program, codes, expected):
    parts = [[f"share:{code}"] for code in codes]
    assert shares.run(program, parts, []) == expected


def test_run__when_it_is_stopped__leaves_no_process_behind(tmp_path):
    child = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
    parent = (
        "import signal, sys; sys.path.insert(0, sys.argv[1]); import shares;"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143));"
        f"shares.run([sys.executable, '-c', {child!r}], [[sys.argv[2]], [sys.argv[3]]], [])"
    )
    files = [tmp_path / "one", tmp_path / "two"]
    process = subprocess.Popen([sys.executable, "-c", parent, str(FOLDER), *map(str, files)])
    try:
        wait_until(lambda: all(file.exists() and file.read_text() for file in files))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143
        wait_until(lambda: not any(is_running(int(file.read_text())) for file in files))
    finally:
        process.kill()


@pytest.fixture
def brownie_test(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER.parent / "scripts"))
    return load("brownie_test")


def test_main__given_no_path__runs_two_shares_with_the_options(brownie_test, monkeypatch):
    ran = []
    monkeypatch.delenv("DMSM_KEEP", raising=False)
    monkeypatch.setattr(brownie_test.shares, "run", lambda *given: ran.append(given) or 0)
    assert brownie_test.main(["-q", "--hardfork", "prague", "-k", "lock"]) == 0
    [(command, parts, options)] = ran
    assert command[-2:] == ["--hardfork", "prague"] and options == ["-q", "-k", "lock"]
    assert len(parts) == 2 and not set(parts[0]) & set(parts[1])


def test_main__when_files_are_kept__runs_one_process(brownie_test, monkeypatch):
    ran = []
    monkeypatch.setenv("DMSM_KEEP", "1")
    monkeypatch.setattr(brownie_test.shares, "run", lambda *given: ran.append(given[1]) or 0)
    assert brownie_test.main([]) == 0
    assert [len(parts) for parts in ran] == [1]


@pytest.mark.parametrize("arguments", [["tests/stateful", "-q"], ["-q", "tests/stateful", "-x"]])
def test_with_a_path_first__given_options_first_or_not__begins_with_a_path(brownie_test, arguments):
    given = brownie_test.with_a_path_first(arguments)
    assert given[0] == "tests/stateful" and given[1:] == arguments
