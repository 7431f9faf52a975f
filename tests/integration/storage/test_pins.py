"""`dmsm node pins` and the care of a running node, with two folders in the place of Kubo nodes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from offchain.cli import store_upkeep as upkeep_module
from offchain.cli.app import app
from offchain.cli.session import open_content
from offchain.cli.store_upkeep import store_upkeep
from offchain.settings import Profile, load_profile
from offchain.storage import Cid

PROFILE = """
rpc_url = "http://127.0.0.1:9"
deployment = "deployment.json"
store = ["dir:a", "dir:b"]
keys = "keys"
password_file = "password"
data = "data"
"""


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "dmsm.toml"
    path.write_text(PROFILE)
    return load_profile(path)


def pins(profile: Profile, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["node", "pins", "--profile", str(profile.path), *options])
    return done.exit_code, done.output


def file_of(folder: Path, cid: Cid) -> Path:
    return next(folder.rglob(str(cid)))


def put(profile: Profile, data: bytes) -> Cid:
    with open_content(profile) as store:
        return store.put(data, lasting=True)


def wait_for(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.05)


def test_pins__all_in_order__says_so_and_exits_0(profile: Profile) -> None:
    put(profile, b"data")
    code, output = pins(profile, "--json")
    assert code == 0
    facts = json.loads(output)
    assert (facts["parcels"], facts["objects"], facts["owed"]) == (1, 1, [])
    assert [one["answers"] for one in facts["stores"]] == [True, True]


def test_pins__one_store_lost_it__mends_names_it_and_exits_0(
    profile: Profile, tmp_path: Path
) -> None:
    cid = put(profile, b"data")
    file_of(tmp_path / "b", cid).unlink()
    code, output = pins(profile, "--json")
    assert code == 0
    assert json.loads(output)["not in order"] == [
        {"object": cid, "store": f"dir:{tmp_path / 'b'}", "was": "missing", "mended": True}
    ]
    assert file_of(tmp_path / "b", cid).read_bytes() == b"data"


def test_pins__a_store_does_not_answer__names_it_and_exits_1(
    profile: Profile, tmp_path: Path
) -> None:
    put(profile, b"data")
    (tmp_path / "b").rename(tmp_path / "away")
    (tmp_path / "b").write_text("no folder")
    code, output = pins(profile)
    assert code == 1
    assert f"dir:{tmp_path / 'b'}" in output.replace("\n", "")


def test_pins__one_folder_as_store__says_why_there_is_nothing_to_look_at(
    profile: Profile, tmp_path: Path
) -> None:
    profile.path.write_text(PROFILE.replace('["dir:a", "dir:b"]', '"dir:a"'))
    code, output = pins(profile)
    assert code == 2
    assert "the store is a folder" in output


def test_store_upkeep__of_a_running_node__mends_what_lacks_and_ends_with_it(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cid = put(profile, b"data")
    path = file_of(tmp_path / "b", cid)
    path.unlink()
    monkeypatch.setattr(upkeep_module, "_POLL_S", 0.05)
    stop = threading.Event()
    with capture_logs() as logs, store_upkeep(profile, stop):
        wait_for(path.exists)
        stop.set()
    (seen,) = [one for one in logs if one["event"] == "stores looked through"]
    assert [one["what"] for one in seen["findings"]] == ["missing"]
    assert not [one for one in threading.enumerate() if one.name == "store-upkeep"]


def test_store_upkeep__a_store_comes_back__sends_what_it_is_owed(
    profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cid = put(profile, b"data")
    (tmp_path / "b").rename(tmp_path / "away")
    (tmp_path / "b").write_text("no folder")
    monkeypatch.setattr(upkeep_module, "_POLL_S", 0.05)
    monkeypatch.setattr("offchain.storage.kept._FIRST_PAUSE_S", 1)
    monkeypatch.setattr("offchain.storage.kept._LONGEST_PAUSE_S", 1)
    stop = threading.Event()
    with capture_logs() as logs, store_upkeep(profile, stop):
        wait_for(lambda: any(one.get("silent") for one in logs))
        (tmp_path / "b").unlink()
        (tmp_path / "b").mkdir()
        wait_for(lambda: any((tmp_path / "b").rglob(str(cid))))
        stop.set()
    assert file_of(tmp_path / "b", cid).read_bytes() == b"data"
