"""Skips for a missing program are counted, and fail a run that must have all programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from toolchain_parts import load

ROOT = Path(__file__).parents[3]
TESTS = """
import pytest

@pytest.mark.skipif(True, reason="no promtool: part of Prometheus")
def test_needs_promtool(): ...

@pytest.mark.parametrize("number", [1, 2])
def test_needs_a_server(number):
    pytest.skip("no PostgreSQL: install it")

@pytest.mark.skip(reason="not on this system")
def test_other(): ...

def test_passes(): ...
"""


def run(folder: Path, *options: str, **environment: str) -> tuple[int, str, list[str]]:
    (folder / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:pytest-brownie", "-p"]
    command += ["toolchain.missing_programs", "-q", "--rootdir", str(folder), *options]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DMSM_")}
    done = subprocess.run(
        [*command, str(folder)],
        env=kept | {"DMSM_MISSING_PROGRAMS": str(folder / "missing")} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, (folder / "missing").read_text().splitlines()


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_run__programs_missing__are_counted_and_forgiven(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    code, said, lines = run(tmp_path, *options)
    assert code == 0
    assert "tests skipped because there is no PostgreSQL: 2" in said
    assert sorted(line.split()[0] for line in lines) == ["PostgreSQL", "PostgreSQL", "promtool"]


def test_run__all_programs_demanded__fails(tmp_path: Path) -> None:
    code, said, _ = run(tmp_path, DMSM_ALL_PROGRAMS="1")
    assert code == 1
    assert "tests skipped because there is no promtool: 1" in said


def test_run__nothing_missing__passes_with_all_programs_demanded(tmp_path: Path) -> None:
    code, said, lines = run(tmp_path, "-k", "passes or other", DMSM_ALL_PROGRAMS="1")
    assert (code, lines) == (0, [])
    assert "there is no" not in said


def test_program_of__reason__is_the_name_before_the_colon() -> None:
    program_of = load("missing_programs").program_of
    assert program_of("Skipped: no ipfs: build it") == "ipfs"
    assert program_of("no systemd-analyze: part of systemd") == "systemd-analyze"
    assert program_of("nothing to see: here") is None
