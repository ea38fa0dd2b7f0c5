"""Engines on SQLite and PostgreSQL that behave alike: which URL, which schema, which kind of transaction.

`engine.begin()` is for writers (SQLite: BEGIN IMMEDIATE, so that a transaction that reads first cannot fail for having
read); `engine.connect()` is for readers, who see one state and never wait for a writer.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from models import migrator
from models.errors import SchemaMismatch
from models.retry import original

SCHEMA_REVISION = "0008"
"""The revision this code is written for; a test keeps it equal to Alembic's head."""

BUSY_SECONDS = 30
CONNECT = {"application_name": "splitcart", "client_encoding": "utf8"}
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-6144", "temp_store=MEMORY")


def url_from(environ: Mapping[str, str]) -> str:
    """The database's URL: DATABASE_URL, else a SQLite file in the user's data folder."""
    if url := environ.get("DATABASE_URL"):
        return normalise(url)
    home = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".local" / "share")
    return f"sqlite:///{Path(home).absolute() / 'splitcart' / 'splitcart.db'}"


def normalise(url: str) -> str:
    """The URL with its driver named (psycopg2) and a SQLite path made absolute: a job's working folder may change."""
    scheme, found, rest = url.partition("://")
    wanted = "write sqlite:////path/to/file.db or postgresql://host/name"
    if not found:
        raise ValueError(f"DATABASE_URL is no URL, it has no ://: {wanted}")
    if scheme.partition("+")[0] not in ("sqlite", "postgres", "postgresql"):
        raise ValueError(f"DATABASE_URL begins {scheme}://, which names no database that is known here: {wanted}")
    if scheme in ("postgres", "postgresql"):
        return f"postgresql+psycopg2://{rest}"
    if scheme == "sqlite" and rest.removeprefix("/") not in ("", ":memory:"):
        return f"sqlite:///{Path(rest.removeprefix('/')).expanduser().absolute()}"
    return url


class SplitcartEngine(Engine):
    """An Engine whose `begin()` says that it will write."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.connect() as connection:
            writer = connection.execution_options(splitcart_writes=True)
            with writer.begin():
                yield writer


def create(url: str) -> Engine:
    """An engine on the database. A new SQLite file is created and migrated; PostgreSQL is only connected to.

    Nothing is checked beyond that: a crawl calls `check_schema`.
    """
    url = normalise(url)
    if make_url(url).get_backend_name() != "sqlite":
        plain = create_engine(url, pool_pre_ping=True, pool_use_lifo=True, connect_args=dict(CONNECT))
        event.listen(plain.pool, "connect", _prepare_postgres)
        return SplitcartEngine(plain.pool, plain.dialect, plain.url)
    Path(make_url(url).database or "").parent.mkdir(parents=True, exist_ok=True)
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    # The latest connection first: each keeps pages of its own, so that using them in turn would fill every cache.
    plain = create_engine(url, pool_use_lifo=True, connect_args=arguments)
    event.listen(plain.pool, "connect", _prepare_sqlite)
    engine = SplitcartEngine(plain.pool, plain.dialect, plain.url)
    event.listen(engine, "begin", _begin_sqlite)
    if revision(engine) is None:
        migrate(engine)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver would begin transactions itself, deferred and only before it sees a write.
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _prepare_postgres(connection: Any, _record: Any) -> None:
    # No statement of ours runs long enough to be worth compiling, but of rows without statistics the planner thinks so.
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("splitcart_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def revision(engine: Engine) -> str | None:
    """The schema's revision as the database tells it; None for a database without a schema."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(engine: Engine) -> None:
    """Brings the schema to this code's revision, in one transaction: all of it or none, also when two start at once."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('splitcart-migrate'))"))
        migrator.upgrade(connection)


def check_schema(engine: Engine) -> None:
    """Raises SchemaMismatch, which names the remedy, unless the database has exactly this code's schema."""
    try:
        found = revision(engine)
    except SQLAlchemyError as error:
        told = str(original(error)).strip()
        raise ConnectionError(f"cannot read the database at {engine.url.render_as_string()}: {told}") from error
    if found != SCHEMA_REVISION:
        raise SchemaMismatch(found, SCHEMA_REVISION)
