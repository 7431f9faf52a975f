"""Databases for tests: a SQLite file, and a PostgreSQL server where one is found.

DMSM_TEST_POSTGRES names a server by URL. Else one is started from the programs of a PostgreSQL
that is installed, in a folder of its own, and ended with the tests. Without either the tests on
PostgreSQL are skipped; where DMSM_ALL_PROGRAMS is set (CI) they fail
(toolchain/missing_programs.py counts them).
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from offchain.database import Place

_numbers = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place for one new database: a file, then a database of a server."""
    if request.param == "sqlite":
        yield tmp_path / "store.sqlite"
    else:
        with_server = new_postgres_database()
        yield with_server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Place]:
    """Give a place for a new database at each call."""
    if request.param == "postgresql":
        return new_postgres_database
    return lambda: tmp_path / f"store-{next(_numbers)}.sqlite"


@pytest.fixture
def new_postgres() -> str:
    """Give the URL of a new database of a server."""
    return new_postgres_database()


def new_postgres_database() -> str:
    """Return the URL of a new, empty database; skip the test where there is no server."""
    url = make_url(_server())
    name = f"test_{os.getpid()}_{next(_numbers)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


def store_place(folder: Path, name: str) -> Place:
    """Return a place for a store of the integration tests: a file of this name, or with
    DMSM_TEST_STORES=postgresql a new database.
    """
    if os.environ.get("DMSM_TEST_STORES") == "postgresql":
        return new_postgres_database()
    return folder / f"{name}.sqlite"


@cache
def _server() -> str:
    """Return the URL of a server, started for this process if need be."""
    if given := os.environ.get("DMSM_TEST_POSTGRES"):
        return given
    programs = _programs()
    if programs is None:
        why = "no PostgreSQL: install it, or set DMSM_TEST_POSTGRES to a server's URL"
        if os.environ.get("DMSM_ALL_PROGRAMS"):
            pytest.fail(why)
        pytest.skip(why)
    return _start(programs)


def _programs() -> Path | None:
    """Return the folder with initdb and pg_ctl, the newest one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).resolve().parent


def _start(programs: Path) -> str:
    """Start a server that listens on a socket in a folder of its own; nothing is synced to disk."""
    folder = Path(tempfile.mkdtemp(prefix="dmsm-postgres-"))
    folder.chmod(0o755)
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(programs / program), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")

    data = str(folder / "data")
    wanted = ("-U", "dmsm", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    run("initdb", "-D", data, *wanted)
    options = f"-c listen_addresses='' -k {folder} -c fsync=off -c max_connections=400"
    run("pg_ctl", "-D", data, "-w", "-s", "-l", str(folder / "log"), "-o", options, "start")

    def stop() -> None:
        run("pg_ctl", "-D", data, "-m", "immediate", "-s", "stop")
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return f"postgresql+psycopg://dmsm@/postgres?host={folder}"
