"""What is found before anything starts, and the small parts of a run."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.demo import agents, refusing, run
from offchain.demo.agents import kill_in_mid_run
from offchain.demo.options import DemoOptions
from offchain.types import SECONDS_PER_DAY
from tests.unit.demo.conftest import MeterFile

LAST_DAY = (2**32 - 1) // SECONDS_PER_DAY


def home_with_days(*days: int) -> Any:
    """A home with readings on UTC days; its last local day ends after the last of them."""
    end = days[-1] * SECONDS_PER_DAY + 8 * 3_600
    return SimpleNamespace(days=list(days), window=(0, end))


@pytest.mark.parametrize(
    "days",
    [[0, 1], [17_000, 17_001], [LAST_DAY - 2, LAST_DAY - 1, LAST_DAY], [*range(16_000, 16_800)]],
)
def test_window_without_readings__any_days__is_a_local_day_that_has_none(days: list[int]) -> None:
    start, end = refusing._window_without_readings(home_with_days(*days))
    assert start % SECONDS_PER_DAY == 8 * 3_600 and end - start == SECONDS_PER_DAY  # of UTC-8
    assert not {start // SECONDS_PER_DAY, (end - 1) // SECONDS_PER_DAY} & set(days)
    assert end <= 2**32 - 1


def test_kill_in_mid_run__half_a_line_at_the_end__is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = 'import time; print(\'{"event": "sampled", "seq": 3}\'); print(\'{"ev\', end=\'\')'
    script = tmp_path / "agent.py"
    script.write_text(f"{said}; import sys; sys.stdout.flush(); time.sleep(60)")
    popen = subprocess.Popen

    def start(command: list[str], **options: Any) -> Any:
        del command
        return popen([sys.executable, str(script)], **options)

    monkeypatch.setattr(agents.subprocess, "Popen", start)
    followed: list[int] = []
    agent, code = kill_in_mid_run(
        tmp_path / "agent.json", at_seq=3, follow=lambda one: followed.append(one.last_seq)
    )
    assert (code, agent.last_seq) == (-9, 3)
    assert set(followed) <= {0, 3}


def test_kill_in_mid_run__it_ends_by_itself__gives_its_own_exit_code_and_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, popen = tmp_path / "agent.py", subprocess.Popen
    script.write_text('print(\'{"event": "error", "detail": "no key"}\'); raise SystemExit(2)')

    def start(command: list[str], **options: Any) -> Any:
        del command
        return popen([sys.executable, str(script)], **options)

    monkeypatch.setattr(agents.subprocess, "Popen", start)
    agent, code = kill_in_mid_run(tmp_path / "agent.json", at_seq=3, follow=lambda one: None)
    assert (code, agent.last_seq, agent.complaint()) == (2, 0, "no key")


def test_main__set_up_is_missing__names_make_setup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "DATA_DIR", tmp_path)
    assert run.main(DemoOptions(report_dir=tmp_path / "r")) == 2
    said = capsys.readouterr().err
    assert said == "dmsm demo: the household data missing: run `make setup` in the checkout\n"
    assert not (tmp_path / "r").exists()


def test_main__a_bad_meter_file__says_one_line_and_starts_nothing(
    folder: Path,
    meter_file: MeterFile,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    meter_file("a.csv")
    path = meter_file("b\n.csv", ["1,x,0,5,10"])
    monkeypatch.setattr(run, "_check_set_up", lambda: None)
    assert run.main(DemoOptions(readings=folder, json_file=folder / "r.json")) == 2
    shown = str(path).replace("\n", "\\n")
    assert capsys.readouterr().err == f"{shown}:2: import_wh: 'x' is not an integer\n"
    assert not (folder / "r.json").exists()
