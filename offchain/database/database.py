"""A database of one store: transactions that end in a whole or in one of our errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, TextClause, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from offchain import sqlite_file
from offchain.database.faults import fault_of
from offchain.database.schema import Schema
from offchain.errors import StoreDamaged, StoreError

Place = Path | str  # a SQLite file, or the URL of a PostgreSQL database
_POOL = 8  # connections of one process
_T = TypeVar("_T")


class Database:
    """A store's tables, at a file or in a schema of a PostgreSQL database. Threads may share it.

    One transaction of a process writes at a time; readers are not kept waiting by it. What was
    committed stays (SQLite: WAL with synchronous=FULL). Also a context manager.
    """

    def __init__(
        self, place: Place, schema: Schema, *, patience_s: float = sqlite_file.PATIENCE_S
    ) -> None:
        """Open the database, with its tables made or migrated.

        patience_s: how long another program that holds it, or a server that does not answer, is
        waited for. Raises StoreError.
        """
        self.is_sqlite = isinstance(place, Path) or "://" not in place
        self.name = str(place) if self.is_sqlite else _public(str(place), schema.name)
        self._store = f"dmsm {schema.name}"
        self._remedy = schema.remedy
        self._patience_s = patience_s
        self._writing = threading.RLock()
        self._open: Connection | None = None  # of the thread that holds _writing
        if self.is_sqlite:
            self._engine = _sqlite(Path(place))
        else:
            self._engine = _postgres(str(place), schema.name)
        try:
            if not self.is_sqlite:
                self._make_namespace(schema.name)
            with self.write() as connection:
                schema.bring_up(connection, self.name)
            if self.is_sqlite:
                sqlite_file.connect(place, is_known=True).close()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database. Raises StoreError."""
        with self._remedied():
            connection = self._begin(writes=False)
            try:
                yield connection
            except SQLAlchemyError as error:
                raise fault_of(error, self.name) from error
            finally:
                connection.close()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that is committed at the end, or undone when anything is raised; one
        inside another is a part of it.

        Raises StoreError; then nothing of it was written.
        """
        with self._writing:
            if self._open is not None:
                yield self._open
                return
            with self._remedied():
                connection = self._open = self._begin(writes=True)
                try:
                    yield connection
                    self._patiently(connection.commit)
                except SQLAlchemyError as error:
                    raise fault_of(error, self.name) from error
                finally:
                    self._open = None
                    connection.close()  # what was not committed is undone

    @contextmanager
    def _remedied(self) -> Iterator[None]:
        """Say of a damaged database what is done about it, where its schema knows that."""
        try:
            yield
        except StoreDamaged as damaged:
            if self._remedy is None or not str(damaged).startswith(self.name):
                raise
            raise StoreDamaged(f"{self.name} is damaged; {self._remedy}") from damaged

    def _begin(self, *, writes: bool) -> Connection:
        """Return a connection in a transaction; one that writes holds the right to."""

        def begin() -> Connection:
            connection = self._engine.connect().execution_options(dmsm_writes=writes)
            try:
                connection.begin()
                if not self.is_sqlite:
                    connection.execute(self._opening(writes=writes))
            except BaseException:
                connection.close()
                raise
            return connection

        return self._patiently(begin)

    def _opening(self, *, writes: bool) -> TextClause:
        """Return what shows at once that a server is gone. As a file has one writer among all
        processes, so has a store on a server: else two could each write what excludes the other.
        """
        if not writes:
            return text("SELECT 1")
        return text("SELECT pg_advisory_xact_lock(hashtext(:store))").bindparams(store=self._store)

    def _patiently(self, step: Callable[[], _T]) -> _T:
        """Return what `step` returns, tried again while the database is busy."""
        return sqlite_file.wait_out(
            step, SQLAlchemyError, lambda error: fault_of(error, self.name), self._patience_s
        )

    def _make_namespace(self, name: str) -> None:
        with self.write() as connection:
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{name}"'))


def _sqlite(path: Path) -> Engine:
    """Return connections to a file, made when missing and readable by its owner only."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite_file.connect(path),
        poolclass=QueuePool,
        pool_size=_POOL,
        max_overflow=_POOL,
    )

    # The driver's own transactions begin at the first change; ours where they say (SQLAlchemy's
    # documentation of the SQLite dialect).
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("dmsm_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgres(url: str, namespace: str) -> Engine:
    """Return connections to a server, with a schema of its own for the store's tables."""
    try:
        address = make_url(url)
    except SQLAlchemyError:
        raise StoreError(
            "the database's URL is malformed; it reads postgresql+psycopg://USER@HOST/NAME"
        ) from None
    if address.get_backend_name() != "postgresql":
        raise StoreError(
            f"no database of kind {address.get_backend_name()} is known: give a SQLite file's path "
            "or postgresql+psycopg://USER@HOST/NAME"
        )
    options: dict[str, Any] = {
        "options": f"-csearch_path={namespace} -clock_timeout=2000",
        "connect_timeout": 5,
    }
    return create_engine(
        address.set(drivername="postgresql+psycopg"),
        connect_args=options,
        pool_size=_POOL,
        max_overflow=_POOL,
        pool_pre_ping=True,
    )


def _public(url: str, namespace: str) -> str:
    """Return a URL to be shown: without its password."""
    try:
        return f"{make_url(url).render_as_string(hide_password=True)} ({namespace})"
    except SQLAlchemyError:
        return f"the database of {namespace}"
