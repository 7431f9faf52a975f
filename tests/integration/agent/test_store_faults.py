"""The agent as a process, on a store that is held, full or of another version: nothing is lost."""

import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.disks import tiny_disk

from .conftest import Home

FILES = ("outbox.sqlite", "outbox.sqlite.transactions")


@contextmanager
def held(*paths: Path) -> Iterator[None]:
    """Hold files as another program does that is about to write."""
    others = [sqlite3.connect(path, isolation_level=None) for path in paths]
    for other in others:
        other.execute("BEGIN IMMEDIATE")
    yield
    for other in others:
        other.execute("ROLLBACK")
        other.close()


def read(process: "subprocess.Popen[str]") -> tuple[list[dict[str, Any]], Callable[[], str]]:
    """Collect what a process tells while it runs; the second ends the collecting."""
    events: list[dict[str, Any]] = []

    def collect() -> None:
        for line in process.stdout:
            events.append(json.loads(line))

    thread = threading.Thread(target=collect)
    thread.start()

    def end() -> str:
        process.wait(timeout=120)
        thread.join()
        return process.stderr.read()

    return events, end


def assert_all_anchored(home: Home) -> None:
    assert home.anchored() == [(1, 24), (25, 24), (49, 24)]
    assert [path.name for path in home.folder.iterdir() if "damaged" in path.name] == []


@pytest.mark.parametrize(
    "seconds", [3, pytest.param(60, marks=pytest.mark.slow)], ids=["3 s", "60 s"]
)
def test_run__while_another_program_holds_its_files__waits_and_sends_all(
    home: Home, seconds: int
) -> None:
    home.configure(give_up_after_s=120)
    home.run("--days", "1")  # makes both files
    with held(*(home.folder / name for name in FILES)):
        process = home.start()
        events, end = read(process)
        time.sleep(seconds)
        assert process.poll() is None
    err = end()
    assert process.returncode == 0, (events, err)
    assert "Traceback" not in err
    assert_all_anchored(home)


def test_run__while_its_disk_is_full__says_so_and_goes_on_with_the_same_file(home: Home) -> None:
    with tiny_disk(home.folder / "disk", size_kib=2_000) as disk:
        home.configure(outbox="disk/outbox.sqlite", give_up_after_s=2)
        assert home.run("--days", "1")[0] == 0
        before = (disk.folder / "outbox.sqlite").read_bytes()
        for room_kib in (0, 36, 40, 44, 48):
            disk.leave(room_kib * 1024)
            process = home.start()
            events, end = read(process)
            err = end()
            assert process.returncode == 8, (room_kib, events, err)
            assert "no_room" in [one["event"] for one in events]
            assert "Traceback" not in err and "free room" in err
            names = sorted(file.name for file in disk.folder.iterdir() if "sqlite" in file.name)
            assert not [name for name in names if "damaged" in name]
            assert (disk.folder / "outbox.sqlite").read_bytes() == before
        disk.free()
        code, events, err = home.run()
        assert code == 0, (events, err)
        assert_all_anchored(home)


def test_run__disk_that_is_freed_while_it_waits__goes_on_in_the_same_process(home: Home) -> None:
    with tiny_disk(home.folder / "disk", size_kib=2_000) as disk:
        home.configure(outbox="disk/outbox.sqlite", give_up_after_s=60)
        assert home.run("--days", "1")[0] == 0
        disk.leave(40 * 1024)
        process = home.start()
        events, end = read(process)
        while not events:
            time.sleep(0.1)
        assert events[0]["event"] == "no_room"
        disk.free()
        err = end()
        assert process.returncode == 0, (events, err)
        assert "store_works_again" in [one["event"] for one in events]
        assert_all_anchored(home)


def test_run__outbox_of_a_newer_version__ends_with_its_code_in_one_line(home: Home) -> None:
    home.configure()
    assert home.run("--days", "1")[0] == 0
    with sqlite3.connect(home.folder / "outbox.sqlite") as database:
        database.execute("PRAGMA user_version=4")
    database.close()
    process = home.start()
    events, end = read(process)
    err = end()
    assert process.returncode == 6, (events, err)
    assert err.count("\n") == 1 and "layout 4" in err
    assert [one["event"] for one in events] == ["error"]
