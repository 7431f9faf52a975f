"""The runner of forge believes nothing before forge has failed where it must."""

import stat

import pytest
from toolchain_parts import load

FAILS = "Ran 1 test suite in 1ms: 0 tests passed, 1 failed, 0 skipped (1 total tests)"
PASSES = "Ran 1 test suite in 1ms: 3 tests passed, 0 failed, 0 skipped (3 total tests)"
SKIPS = "Ran 1 test suite in 1ms: 2 tests passed, 0 failed, 1 skipped (3 total tests)"


@pytest.fixture
def foundry():
    return load("foundry")


@pytest.fixture
def forge_that(foundry, tmp_path, monkeypatch):
    """``forge_that(must_fail, otherwise)``: a forge of two (output, exit code) pairs."""

    def install(must_fail, otherwise=("", 1)):
        program = tmp_path / "forge"
        lines = ["#!/bin/sh", 'if [ "$FOUNDRY_PROFILE" = must_fail ]; then']
        lines += [f"echo '{must_fail[0]}'; exit {must_fail[1]}; fi"]
        lines += [f"echo '{otherwise[0]}'; exit {otherwise[1]}"]
        program.write_text("\n".join(lines) + "\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(foundry, "forge_binary", lambda: program)

    return install


def test_selfcheck__when_the_failing_test_fails_forge__holds(foundry, forge_that):
    forge_that((FAILS, 1))
    assert foundry.main(["selfcheck"]) == 0


@pytest.mark.parametrize("answer", [(FAILS, 0), (PASSES, 0), ("", 0), ("Compiler run failed", 1)])
def test_selfcheck__when_forge_hides_a_failure_or_ran_nothing__fails(foundry, forge_that, answer):
    forge_that(answer, (PASSES, 0))
    assert foundry.main(["selfcheck"]) == 1
    assert foundry.main(["test"]) == 1


def test_test__when_all_pass__holds(foundry, forge_that):
    forge_that((FAILS, 1), (PASSES, 0))
    assert foundry.main(["test"]) == 0


@pytest.mark.parametrize("answer", [(PASSES, 1), ("No tests found", 0), (SKIPS, 0), (FAILS, 1)])
def test_test__when_one_fails_or_none_ran__fails(foundry, forge_that, answer):
    forge_that((FAILS, 1), answer)
    assert foundry.main(["test"]) != 0
