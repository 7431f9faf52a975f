"""The door to SQL: transactions, schemas and faults, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Table, insert, select, text

from offchain.database import Database, Place, Schema
from offchain.errors import (
    StoreBusy,
    StoreConflict,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreVersion,
)


def texts(database: Database, notes: Table) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(notes.c.text).order_by(notes.c.id)).scalars())


def test_write__body_ends_well__stays_for_the_next_opening(
    place: Place, schema: Schema, notes: Table
) -> None:
    with Database(place, schema) as database, database.write() as connection:
        connection.execute(insert(notes).values(id=1, text="kept"))
    with Database(place, schema) as again:
        assert texts(again, notes) == ["kept"]


def test_write__body_raises__leaves_nothing(place: Place, schema: Schema, notes: Table) -> None:
    with Database(place, schema) as database:
        with pytest.raises(ZeroDivisionError), database.write() as connection:
            connection.execute(insert(notes).values(id=1, text="lost"))
            raise ZeroDivisionError
        assert texts(database, notes) == []


def test_write__inside_another__is_a_part_of_it(place: Place, schema: Schema, notes: Table) -> None:
    with Database(place, schema) as database:
        with pytest.raises(ZeroDivisionError), database.write() as outer:
            with database.write() as inner:
                assert inner is outer
                inner.execute(insert(notes).values(id=1, text="lost"))
            raise ZeroDivisionError
        assert texts(database, notes) == []


def test_write__same_key_twice__is_a_conflict(place: Place, schema: Schema, notes: Table) -> None:
    with Database(place, schema) as database:
        with database.write() as connection:
            connection.execute(insert(notes).values(id=1, text="first"))
        with pytest.raises(StoreConflict, match="already holds"), database.write() as connection:
            connection.execute(insert(notes).values(id=1, text="second"))
        assert texts(database, notes) == ["first"]


def test_read__beside_a_writer__sees_what_was_committed_and_does_not_wait(
    place: Place, schema: Schema, notes: Table
) -> None:
    with Database(place, schema) as database, database.write() as connection:
        connection.execute(insert(notes).values(id=1, text="not yet"))
        found: list[list[str]] = []
        reader = threading.Thread(target=lambda: found.append(texts(database, notes)))
        reader.start()
        reader.join(timeout=20)
        assert found == [[]]


def test_write__of_many_threads__each_counts_once(
    place: Place, schema: Schema, notes: Table
) -> None:
    with Database(place, schema) as database:
        with database.write() as connection:
            connection.execute(insert(notes).values(id=1, text="count"))

        def add_ten() -> None:
            for _ in range(10):
                with database.write() as connection:
                    size = connection.execute(select(notes.c.size)).scalar_one()
                    connection.execute(notes.update().values(size=size + 1))

        threads = [threading.Thread(target=add_ten) for _ in range(6)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        with database.read() as connection:
            assert connection.execute(select(notes.c.size)).scalar_one() == 60


def test_open__older_schema__is_migrated_with_its_rows(
    place: Place, schema: Schema, older: Schema, notes: Table
) -> None:
    with Database(place, older) as first, first.write() as connection:
        connection.execute(text("INSERT INTO notes (id, text) VALUES (1, 'old')"))
    with Database(place, schema) as database, database.read() as connection:
        assert connection.execute(select(notes)).all() == [(1, "old", 0)]


def test_open__newer_schema__is_refused_and_left_alone(
    place: Place, schema: Schema, older: Schema, notes: Table
) -> None:
    Database(place, schema).close()
    with pytest.raises(StoreVersion, match="schema 0002 and this program knows 0001"):
        Database(place, older)
    with Database(place, schema) as database:
        assert texts(database, notes) == []


def test_open__another_programs_file__is_refused(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "mail.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE letters (id INTEGER)")
    with pytest.raises(StoreVersion, match="is no notes database"):
        Database(path, schema)


def test_write__file_is_held_for_a_while__waits(
    tmp_path: Path, schema: Schema, notes: Table
) -> None:
    path = tmp_path / "store.sqlite"
    with Database(path, schema) as database:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        freed = threading.Timer(0.5, other.execute, ["ROLLBACK"])
        freed.start()
        began = time.monotonic()
        with database.write() as connection:
            connection.execute(insert(notes).values(id=1, text="after"))
        assert time.monotonic() - began >= 0.4
        assert texts(database, notes) == ["after"]
        other.close()


def test_write__file_is_held_too_long__is_busy_in_one_sentence(
    tmp_path: Path, schema: Schema, notes: Table
) -> None:
    path = tmp_path / "store.sqlite"
    with Database(path, schema, patience_s=0.3) as database:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match=r"another program holds .*store\.sqlite"):
            with database.write():
                pytest.fail("the file is held by another one")
        assert texts(database, notes) == []  # who reads is not kept waiting
        other.execute("ROLLBACK")
        with database.write() as connection:
            connection.execute(insert(notes).values(id=1, text="after"))


def test_write__no_room__is_full_and_goes_on_when_there_is(
    tmp_path: Path, schema: Schema, notes: Table
) -> None:
    with Database(tmp_path / "store.sqlite", schema) as database:
        with pytest.raises(StoreFull, match="free room"), database.write() as connection:
            connection.execute(text("PRAGMA max_page_count=1"))  # as a disk without room
            connection.execute(insert(notes).values(id=1, text="x" * 100_000))
        with database.write() as connection:
            connection.execute(text("PRAGMA max_page_count=1000000"))
            connection.execute(insert(notes).values(id=1, text="fits"))
        assert texts(database, notes) == ["fits"]


def test_open__file_without_rights__is_full(tmp_path: Path, schema: Schema) -> None:
    with pytest.raises(StoreFull, match="cannot be written"):
        Database(tmp_path / "missing" / ".." / "\0".replace("\0", "x" * 300), schema)


def test_open__damaged_file__is_damaged_and_left_where_it_is(
    tmp_path: Path, schema: Schema, notes: Table
) -> None:
    path = tmp_path / "store.sqlite"
    with Database(path, schema) as database, database.write() as connection:
        for number in range(200):
            connection.execute(insert(notes).values(id=number, text="x" * 500))
    before = bytearray(path.read_bytes())
    before[4096 : 4096 * 4] = b"\xa5" * 4096 * 3
    path.write_bytes(before)
    with pytest.raises(StoreDamaged, match="restore a copy"):
        with Database(path, schema) as database:
            texts(database, notes)
    assert path.read_bytes()[: len(before)] == before


def test_open__no_database_at_all__is_damaged(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"not a database, " * 1000)
    with pytest.raises(StoreDamaged, match="restore a copy"):
        Database(path, schema)


def test_open__file__is_for_its_owner_alone(tmp_path: Path, schema: Schema) -> None:
    path = tmp_path / "store.sqlite"
    Database(path, schema).close()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", ["mysql://u:secret@localhost/x", "://nothing"])
def test_open__url_of_no_known_kind__is_refused_without_its_password(
    url: str, schema: Schema
) -> None:
    with pytest.raises(StoreError, match=r"postgresql\+psycopg://USER@HOST/NAME") as caught:
        Database(url, schema)
    assert "secret" not in str(caught.value)


def test_open__server_that_is_not_there__is_busy_without_its_password(schema: Schema) -> None:
    url = "postgresql+psycopg://dmsm:secret@127.0.0.1:1/none"
    with pytest.raises(StoreBusy, match="does not answer") as caught:
        Database(url, schema, patience_s=0.2)
    assert "secret" not in str(caught.value)
