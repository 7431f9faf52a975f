"""Notes, cases, crash points and refusals: the small parts without a chain."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offchain.member.cases import Case
from offchain.member.errors import MemberError, RequestRefused
from offchain.member.request_notes import AskedRequest, RequestNotes
from offchain.member.roles import Reason

LOCK = bytes(range(32))


def test_read__given_written_note__gives_it_back_from_another_object(tmp_path: Path) -> None:
    asked = AskedRequest(1, ("0xabc",), 86_400, 172_800, "UTC", "standard")
    RequestNotes(tmp_path / "notes").write(LOCK, asked)

    assert RequestNotes(tmp_path / "notes").read(LOCK) == asked
    assert [path.suffix for path in (tmp_path / "notes").iterdir()] == [".json"]


def test_read__given_note_with_message_and_opening__gives_them_back(tmp_path: Path) -> None:
    asked = AskedRequest(
        1, ("0xabc",), 86_400, 172_800, "UTC", "standard", b"sealed", b"r and coins"
    )
    RequestNotes(tmp_path).write(LOCK, asked)

    assert RequestNotes(tmp_path).read(LOCK) == asked
    assert "sealed" not in repr(asked) and "coins" not in repr(asked)


@pytest.mark.parametrize(
    "content",
    [None, "{", '{"type_id": 1}', '{"type_id":1,"devices":[],"from":1,"to":2,"opening":"x"}'],
)
def test_read__given_no_sound_note__raises(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / f"{LOCK.hex()}.json").write_text(content)

    with pytest.raises(MemberError, match="no note"):
        RequestNotes(tmp_path).read(LOCK)
    assert RequestNotes(tmp_path).find(LOCK) is None


def test_patient_until__of_a_case__leaves_a_quarter_of_its_time() -> None:
    case = Case(LOCK, 1_000, 1_400, 2, 0, 0, False)

    assert case.patient_until == 1_300


@pytest.mark.parametrize(
    ("wanted", "passes", "is_killed"),
    [("a:step", 1, True), ("a:step@2", 1, False), ("a:step@2", 2, True), ("other", 1, False)],
)
def test_crash_point__given_step_and_pass__kills_there_alone(
    wanted: str, passes: int, is_killed: bool
) -> None:
    code = (
        "from offchain.member.crash_points import crash_point\n"
        f"for _ in range({passes}): crash_point('a:step')"
    )
    environment = dict(os.environ) | {"DMSM_CRASH_AT": wanted}

    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)

    assert done.returncode == (-signal.SIGKILL if is_killed else 0)


def test_request_refused__given_reason__names_it() -> None:
    refusal = RequestRefused(Reason.NOT_SERVED, "type 9")

    assert str(refusal) == "NOT_SERVED: type 9" and refusal.reason is Reason.NOT_SERVED
