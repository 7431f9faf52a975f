"""What goes wrong below a node's store: nothing is renamed or lost, all is said in a sentence."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from offchain.database import Database, Place, Schema
from offchain.errors import StoreBusy, StoreDamaged, StoreFull, StoreVersion
from offchain.node.store import NodeStore
from offchain.node.tables import NODE
from tests.databases import new_postgres as new_postgres
from tests.databases import place as place
from tests.unit.node.test_store import DEVICE, make_readings, rows_of

STEP_OF_TOMORROW = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    with op.batch_alter_table("starts") as table:
        table.add_column(sa.Column("reason", sa.Integer, nullable=True))
"""


@contextmanager
def held_by_another(place: Place) -> Iterator[Callable[[], None]]:
    """Hold the right to write as another program would; gives what frees it."""
    if isinstance(place, Path):
        other = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        yield lambda: other.execute("ROLLBACK") and None
        other.close()
        return
    engine = create_engine(place)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('dmsm node'))"))
        yield connection.rollback
    engine.dispose()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 640 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=640k", "dmsm-test", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no mount: a small disk needs the right to mount one")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that a disk has left; removing the file frees it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(b"x" * 4096)
    return filler


def test_write__held_by_another_too_long__is_busy_and_nothing_is_lost(place: Place) -> None:
    with NodeStore(place, patience_s=0.4) as store:
        store.put_readings(DEVICE, rows_of(make_readings(2)))
        with held_by_another(place) as free:
            with pytest.raises(StoreBusy) as caught:
                store.put_readings(DEVICE, rows_of(make_readings(1, first_seq=3)))
            assert "\n" not in str(caught.value)
            assert store.next_seq(DEVICE) == 3  # who reads is not kept waiting
            free()
            store.put_readings(DEVICE, rows_of(make_readings(1, first_seq=3)))
        assert store.next_seq(DEVICE) == 4


def test_write__held_for_a_while__waits_and_is_done(place: Place) -> None:
    with NodeStore(place) as store, held_by_another(place) as free:
        timer = threading.Timer(1.0, free)
        timer.start()
        began = time.monotonic()
        store.put_readings(DEVICE, rows_of(make_readings(1)))
        assert time.monotonic() - began >= 0.9
        timer.join()
        assert store.next_seq(DEVICE) == 2


@pytest.mark.slow
def test_write__held_for_a_minute__waits_and_is_done(place: Place) -> None:
    with NodeStore(place) as store, held_by_another(place) as free:
        timer = threading.Timer(60.0, free)
        timer.start()
        store.put_readings(DEVICE, rows_of(make_readings(1)))
        timer.join()
        assert store.next_seq(DEVICE) == 2


def test_write__disk_is_full__is_full_and_goes_on_when_there_is_room(disk: Path) -> None:
    with NodeStore(disk / "node.sqlite") as store:
        store.put_readings(DEVICE, rows_of(make_readings(20)))
        filler = fill(disk)
        before = {path.name for path in disk.iterdir()}
        with pytest.raises(StoreFull, match="free room on its disk"):
            for _ in range(100):
                seq = store.next_seq(DEVICE)
                store.put_readings(DEVICE, rows_of(make_readings(20, first_seq=seq)))
        assert {path.name for path in disk.iterdir()} == before
        held = store.next_seq(DEVICE) - 1
        assert held % 20 == 0  # whole transactions
        filler.unlink()
        store.put_readings(DEVICE, rows_of(make_readings(20, first_seq=held + 1)))
    with NodeStore(disk / "node.sqlite") as store:
        assert len(store.readings_by_seq(DEVICE, from_seq=1, count=10_000)) == held + 20


def test_open__disk_is_full__is_full_and_opens_when_there_is_room(disk: Path) -> None:
    with NodeStore(disk / "node.sqlite") as store:
        store.put_readings(DEVICE, rows_of(make_readings(20)))
    filler = fill(disk)
    with pytest.raises(StoreFull), NodeStore(disk / "node.sqlite") as store:
        store.put_readings(DEVICE, rows_of(make_readings(1, first_seq=21)))
    assert {path.name for path in disk.iterdir()} >= {"node.sqlite", "filler"}
    filler.unlink()
    with NodeStore(disk / "node.sqlite") as store:
        assert store.next_seq(DEVICE) == 21


def test_write__disk_is_read_only__is_full_and_goes_on_when_it_is_not(disk: Path) -> None:
    path = disk / "node.sqlite"
    with NodeStore(path) as store:
        store.put_readings(DEVICE, rows_of(make_readings(20)))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(StoreFull, match="make it writable"):
        NodeStore(path)
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    with NodeStore(path) as store:
        assert store.next_seq(DEVICE) == 21


def test_write__server_lets_nobody_write__is_full_and_goes_on_when_it_does(
    new_postgres: str,
) -> None:
    with NodeStore(new_postgres) as store:
        store.put_readings(DEVICE, rows_of(make_readings(2)))
    _set_read_only(new_postgres, "on")
    with pytest.raises(StoreFull, match="cannot be written"):
        NodeStore(new_postgres)
    _set_read_only(new_postgres, "off")
    with NodeStore(new_postgres) as store:
        store.put_readings(DEVICE, rows_of(make_readings(1, first_seq=3)))
        assert store.next_seq(DEVICE) == 4


def test_read__file_is_damaged__is_damaged_and_left_where_it_is(tmp_path: Path) -> None:
    path, copy = tmp_path / "node.sqlite", tmp_path / "copy.sqlite"
    with NodeStore(path) as store:
        store.put_readings(DEVICE, rows_of(make_readings(500)))
    shutil.copy(path, copy)
    spoilt = bytearray(path.read_bytes())
    spoilt[len(spoilt) // 2 :] = b"\xa5" * (len(spoilt) - len(spoilt) // 2)
    path.write_bytes(spoilt)
    with pytest.raises(StoreDamaged, match="put it aside and restore a copy"):
        with NodeStore(path) as store:
            store.readings_by_seq(DEVICE, from_seq=1, count=500)
    assert path.read_bytes() == spoilt
    shutil.copy(copy, path)
    with NodeStore(path) as store:
        assert len(store.readings_by_seq(DEVICE, from_seq=1, count=500)) == 500


def test_open__store_of_a_newer_program__is_refused_and_left_alone(
    place: Place, tmp_path: Path
) -> None:
    with NodeStore(place) as store:
        store.put_start(DEVICE, 7)
    with Database(place, schema_of_tomorrow(tmp_path)) as newer, newer.read() as connection:
        assert connection.execute(text("SELECT seq, reason FROM starts")).all() == [(7, None)]
    with pytest.raises(StoreVersion, match="schema 0002 and this program knows 0001"):
        NodeStore(place)
    with Database(place, schema_of_tomorrow(tmp_path)) as newer, newer.read() as connection:
        assert connection.execute(text("SELECT seq FROM starts")).scalar_one() == 7


def test_open__another_members_store__is_refused(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    with sqlite3.connect(path) as older:
        older.execute("CREATE TABLE readings (device TEXT)")
    older.close()
    before = path.read_bytes()
    with pytest.raises(StoreVersion, match="is no node database"):
        NodeStore(path)
    assert path.read_bytes() == before


def schema_of_tomorrow(folder: Path) -> Schema:
    """The node's schema with one more step."""
    migrations = folder / "tomorrow"
    shutil.copytree(NODE.migrations, migrations, dirs_exist_ok=True)
    (migrations / "versions" / "0002_reasons.py").write_text(STEP_OF_TOMORROW)
    return Schema("node", NODE.tables, migrations)


def _set_read_only(url: str, value: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = engine.url.database
        connection.execute(text("SET default_transaction_read_only = off"))
        connection.execute(
            text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
        )
    engine.dispose()
