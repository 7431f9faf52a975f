"""A plain SQLite file: durable, patient, and its faults told apart."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain import sqlite_file
from offchain.errors import StoreBusy, StoreConflict, StoreDamaged, StoreFull, StoreVersion
from offchain.sqlite_file import SqliteFile, is_sound


class Notes(SqliteFile):
    _schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)"

    def add(self, number: int, text: str) -> None:
        with self._write() as connection:
            connection.execute("INSERT INTO notes VALUES (?, ?)", (number, text))

    def texts(self) -> list[str]:
        return [row[0] for row in self._all("SELECT text FROM notes ORDER BY id")]


class OtherNotes(Notes):
    _layout = 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "notes.sqlite"


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that holds the file."""
    Notes(path).close()
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_write__body_raises__leaves_nothing(path: Path) -> None:
    with Notes(path) as notes:
        with pytest.raises(ZeroDivisionError), notes._write() as connection:
            connection.execute("INSERT INTO notes VALUES (1, 'lost')")
            raise ZeroDivisionError
        assert notes.texts() == []


def test_write__inside_another__is_undone_with_it(path: Path) -> None:
    with Notes(path) as notes:
        with pytest.raises(ZeroDivisionError), notes._write():
            notes.add(1, "lost")
            raise ZeroDivisionError
        assert notes.texts() == []


def test_write__same_key_twice__is_a_conflict(path: Path) -> None:
    with Notes(path) as notes:
        notes.add(1, "first")
        with pytest.raises(StoreConflict):
            notes.add(1, "second")
        assert notes.texts() == ["first"]


def test_write__held_for_a_while__waits_and_goes_on(path: Path, other: sqlite3.Connection) -> None:
    threading.Timer(0.4, other.execute, ["ROLLBACK"]).start()
    with Notes(path) as notes:
        notes.add(1, "after")
        assert notes.texts() == ["after"]


def test_write__held_too_long__is_busy_and_reading_goes_on(
    path: Path, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "PATIENCE_S", 0.3)
    with Notes(path) as notes:
        with pytest.raises(StoreBusy, match=r"another program holds .*notes\.sqlite"):
            notes.add(1, "never")
        assert notes.texts() == []


def test_write__no_room__is_full_and_goes_on_when_there_is(path: Path) -> None:
    with Notes(path) as notes:
        notes._connection.execute("PRAGMA max_page_count=1")  # as a disk without room
        with pytest.raises(StoreFull, match="free room"):
            notes.add(1, "x" * 100_000)
        notes._connection.execute("PRAGMA max_page_count=100000")
        notes.add(1, "fits")
        assert notes.texts() == ["fits"]


def test_open__file_without_rights__is_full_and_says_so(path: Path) -> None:
    Notes(path).close()
    path.parent.chmod(0o500)
    path.chmod(0o400)
    try:
        if os.access(path, os.W_OK):
            pytest.skip("root may write everywhere")
        with pytest.raises(StoreFull, match="make it writable"):
            Notes(path)
    finally:
        path.parent.chmod(0o700)


def test_open__missing_folder_that_is_a_file__is_full(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreFull, match="cannot be written"):
        Notes(tmp_path / "file" / "notes.sqlite")


def test_open__layout_of_another_program__is_refused_and_left_alone(path: Path) -> None:
    with Notes(path) as notes:
        notes.add(1, "kept")
    with pytest.raises(StoreVersion, match="layout 1 and this program knows 2"):
        OtherNotes(path)
    with Notes(path) as notes:
        assert notes.texts() == ["kept"]


def test_open__spoilt_pages__is_damaged_and_left_where_it_is(path: Path) -> None:
    with Notes(path) as notes:
        for number in range(200):
            notes.add(number, "x" * 500)
    spoilt = bytearray(path.read_bytes())
    spoilt[4096 : 4 * 4096] = b"\xa5" * (3 * 4096)
    path.write_bytes(spoilt)
    assert not is_sound(path)
    with pytest.raises(StoreDamaged, match="restore a copy"), Notes(path) as notes:
        notes.texts()
    assert path.read_bytes()[: len(spoilt)] == spoilt


def test_is_sound__file_that_cannot_be_looked_at__is_not_called_damaged(path: Path) -> None:
    assert is_sound(path)  # it is not there
    Notes(path).close()
    assert is_sound(path)


def test_open__many_threads_at_once__make_one_layout(path: Path) -> None:
    failed: list[BaseException] = []

    def open_and_add(number: int) -> None:
        try:
            with Notes(path) as notes:
                notes.add(number, "one")
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=open_and_add, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failed
    with Notes(path) as notes:
        assert len(notes.texts()) == 8


def test_connect__to_an_open_file__leaves_the_locks_of_other_connections(path: Path) -> None:
    with Notes(path) as notes:
        notes.add(1, "one")
        assert is_locked_for_others(path)
        sqlite_file.connect(path).close()
        assert is_locked_for_others(path)


def is_locked_for_others(path: Path) -> bool:
    """Whether another process sees the lock that keeps it from deleting the log of a database."""
    ask = (
        "import sqlite3, sys\n"
        "other = sqlite3.connect(sys.argv[1], timeout=0)\n"
        "try: other.execute('PRAGMA journal_mode=DELETE')\n"
        "except sqlite3.OperationalError: sys.exit(7)\n"
    )
    return subprocess.run([sys.executable, "-c", ask, str(path)]).returncode == 7


def test_open__another_programs_file__is_refused_and_left_as_it_is(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreVersion):
        Notes(path)
    assert path.read_bytes() == before


def test_open__a_copy_that_is_not_in_wal__is_in_wal_again(path: Path) -> None:
    with Notes(path) as notes:
        notes.add(1, "kept")
    with sqlite3.connect(path, isolation_level=None) as other:
        assert other.execute("PRAGMA journal_mode=DELETE").fetchone() == ("delete",)
    other.close()
    with Notes(path) as notes:
        assert notes.texts() == ["kept"]
        assert notes._one("PRAGMA journal_mode") == ("wal",)
